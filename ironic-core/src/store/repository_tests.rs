//! What writing a value leaves of the record that it was read from.

use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Batch, Expect, Kind, MemoryStore, Op, Query, Record, Repository, Revision, put_over, written,
};
use crate::model::{Node, NodeSummary};

const ID: Uuid = Uuid::nil();

fn repository() -> Repository {
    Repository::new(Arc::new(MemoryStore::new()))
}

/// Writes this body as some other program has it.
fn put_raw(repository: &Repository, body: &Value) {
    let record = Record {
        kind: Kind::Node,
        id: ID,
        created: Revision::default(),
        revision: Revision::default(),
        schema: 1,
        keys: Vec::new(),
        body: to_raw_value(body).unwrap().into(),
    };
    let expect = Expect::Any;
    let ops = vec![Op::Put { record, expect }];
    let committed = repository.commit(Batch { fence: None, ops });
    committed.now_or_never().unwrap().unwrap();
}

async fn raw(repository: &Repository) -> (Revision, Value) {
    let record = repository.store().get(Kind::Node, ID).await.unwrap();
    let record = record.unwrap();
    (
        record.revision,
        serde_json::from_str(record.body.get()).unwrap(),
    )
}

fn body() -> Value {
    let mut node = Node::new(ID, "fake-hardware");
    node.name = Some("n".to_owned());
    node.extra.insert("a".to_owned(), json!({"b": 1}));
    serde_json::to_value(node).unwrap()
}

#[tokio::test]
async fn members_that_this_version_does_not_know_are_kept() {
    for future in [None, Some(json!({"x": [1, null]}))] {
        let repository = repository();
        let mut expected = body();
        if let Some(future) = &future {
            expected["future"] = future.clone();
        }
        put_raw(&repository, &expected);

        let update = repository.update::<Node, ()>(ID, None, |node| {
            node.name = None;
            node.extra.insert("c".to_owned(), json!(2));
            Ok(())
        });
        update.await.unwrap();
        expected.as_object_mut().unwrap().remove("name");
        expected["extra"]["c"] = json!(2);
        assert_eq!(raw(&repository).await.1, expected);

        let stored = repository.load::<Node>(ID).await.unwrap();
        let mut node = stored.value.clone();
        node.extra.remove("a");
        node.maintenance = true;
        let ops = vec![put_over(&stored, &node).unwrap()];
        repository.commit(Batch { fence: None, ops }).await.unwrap();
        expected["extra"] = json!({"c": 2});
        expected["maintenance"] = json!(true);
        assert_eq!(raw(&repository).await.1, expected);
    }
}

#[tokio::test]
async fn a_member_within_is_unknown_too() {
    let repository = repository();
    let mut expected = body();
    expected["interfaces"] = json!({"power": "fake"});
    expected["future"] = json!({});
    put_raw(&repository, &expected);
    let update = repository.update::<Node, ()>(ID, None, |node| {
        node.extra["a"]["b"] = json!(3);
        Ok(())
    });
    update.await.unwrap();
    expected["extra"]["a"]["b"] = json!(3);
    assert_eq!(raw(&repository).await.1, expected);
}

#[tokio::test]
async fn a_change_of_nothing_writes_nothing_and_a_decision_always_does() {
    let repository = repository();
    put_raw(&repository, &body());
    let (before, _) = raw(&repository).await;
    let update = repository.update::<Node, ()>(ID, None, |_| Ok(()));
    update.await.unwrap();
    assert_eq!(raw(&repository).await.0, before);

    let stored = repository.load::<Node>(ID).await.unwrap();
    let ops = vec![put_over(&stored, &stored.value).unwrap()];
    repository.commit(Batch { fence: None, ops }).await.unwrap();
    let (after, same) = raw(&repository).await;
    assert!(after > before);
    assert_eq!(same, body());
}

#[tokio::test]
async fn what_others_write_meanwhile_is_kept() {
    for future in [false, true] {
        let repository = repository();
        let mut theirs = body();
        if future {
            theirs["future"] = json!(1);
        }
        put_raw(&repository, &theirs);
        theirs["power_state"] = json!("power on");
        theirs["extra"]["theirs"] = json!(1);
        let mut tries = 0;
        let update = repository.update::<Node, ()>(ID, None, |node| {
            tries += 1;
            if tries == 1 {
                put_raw(&repository, &theirs);
            }
            node.extra.insert("ours".to_owned(), json!(2));
            Ok(())
        });
        update.await.unwrap();
        assert_eq!(tries, 2);
        theirs["extra"]["ours"] = json!(2);
        assert_eq!(raw(&repository).await.1, theirs);
    }
}

#[tokio::test]
async fn what_was_written_is_the_base_of_the_next_write() {
    let repository = repository();
    let mut expected = body();
    expected["future"] = json!("kept");
    put_raw(&repository, &expected);
    let mut stored = repository.load::<Node>(ID).await.unwrap();
    for n in 0..3 {
        let mut node = stored.value.clone();
        node.generation = n + 1;
        let op = put_over(&stored, &node).unwrap();
        let batch = Batch {
            fence: None,
            ops: vec![op.clone()],
        };
        let revision = repository.commit(batch).await.unwrap()[0];
        stored = written(&op, node, revision).unwrap();
        expected["generation"] = json!(n + 1);
        assert_eq!(raw(&repository).await, (revision, expected.clone()));
    }
}

#[tokio::test]
async fn summaries_are_of_records_of_this_layout_and_none_that_is_newer() {
    let repository = repository();
    let mut expected = body();
    expected["future"] = json!({"not": "read"});
    put_raw(&repository, &expected);
    let all = Query::all(Kind::Node).fields(vec!["extra".to_owned()]);
    let summaries = repository.summaries(&all).await.unwrap();
    let node = repository.load::<Node>(ID).await.unwrap().value;
    assert_eq!(summaries, [NodeSummary::from(node)]);

    let mut record = repository
        .store()
        .get(Kind::Node, ID)
        .await
        .unwrap()
        .unwrap();
    record.schema = 2;
    let expect = Expect::Any;
    let ops = vec![Op::Put { record, expect }];
    repository.commit(Batch { fence: None, ops }).await.unwrap();
    let error = repository.summaries(&all).await.unwrap_err();
    assert!(error.to_string().contains("newer"), "{error}");
}
