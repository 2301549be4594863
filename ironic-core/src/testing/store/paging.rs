use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use uuid::Uuid;

use super::StoreFactory;
use super::probe::{Probe, body, delete, id, node, put, record};
use crate::store::{Batch, Filter, Kind, Query, StoreError};

/// 25 nodes whose `rank` has many ties, some of them null, half of them `even`.
async fn some_nodes(factory: &dyn StoreFactory) -> Probe {
    let probe = Probe::fresh(factory).await;
    for n in 0..25_u128 {
        let rank = match n % 5 {
            0 => json!(null),
            1 => json!("text"),
            2 => json!(true),
            rest => json!(rest),
        };
        let body = json!({"name": n.to_string(), "rank": rank, "even": n % 2 == 0});
        probe.put(record(Kind::Node, id(n * 7 % 25), body)).await;
    }
    probe
}

fn queries() -> [Query; 5] {
    let all = || Query::all(Kind::Node);
    [
        all(),
        all().sort_by("rank", false),
        all().sort_by("rank", true),
        all().sort_by("even", true).sort_by("rank", false),
        all()
            .filter(Filter::flag("even", true))
            .sort_by("rank", true),
    ]
}

async fn page_through(probe: &Probe, query: &Query, limit: u32) -> Vec<Uuid> {
    let mut seen = Vec::new();
    loop {
        let mut page = query.clone().limit(limit);
        page.marker = seen.last().copied();
        let ids = probe.ids(&page).await;
        if ids.is_empty() {
            return seen;
        }
        seen.extend(ids);
        assert!(seen.len() <= 25, "the pages of {query:?} repeat themselves");
    }
}

pub(super) async fn pages_join_to_the_whole(factory: &dyn StoreFactory) {
    let probe = some_nodes(factory).await;
    for query in queries() {
        let whole = probe.ids(&query).await;
        for limit in [1, 2, 7, 24, 25, 26] {
            let joined = page_through(&probe, &query, limit).await;
            assert_eq!(joined, whole, "{query:?} by {limit}");
        }
    }
}

pub(super) async fn the_marker_need_not_match(factory: &dyn StoreFactory) {
    let probe = some_nodes(factory).await;
    for query in queries() {
        let mut unfiltered = query.clone();
        unfiltered.filter = Filter::All;
        let order = probe.ids(&unfiltered).await;
        let matching = probe.ids(&query).await;
        for (at, marker) in order.iter().enumerate() {
            let rest = order[at + 1..].iter();
            let expected: Vec<_> = rest.filter(|id| matching.contains(id)).collect();
            let got = probe.ids(&query.clone().after(*marker)).await;
            assert_eq!(got.iter().collect::<Vec<_>>(), expected, "{query:?}");
        }
    }
}

pub(super) async fn an_unknown_marker_is_an_error(factory: &dyn StoreFactory) {
    let probe = some_nodes(factory).await;
    probe.put(record(Kind::Port, id(77), json!({}))).await;
    for unknown in [id(1000), id(77)] {
        for query in queries() {
            let got = probe.store.list(&query.clone().after(unknown)).await;
            let expected = StoreError::NoMarker {
                kind: Kind::Node,
                id: unknown,
            };
            assert_eq!(got.err(), Some(expected), "{query:?}");
        }
    }
    let empty = Query::all(Kind::Flow).after(id(1)).limit(0);
    let got = probe.store.list(&empty).await;
    let expected = StoreError::NoMarker {
        kind: Kind::Flow,
        id: id(1),
    };
    assert_eq!(got.err(), Some(expected), "of a kind without records");
}

pub(super) async fn a_marker_that_is_deleted_between_pages_is_an_error(factory: &dyn StoreFactory) {
    for query in queries() {
        let probe = some_nodes(factory).await;
        let first = probe.ids(&query.clone().limit(4)).await;
        let marker = first[3];
        let Some(gone) = probe.get(Kind::Node, marker).await else {
            panic!("the marker is there");
        };
        probe.commit(vec![delete(Kind::Node, marker)]).await;
        // Going on from a guess would repeat nodes or leave some out, unseen.
        let got = probe.store.list(&query.clone().after(marker)).await;
        let (kind, id) = (Kind::Node, marker);
        assert_eq!(got.err(), Some(StoreError::NoMarker { kind, id }));
        // From the last one that is still there it goes on.
        let whole = probe.ids(&query).await;
        let rest = probe.ids(&query.clone().after(first[2])).await;
        assert_eq!(rest, whole[3..], "{query:?}");
        // Put again it is the newest, whatever it was before.
        probe.put(gone).await;
        let whole = probe.ids(&query).await;
        let at = whole.iter().position(|id| *id == marker);
        let rest = probe.ids(&query.clone().after(marker)).await;
        assert_eq!(at.map(|at| &whole[at + 1..]), Some(&rest[..]), "{query:?}");
    }
}

pub(super) async fn a_marker_that_has_moved_counts_where_it_is(factory: &dyn StoreFactory) {
    let probe = some_nodes(factory).await;
    let query = Query::all(Kind::Node).sort_by("rank", false);
    let before = probe.ids(&query).await;
    let marker = before[2];
    for rank in [json!("zzz"), json!(3.5), json!(null), json!(false)] {
        let body = json!({"name": "moved", "rank": rank});
        probe.put(record(Kind::Node, marker, body)).await;
        let now = probe.ids(&query).await;
        let rest = probe.ids(&query.clone().after(marker)).await;
        let at = now.iter().position(|id| *id == marker);
        assert_eq!(at.map(|at| &now[at + 1..]), Some(&rest[..]), "at {rank}");
    }
}

