//! The indexes of the schema serve the statements that `translate` writes.

use std::collections::BTreeSet;

use ironic_core::model::NodeSummary;
use ironic_core::store::{Compare, Filter, Kind, Query, Scalar};
use rusqlite::{StatementStatus, params_from_iter};
use uuid::Uuid;

use super::Sqlite;
use super::connection::Connection;
use super::expressions::{INDEXED_TEXT, INDEXED_TYPE, Indexed};
use super::file::options;
use crate::store::schema::migrate;
use crate::store::sql::Sql;
use crate::store::translate::{self, Marker};

pub(super) async fn database() -> Connection {
    let options = options("sqlite::memory:").unwrap();
    let mut connection = Connection::open(&options).unwrap();
    migrate::<Sqlite>(&mut connection).await.unwrap();
    connection
}

pub(super) async fn plan(database: &mut Connection, statement: &Sql) -> String {
    let explain = format!("EXPLAIN QUERY PLAN {}", statement.text());
    // A plan is for any values.
    let database = database.database().await;
    let mut explain = database.prepare(&explain).unwrap();
    let steps = explain.raw_query().mapped(|row| row.get("detail"));
    let steps: Vec<String> = steps.map(Result::unwrap).collect();
    steps.join("; ")
}

#[test]
fn the_indexes_are_over_the_fields_that_the_engine_names() {
    let named = Kind::ALL.iter().flat_map(|kind| kind.indexed_fields());
    let named: BTreeSet<_> = named.copied().collect();
    let indexed = INDEXED_TEXT.iter().chain(INDEXED_TYPE);
    let indexed: BTreeSet<_> = indexed.map(|indexed| indexed.field).collect();
    assert_eq!(indexed, named);
}

#[tokio::test]
async fn what_a_project_sees_is_found_by_two_indexes() {
    let mut database = database().await;
    let of_project = Filter::Or(vec![
        Filter::text("owner", "a"),
        Filter::text("lessee", "a"),
    ]);
    let query = Query::all(Kind::Node).filter(of_project);
    let plan = plan(
        &mut database,
        &translate::list::<Sqlite>(&query, None).unwrap(),
    )
    .await;
    assert!(
        plan.contains("records_by_owner (kind=? AND by_owner=?)"),
        "{plan}"
    );
    assert!(
        plan.contains("records_by_lessee (kind=? AND by_lessee=?)"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_field_that_is_asked_for_by_value_has_an_index() {
    let mut database = database().await;
    for Indexed { field, column, .. } in INDEXED_TEXT {
        let index = format!("USING INDEX records_by_{field} (kind=? AND {column}=?)");
        let one_of = ["a", "b"].map(|text| Scalar::String(text.into()));
        for filter in [
            Filter::text(field, "a"),
            Filter::In((*field).into(), one_of.to_vec()),
            Filter::text(field, "a").and(Filter::flag("retired", false)),
        ] {
            let list =
                translate::list::<Sqlite>(&Query::all(Kind::Node).filter(filter.clone()), None)
                    .unwrap();
            let list = plan(&mut database, &list).await;
            assert!(list.contains(&index), "{filter:?}: {list}");
            let count = translate::count::<Sqlite>(Kind::Node, &filter).unwrap();
            let count = plan(&mut database, &count).await;
            assert!(count.contains(&index), "{filter:?}: {count}");
        }
    }
    // Whatever it is, but not null.
    let any = Filter::Is("holder".into(), Compare::Ge, Scalar::String(String::new()));
    let held = Query::all(Kind::Lock).filter(any);
    let held = translate::list::<Sqlite>(&held, None).unwrap();
    let held = plan(&mut database, &held).await;
    let index = "USING INDEX records_by_holder (kind=? AND by_holder>?)";
    assert!(held.contains(index), "{held}");
    for Indexed { field, column, .. } in INDEXED_TYPE {
        let query = Query::all(Kind::Node).filter(Filter::flag(field, true));
        let plan = plan(
            &mut database,
            &translate::list::<Sqlite>(&query, None).unwrap(),
        )
        .await;
        let index = format!("USING INDEX records_by_{field} (kind=? AND {column}=?)");
        assert!(plan.contains(&index), "{field}: {plan}");
    }
}

#[tokio::test]
async fn the_default_order_needs_no_sorting() {
    let mut database = database().await;
    let marker = Marker {
        id: Uuid::nil(),
        created: 1,
    };
    let all = || Query::all(Kind::Node).limit(10);
    let of_node = all().filter(Filter::text("node_uuid", "a"));
    for (query, marker, search) in [
        (all(), None, "records_by_creation (kind=?)"),
        (
            all(),
            Some(marker),
            "records_by_creation (kind=? AND (created,id)>(?,?))",
        ),
        (
            of_node.clone(),
            None,
            "records_by_node_uuid (kind=? AND by_node_uuid=?)",
        ),
        (
            of_node,
            Some(marker),
            "records_by_node_uuid (kind=? AND by_node_uuid=? AND (created,id)>(?,?))",
        ),
    ] {
        let plan = plan(
            &mut database,
            &translate::list::<Sqlite>(&query, marker).unwrap(),
        )
        .await;
        assert!(plan.contains(search), "{query:?}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
    }
}

#[tokio::test]
async fn a_list_of_summaries_reads_an_index_alone() {
    let mut database = database().await;
    let fields = NodeSummary::FIELDS.map(str::to_owned).to_vec();
    let all = Query::all(Kind::Node).fields(fields).limit(1000);
    let marker = Marker {
        id: Uuid::nil(),
        created: 1,
    };
    for filter in [Filter::All, Filter::Null("parent_node".into())] {
        for (marker, search) in [
            (None, "SCAN r USING COVERING INDEX node_summaries"),
            (
                Some(marker),
                "SEARCH r USING COVERING INDEX node_summaries ((created,id)>(?,?))",
            ),
        ] {
            let query = all.clone().filter(filter.clone());
            let list = translate::list::<Sqlite>(&query, marker).unwrap();
            let plan = plan(&mut database, &list).await;
            assert!(plan.contains(search), "{query:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
        }
    }
    let list = translate::list::<Sqlite>(&all, None).unwrap();
    let columns = NodeSummary::FIELDS.map(|field| format!("',\"{field}\":' || r.{field}"));
    for column in columns {
        assert!(list.text().contains(&column), "{column}");
    }
    // One field more, or another kind, and bodies are read.
    let mut more = all.clone();
    more.fields.as_mut().unwrap().push("driver".into());
    let mut ports = all;
    ports.kind = Kind::Port;
    for query in [more, ports] {
        let list = translate::list::<Sqlite>(&query, None).unwrap();
        assert!(list.text().contains("r.body"), "{query:?}");
    }
}

#[tokio::test]
async fn other_values_need_no_other_plan() {
    let mut database = database().await;
    let of_node = |text: &str| {
        let query = Query::all(Kind::Port).filter(Filter::text("node_uuid", text));
        translate::list::<Sqlite>(&query, None)
            .unwrap()
            .into_parts()
    };
    let database = database.database().await;
    let (text, _) = of_node("a");
    let mut statement = database.prepare(&text).unwrap();
    for node in ["a", "b", "c"] {
        let (same, args) = of_node(node);
        assert_eq!(same, text);
        let rows = statement.query(params_from_iter(args)).unwrap();
        assert_eq!(rows.mapped(|_| Ok(())).count(), 0);
    }
    assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
}
