use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::StoreFactory;
use super::probe::{Probe, body, id, keyed, node, put, put_if, record};
use crate::store::{
    Batch, Compare, Expect, Fence, Filter, Kind, Query, Record, Scalar, StoreError,
};

/// Runs `work` for each of so many tasks at once, and gives what they answered.
async fn at_once<T: Send + 'static, W>(
    tasks: u128,
    work: impl Fn(u128) -> W + Clone + Send + 'static,
) -> Vec<T>
where
    W: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(tasks as usize));
    let mut running = JoinSet::new();
    for n in 0..tasks {
        let (start, work) = (start.clone(), work.clone());
        running.spawn(async move {
            start.wait().await;
            work(n).await
        });
    }
    running.join_all().await
}

pub(super) async fn increments_are_never_lost(factory: &dyn StoreFactory) {
    const TASKS: u128 = 8;
    const EACH: u64 = 25;
    let probe = Probe::fresh(factory).await;
    let counter = |value: u64| record(Kind::Node, id(1), json!({ "value": value }));
    probe.put(counter(0)).await;
    let shared = probe.clone();
    at_once(TASKS, move |_| {
        let probe = shared.clone();
        async move {
            let mut done = 0;
            while done < EACH {
                let Some(read) = probe.get(Kind::Node, id(1)).await else {
                    panic!("the counter is gone");
                };
                // Let the others read the same.
                tokio::task::yield_now().await;
                let value = body(&read)["value"].as_u64().unwrap_or(0);
                let ops = vec![put_if(counter(value + 1), Expect::Revision(read.revision))];
                match probe.store.commit(Batch { fence: None, ops }).await {
                    Ok(_) => done += 1,
                    Err(StoreError::Conflict { .. }) => {}
                    Err(error) => panic!("an increment should succeed or conflict: {error}"),
                }
            }
        }
    })
    .await;
    let counted = probe.body(Kind::Node, id(1)).await;
    assert_eq!(
        counted["value"],
        TASKS as u64 * EACH,
        "every increment counts"
    );
}

pub(super) async fn one_of_many_gets_the_key(factory: &dyn StoreFactory) {
    const TASKS: u128 = 8;
    let probe = Probe::fresh(factory).await;
    for round in 0..20 {
        let name = format!("name-{round}");
        let (shared, wanted) = (probe.clone(), name.clone());
        let answers = at_once(TASKS, move |n| {
            let (store, name) = (shared.store.clone(), wanted.clone());
            async move {
                let op = put_if(keyed(round * 100 + n, &[("name", &name)]), Expect::Absent);
                let batch = Batch {
                    fence: None,
                    ops: vec![op],
                };
                store.commit(batch).await
            }
        })
        .await;
        let winners = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(winners, 1, "one gets the name: {answers:?}");
        for error in answers.into_iter().filter_map(Result::err) {
            assert!(matches!(error, StoreError::Duplicate { .. }), "{error}");
        }
        let owner = probe.find(Kind::Node, "name", &name).await;
        let nodes = probe.ids(&Query::all(Kind::Node)).await;
        assert_eq!(nodes.last(), owner.as_ref());
        assert_eq!(nodes.len() as u128, round + 1);
    }
}

pub(super) async fn one_of_many_gets_the_lock(factory: &dyn StoreFactory) {
    const TASKS: u128 = 6;
    const ROUNDS: usize = 10;
    let probe = Probe::fresh(factory).await;
    probe
        .put(record(Kind::Lock, id(1), json!({"epoch": 0})))
        .await;
    probe
        .put(record(Kind::Node, id(1), json!({"writes": 0})))
        .await;
    let shared = probe.clone();
    at_once(TASKS, move |n| {
        let probe = shared.clone();
        async move {
            let mut held = 0;
            while held < ROUNDS {
                held += usize::from(take_write_release(&probe, n).await);
            }
        }
    })
    .await;
    let writes = probe.body(Kind::Node, id(1)).await["writes"].clone();
    let epoch = probe.body(Kind::Lock, id(1)).await["epoch"].clone();
    let expected = TASKS as usize * ROUNDS;
    assert_eq!(
        writes, expected,
        "who holds the lock writes unconditionally"
    );
    assert_eq!(epoch, expected, "the epoch rises at each acquisition");
}

