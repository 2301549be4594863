use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::StoreFactory;
use super::probe::{Probe, body, id, keyed, node, put, put_if, record};
use crate::store::{Batch, Expect, Fence, Filter, Kind, Query, StoreError};

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

pub(super) async fn a_dropped_call_is_whole(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let of_round = |round: u128| {
        vec![
            put(keyed(round, &[("name", &round.to_string())])),
            put(record(Kind::Port, id(round), json!({}))),
        ]
    };
    for round in 1..60 {
        let batch = Batch {
            fence: None,
            ops: of_round(round),
        };
        drop_after(probe.store.commit(batch), round % 12).await;
        drop_after(probe.store.get(Kind::Node, id(round)), round % 5).await;
        let query = Query::all(Kind::Node).sort_by("name", true);
        drop_after(probe.store.list(&query), round % 7).await;
        // The store goes on; once a later commit is through, the dropped one is decided.
        probe.put(record(Kind::History, id(1), json!({}))).await;
        let node = probe.get(Kind::Node, id(round)).await.is_some();
        let port = probe.get(Kind::Port, id(round)).await.is_some();
        let found = probe.find(Kind::Node, "name", &round.to_string()).await;
        assert_eq!(node, port, "half of a dropped batch is there");
        assert_eq!(node, found.is_some(), "half of a dropped batch is there");
        // It can be done over.
        probe.commit(of_round(round)).await;
    }
    assert_eq!(probe.count(Kind::Node, &Filter::All).await, 59);
}

/// Polls a call so many times at most, letting others run in between, and drops it.
async fn drop_after<T>(call: impl Future<Output = T>, polls: u128) {
    let mut call = pin!(call);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
        if polled.is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}
