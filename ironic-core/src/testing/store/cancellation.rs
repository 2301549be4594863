use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use serde_json::json;

use super::StoreFactory;
use super::probe::{Probe, delete, id, keyed, put, record};
use crate::store::{Batch, Filter, Kind, Op, Query, UniqueKey};
use crate::testing::polls::at_most_polls;

/// A batch that writes two records and a key.
fn of_round(round: u128) -> Vec<Op> {
    vec![
        put(keyed(round, &[("name", &round.to_string())])),
        put(record(Kind::Port, id(round), json!({}))),
    ]
}

/// Fails unless the store goes on, and a batch that was dropped is there as a whole or not at all.
async fn is_whole(probe: &Probe, round: u128) {
    // Once a later commit is through, the dropped one is decided.
    probe.put(record(Kind::History, id(1), json!({}))).await;
    let node = probe.get(Kind::Node, id(round)).await.is_some();
    let port = probe.get(Kind::Port, id(round)).await.is_some();
    let found = probe.find(Kind::Node, "name", &round.to_string()).await;
    assert_eq!(node, port, "half of a dropped batch is there");
    assert_eq!(node, found.is_some(), "half of a dropped batch is there");
}

pub(super) async fn a_dropped_call_is_whole(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for round in 1..60 {
        let batch = Batch {
            fence: None,
            ops: of_round(round),
        };
        drop_after(probe.store.commit(batch), round % 12).await;
        drop_after(probe.store.get(Kind::Node, id(round)), round % 5).await;
        let query = Query::all(Kind::Node).sort_by("name", true);
        drop_after(probe.store.list(&query), round % 7).await;
        is_whole(&probe, round).await;
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

/// When a call is dropped that has been polled so many times.
#[derive(Debug, Clone, Copy)]
enum Drop {
    /// At once, while what it waits for goes on.
    Waiting,
    /// When it has been woken and would go on itself.
    Woken,
}

/// Drops a call at its n-th poll; `true` if it ended before that.
async fn drop_at<T>(call: impl Future<Output = T>, polls: usize, when: Drop) -> bool {
    match when {
        Drop::Waiting => at_most_polls(call, polls).await.is_some(),
        Drop::Woken => {
            let mut call = pin!(call);
            let mut left = polls;
            poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(false);
                }
                left -= 1;
                call.as_mut().poll(cx).map(|_| true)
            })
            .await
        }
    }
}

/// Every call is dropped at its first poll, its second and so on until it ends before that.
pub(super) async fn a_call_can_be_dropped_at_each_poll(factory: &dyn StoreFactory) {
    const ENOUGH: usize = 200;
    let probe = Probe::fresh(factory).await;
    let store = &*probe.store;
    let mut round = 0;
    for when in [Drop::Waiting, Drop::Woken] {
        let mut ended = false;
        for polls in 0..ENOUGH {
            round += 1;
            let batch = |ops| Batch { fence: None, ops };
            ended = drop_at(store.commit(batch(of_round(round))), polls, when).await;
            is_whole(&probe, round).await;
            // The same of a batch that takes away: both are there, or neither is.
            probe.commit(of_round(round)).await;
            let gone = [Kind::Node, Kind::Port].map(|kind| delete(kind, id(round)));
            ended &= drop_at(store.commit(batch(gone.to_vec())), polls, when).await;
            is_whole(&probe, round).await;
            ended &= drop_reads(&probe, polls, when).await;
            if ended {
                break;
            }
        }
        assert!(ended, "a call has not ended after {ENOUGH} polls");
    }
}

async fn drop_reads(probe: &Probe, polls: usize, when: Drop) -> bool {
    let store = &*probe.store;
    let (one, name) = (id(1), UniqueKey::new("name", 1));
    let sorted = Query::all(Kind::Port).sort_by("name", true);
    let paged = Query::all(Kind::History).after(one).limit(2);
    let named = Filter::text("name", "keyed");
    drop_at(store.get(Kind::Node, one), polls, when).await
        & drop_at(store.find(Kind::Node, &name), polls, when).await
        & drop_at(store.list(&sorted), polls, when).await
        & drop_at(store.list(&paged), polls, when).await
        & drop_at(store.count(Kind::Node, &named), polls, when).await
}