/// Takes the lock if it is free; writes under it without an expectation of the node, since the
/// fence alone has to keep others away; gives it back with the last write.
async fn take_write_release(probe: &Probe, n: u128) -> bool {
    let Some(lock) = probe.get(Kind::Lock, id(1)).await else {
        panic!("the lock is gone");
    };
    let held = body(&lock);
    if held.get("holder").is_some() {
        tokio::task::yield_now().await;
        return false;
    }
    let epoch = held["epoch"].as_u64().unwrap_or(0) + 1;
    let taken = json!({"epoch": epoch, "holder": n.to_string()});
    let ops = vec![put_if(
        record(Kind::Lock, id(1), taken),
        Expect::Revision(lock.revision),
    )];
    match probe.store.commit(Batch { fence: None, ops }).await {
        Ok(_) => {}
        Err(StoreError::Conflict { .. }) => return false,
        Err(error) => panic!("taking a lock should succeed or conflict: {error}"),
    }
    let writes = probe.body(Kind::Node, id(1)).await["writes"].as_u64();
    let writes = json!({"writes": writes.unwrap_or(0) + 1});
    let free = json!({ "epoch": epoch });
    let batch = Batch {
        fence: Some(Fence { node: id(1), epoch }),
        ops: vec![
            put(record(Kind::Node, id(1), writes)),
            put(record(Kind::Lock, id(1), free)),
        ],
    };
    let answer = probe.store.commit(batch).await;
    assert!(
        answer.is_ok(),
        "the holder should not be fenced: {answer:?}"
    );
    true
}

pub(super) async fn readers_see_whole_batches(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let pair = |value: u32| {
        let pair = json!({"name": "pair", "value": value});
        [1, 2].map(|n| put(record(Kind::Node, id(n), pair.clone())))
    };
    probe.commit(pair(0).to_vec()).await;
    let done = Arc::new(AtomicBool::new(false));
    let (shared, ended) = (probe.clone(), done.clone());
    let reads = at_once(4, move |n| {
        let (probe, done) = (shared.clone(), ended.clone());
        async move {
            if n == 0 {
                for value in 1..=150 {
                    probe.commit(pair(value).to_vec()).await;
                }
                done.store(true, Ordering::SeqCst);
                return 0;
            }
            let mut reads = 0;
            while !done.load(Ordering::SeqCst) || reads == 0 {
                let query = match n {
                    1 => Query::all(Kind::Node),
                    2 => Query::all(Kind::Node).sort_by("value", true),
                    _ => Query::all(Kind::Node).filter(Filter::text("name", "pair")),
                };
                let listed = probe.list(&query).await;
                let values: Vec<_> = listed.iter().map(body).collect();
                assert_eq!(values.len(), 2, "{query:?} misses half a batch");
                assert_eq!(values[0], values[1], "{query:?} sees half a batch");
                assert_eq!(listed[0].revision, listed[1].revision, "half a batch");
                reads += 1;
                tokio::task::yield_now().await;
            }
            reads
        }
    })
    .await;
    assert!(reads.iter().filter(|reads| **reads > 0).count() == 3);
}

pub(super) async fn commits_never_share_a_revision(factory: &dyn StoreFactory) {
    const TASKS: u128 = 6;
    const EACH: u128 = 20;
    let probe = Probe::fresh(factory).await;
    let shared = probe.clone();
    let answers = at_once(TASKS, move |n| {
        let probe = shared.clone();
        async move {
            let mut revisions = Vec::new();
            for round in 0..EACH {
                let ops = vec![
                    put(node(n * 1000 + round, "a")),
                    put(record(Kind::Port, id(n), json!({}))),
                ];
                revisions.push(BTreeSet::from_iter(probe.commit(ops).await));
            }
            revisions
        }
    })
    .await;
    for own in &answers {
        let rising = own.windows(2).all(|two| two[0].last() < two[1].first());
        assert!(rising, "one task's commits rise: {own:?}");
    }
    let all: Vec<_> = answers.into_iter().flatten().collect();
    let mut seen = BTreeSet::new();
    for revisions in &all {
        for revision in revisions {
            assert!(seen.insert(*revision), "two commits share {revision:?}");
        }
    }
    assert_eq!(probe.count(Kind::Node, &Filter::All).await, 120);
}

