use serde_json::json;

use super::StoreFactory;
use super::probe::{Probe, body, conflict, duplicate, id, keyed, node, put, put_if, record};
use crate::store::{Batch, Expect, Fence, Filter, Kind, Query, StoreError};

/// A second opening of what the factory made last. That there is one at a time only is said to
/// `store_conformance!`, which then leaves these cases out.
async fn beside(factory: &dyn StoreFactory) -> Probe {
    let store = factory.beside().await;
    let store = store.unwrap_or_else(|| panic!("the factory opens nothing beside the first"));
    Probe { store }
}

pub(super) async fn two_openings_are_one_store(factory: &dyn StoreFactory) {
    let one = Probe::fresh(factory).await;
    let other = beside(factory).await;
    let read = one.put(keyed(1, &[("name", "a")])).await;
    assert_eq!(other.find(Kind::Node, "name", "a").await, Some(id(1)));
    let second = put_if(keyed(1, &[("name", "b")]), Expect::Revision(read));
    let written = other.commit(vec![second]).await[0];
    assert!(written > read);
    let late = put_if(node(1, "c"), Expect::Revision(read));
    assert_eq!(one.refusal(vec![late]).await, conflict(Kind::Node, id(1)));
    let taken = put(keyed(2, &[("name", "b")]));
    let error = one.refusal(vec![taken]).await;
    assert_eq!(error, duplicate(Kind::Node, "name", "b"));
    // A take-over through one opening fences the holder that writes through the other.
    let lock = |epoch: u64| {
        let body = json!({"epoch": epoch, "holder": "c"});
        record(Kind::Lock, id(1), body)
    };
    one.put(lock(1)).await;
    other.put(lock(2)).await;
    let fence = Fence {
        node: id(1),
        epoch: 1,
    };
    let error = one
        .fenced_refusal(Some(fence), vec![put(node(3, "x"))])
        .await;
    let expected = StoreError::Fenced {
        node: id(1),
        epoch: 1,
    };
    assert_eq!(error, expected);
    write_from_both(&one, &other).await;
}

/// Both openings write at once: all of it arrives.
async fn write_from_both(one: &Probe, other: &Probe) {
    let write = |probe: &Probe, from: u128| {
        let probe = probe.clone();
        tokio::spawn(async move {
            for n in from..from + 50 {
                let batch = Batch {
                    fence: None,
                    ops: vec![put_if(record(Kind::Port, id(n), json!({})), Expect::Absent)],
                };
                let answer = probe.store.commit(batch).await;
                assert!(
                    answer.is_ok(),
                    "two writers get in each other's way: {answer:?}"
                );
            }
        })
    };
    let (first, second) = (write(one, 0), write(other, 100));
    for writer in [first, second] {
        if let Err(error) = writer.await {
            panic!("a writer failed: {error}");
        }
    }
    for probe in [one, other] {
        assert_eq!(probe.count(Kind::Port, &Filter::All).await, 100);
    }
}

/// Both read the same, and write at the same time: one of them has to be told.
pub(super) async fn openings_lose_no_update_of_each_other(factory: &dyn StoreFactory) {
    const ROUNDS: u64 = 60;
    let one = Probe::fresh(factory).await;
    let other = beside(factory).await;
    let counter = |value: u64| record(Kind::Node, id(1), json!({ "value": value }));
    one.put(counter(0)).await;
    for round in 1..=ROUNDS {
        let mut writes = Vec::new();
        for probe in [&one, &other] {
            let read = probe.get(Kind::Node, id(1)).await;
            let Some(read) = read.filter(|read| body(read)["value"] == round - 1) else {
                panic!("an opening does not see round {}", round - 1);
            };
            let ops = vec![put_if(counter(round), Expect::Revision(read.revision))];
            writes.push(probe.store.commit(Batch { fence: None, ops }));
        }
        let answers = futures::future::join_all(writes).await;
        let refused: Vec<_> = answers.iter().filter_map(|a| a.as_ref().err()).collect();
        let expected = conflict(Kind::Node, id(1));
        assert_eq!(refused, [&expected], "one of two writes in round {round}");
    }
}

/// The first opening is never closed, as that of a process that was killed.
pub(super) async fn an_opening_sees_what_another_has_not_closed(factory: &dyn StoreFactory) {
    let one = Probe::fresh(factory).await;
    one.put(keyed(0, &[("name", "0")])).await;
    for n in 1..20 {
        let highest = one.put(keyed(n, &[("name", &n.to_string())])).await;
        let other = beside(factory).await;
        let nodes = other.ids(&Query::all(Kind::Node)).await;
        assert_eq!(nodes.last(), Some(&id(n)), "the last commit is there");
        assert_eq!(nodes.len() as u128, n + 1);
        let error = other.refusal(vec![put(keyed(99, &[("name", "0")]))]).await;
        assert_eq!(error, duplicate(Kind::Node, "name", "0"));
        let next = other.put(record(Kind::History, id(1), json!({}))).await;
        assert!(next > highest, "{next:?} comes after {highest:?}");
    }
}
