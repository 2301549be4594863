//! The indexes of the schema serve the statements that `translate` writes.

use ironic_core::store::{Filter, Kind, Query, Scalar};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, QueryBuilder, Row, Sqlite};
use uuid::Uuid;

use super::schema::migrate;
use super::translate::{self, INDEXED_TEXT, INDEXED_TYPE, Marker};

async fn database() -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    migrate(&pool).await.unwrap();
    pool
}

async fn plan(pool: &SqlitePool, statement: &QueryBuilder<Sqlite>) -> String {
    let explain = format!("EXPLAIN QUERY PLAN {}", statement.sql().as_str());
    let rows = sqlx::query(AssertSqlSafe(explain)).fetch_all(pool).await;
    let rows = rows.unwrap();
    let steps = rows.iter().map(|row| row.get::<String, _>("detail"));
    steps.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_field_that_is_asked_for_by_value_has_an_index() {
    let pool = database().await;
    for (field, _) in INDEXED_TEXT {
        let index = format!("USING INDEX records_by_{field} (kind=? AND <expr>=?)");
        let one_of = ["a", "b"].map(|text| Scalar::String(text.into()));
        for filter in [
            Filter::text(field, "a"),
            Filter::In((*field).into(), one_of.to_vec()),
            Filter::text(field, "a").and(Filter::flag("retired", false)),
        ] {
            let list =
                translate::list(&Query::all(Kind::Node).filter(filter.clone()), None).unwrap();
            let list = plan(&pool, &list).await;
            assert!(list.contains(&index), "{filter:?}: {list}");
            let count = translate::count(Kind::Node, &filter).unwrap();
            let count = plan(&pool, &count).await;
            assert!(count.contains(&index), "{filter:?}: {count}");
        }
    }
    for (field, _) in INDEXED_TYPE {
        let query = Query::all(Kind::Node).filter(Filter::flag(field, true));
        let plan = plan(&pool, &translate::list(&query, None).unwrap()).await;
        let index = format!("USING INDEX records_by_{field} (kind=? AND <expr>=?)");
        assert!(plan.contains(&index), "{field}: {plan}");
    }
}

#[tokio::test]
async fn the_default_order_needs_no_sorting() {
    let pool = database().await;
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
            "records_by_node_uuid (kind=? AND <expr>=?)",
        ),
        (
            of_node,
            Some(marker),
            "records_by_node_uuid (kind=? AND <expr>=? AND (created,id)>(?,?))",
        ),
    ] {
        let plan = plan(&pool, &translate::list(&query, marker).unwrap()).await;
        assert!(plan.contains(search), "{query:?}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
    }
}