/// Takes the key away from whoever has it: a race of batches that swap, free and take one key.
pub(super) async fn a_key_that_wanders_is_never_with_two(factory: &dyn StoreFactory) {
    const TASKS: u128 = 6;
    const ROUNDS: usize = 30;
    let probe = Probe::fresh(factory).await;
    probe.put(keyed(0, &[("name", "it")])).await;
    for n in 1..TASKS {
        probe.put(keyed(n, &[])).await;
    }
    let shared = probe.clone();
    at_once(TASKS, move |n| {
        let probe = shared.clone();
        async move {
            for round in 0..ROUNDS {
                let owner = probe.find(Kind::Node, "name", "it").await;
                let owner = owner.unwrap_or_else(|| panic!("the key is with nobody"));
                if owner == id(n) {
                    tokio::task::yield_now().await;
                    continue;
                }
                let mut from = keyed(0, &[]);
                from.id = owner;
                // Half of them rely on their expectation, half on the key alone.
                let expect = match probe.get(Kind::Node, owner).await {
                    Some(record) if round % 2 == 0 => Expect::Revision(record.revision),
                    _ => Expect::Any,
                };
                let ops = vec![put(keyed(n, &[("name", "it")])), put_if(from, expect)];
                match probe.store.commit(Batch { fence: None, ops }).await {
                    Ok(_) | Err(StoreError::Conflict { .. } | StoreError::Duplicate { .. }) => {}
                    Err(error) => panic!("a key should be taken or refused: {error}"),
                }
            }
        }
    })
    .await;
    let nodes = probe.list(&Query::all(Kind::Node)).await;
    let owners = nodes.iter().filter(|node| !node.keys.is_empty());
    let owners: Vec<_> = owners.map(|node| node.id).collect();
    let found = probe.find(Kind::Node, "name", "it").await;
    assert_eq!(
        owners,
        Vec::from_iter(found),
        "one has the key, and is found"
    );
}

/// A write is told to another task as soon as it is answered, and that task looks for it.
pub(super) async fn what_begins_after_a_commit_sees_it(factory: &dyn StoreFactory) {
    const ROUNDS: u64 = 100;
    let probe = Probe::fresh(factory).await;
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let (seen, mut next) = tokio::sync::mpsc::channel(1);
    let writer = probe.clone();
    let writing = tokio::spawn(async move {
        for round in 1..=ROUNDS {
            let name = round.to_string();
            let mut node = keyed(1, &[("name", &name)]);
            node.body = record(Kind::Node, id(1), json!({ "round": round })).body;
            let revision = writer.put(node).await;
            // The next write only once this one has been looked for: what is seen is no later one.
            if tell.send((round, revision)).await.is_err() || next.recv().await.is_none() {
                return;
            }
        }
    });
    while let Some((round, revision)) = told.recv().await {
        let later = |seen: Option<&Record>, way: &str| {
            let seen = seen.map(|record| record.revision);
            assert!(
                seen >= Some(revision),
                "{way} misses round {round}: {seen:?}"
            );
        };
        later(probe.get(Kind::Node, id(1)).await.as_ref(), "get");
        later(probe.list(&Query::all(Kind::Node)).await.first(), "list");
        let since = Compare::Ge;
        let since = Filter::Is("round".into(), since, Scalar::Number(round as f64));
        let query = Query::all(Kind::Node).filter(since.clone());
        later(probe.list(&query).await.first(), "a filtered list");
        assert_eq!(probe.count(Kind::Node, &since).await, 1, "round {round}");
        let found = probe.find(Kind::Node, "name", &round.to_string()).await;
        assert_eq!(found, Some(id(1)), "find misses round {round}");
        assert!(seen.send(()).await.is_ok(), "the writer failed");
    }
    assert!(writing.await.is_ok(), "the writer failed");
}