/// A list that is paged through while others come and go has each that stays once, in order.
pub(super) async fn pages_stay_whole_while_others_write(factory: &dyn StoreFactory) {
    const ROUNDS: u32 = 12;
    let probe = some_nodes(factory).await;
    let stays = |one: &Uuid| *one < id(500);
    let done = Arc::new(AtomicBool::new(false));
    let (shared, ended) = (probe.clone(), done.clone());
    let writing = tokio::spawn(async move {
        let mut n = 0;
        while !ended.load(Ordering::SeqCst) {
            n += 1;
            let rank = json!({"name": "passing", "rank": n % 4, "even": n % 3 == 0});
            let passing = record(Kind::Node, id(500 + n % 40), rank);
            let ops = vec![
                put(passing),
                delete(Kind::Node, id(500 + (n * 7 + 11) % 40)),
            ];
            // Now and then both name the same.
            let batch = Batch { fence: None, ops };
            match shared.store.commit(batch).await {
                Ok(_) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => panic!("a node should come or go: {error}"),
            }
            tokio::task::yield_now().await;
        }
        n
    });
    while probe
        .count(Kind::Node, &Filter::text("name", "passing"))
        .await
        == 0
    {
        tokio::task::yield_now().await;
    }
    for round in 0..ROUNDS {
        for query in queries() {
            let whole = probe.ids(&query).await;
            let expected: Vec<_> = whole.into_iter().filter(stays).collect();
            let mut seen: Vec<Uuid> = Vec::new();
            // Markers that stay, as any other may have gone by the next page.
            loop {
                let mut page = query.clone();
                page.marker = seen.last().copied();
                let ids = probe.ids(&page).await;
                let next = ids.into_iter().filter(stays).take(3 + round as usize);
                let before = seen.len();
                seen.extend(next);
                if seen.len() == before {
                    break;
                }
                assert!(seen.len() <= 25, "{query:?} repeats itself");
                // A store that never waits lets the writer in here.
                tokio::task::yield_now().await;
            }
            assert_eq!(seen, expected, "{query:?}");
        }
    }
    done.store(true, Ordering::SeqCst);
    let writes = writing.await;
    assert!(writes.is_ok_and(|n| n > u128::from(ROUNDS)), "others wrote");
}

pub(super) async fn pages_stay_whole_under_writes(factory: &dyn StoreFactory) {
    let probe = some_nodes(factory).await;
    for query in queries() {
        let before = probe.ids(&query).await;
        let first = probe.ids(&query.clone().limit(8)).await;
        assert_eq!(first, before[..8]);
        // Between two pages somebody adds nodes and removes some, on the page that has been
        // seen as well as behind it; the marker itself stays.
        for n in 500..503 {
            probe.put(node(n, "new")).await;
        }
        let (seen, unseen) = (before[2], before[10]);
        let removed = [seen, unseen].map(|id| delete(Kind::Node, id));
        let old = [
            probe.get(Kind::Node, seen).await,
            probe.get(Kind::Node, unseen).await,
        ];
        probe.commit(removed.to_vec()).await;
        let rest = probe.ids(&query.clone().after(first[7])).await;
        let of_before: Vec<_> = rest.iter().filter(|one| **one < id(500)).collect();
        let expected: Vec<_> = before[8..].iter().filter(|one| **one != unseen).collect();
        assert_eq!(of_before, expected, "{query:?} repeats or leaves out");
        for n in 500..503 {
            probe.commit(vec![delete(Kind::Node, id(n))]).await;
        }
        for record in old.into_iter().flatten() {
            probe.put(record).await;
        }
    }
}

pub(super) async fn limits_are_kept(factory: &dyn StoreFactory) {
    let probe = some_nodes(factory).await;
    for query in queries() {
        let whole = probe.ids(&query).await;
        for limit in [0, 1, 10, 25, 1000, u32::MAX] {
            let got = probe.ids(&query.clone().limit(limit)).await;
            let expected = whole.iter().take(limit as usize);
            assert!(got.iter().eq(expected), "{query:?} up to {limit}: {got:?}");
        }
    }
}

pub(super) async fn asked_fields_are_there(factory: &dyn StoreFactory) {
    let probe = some_nodes(factory).await;
    for fields in [vec![], vec!["name"], vec!["rank", "name", "unknown"]] {
        let names = fields.iter().map(|field| (*field).to_owned());
        let query = Query::all(Kind::Node).fields(names.collect());
        let query = query.sort_by("rank", true);
        let whole = probe
            .list(&Query::all(Kind::Node).sort_by("rank", true))
            .await;
        let some = probe.list(&query).await;
        assert_eq!(some.len(), whole.len());
        for (some, whole) in some.iter().zip(&whole) {
            assert_eq!(some.id, whole.id, "fields change no order");
            assert_eq!(some.revision, whole.revision);
            let (some, whole) = (body(some), body(whole));
            assert!(some.is_object(), "a body is an object");
            for field in &fields {
                assert_eq!(some.get(field), whole.get(field), "the field {field}");
            }
        }
    }
}
