//! What a host's store is made of: records as bytes, batches judged, queries answered in memory.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing test panics"
)]

use ironic_core::Uuid;
use ironic_core::store::{
    Batch, Expect, Filter, Kind, Op, Query, Record, Revision, StoreError, UniqueKey,
};
use serde_json::value::RawValue;

fn record(n: u128, created: u64, body: &str) -> Record {
    Record {
        kind: Kind::Node,
        id: Uuid::from_u128(n),
        created: Revision(created),
        revision: Revision(created + 1),
        schema: 3,
        keys: vec![UniqueKey::new("name", n)],
        body: RawValue::from_string(body.to_owned()).unwrap().into(),
    }
}

fn ids(records: &[Record]) -> Vec<u128> {
    records.iter().map(|record| record.id.as_u128()).collect()
}

#[test]
fn records_may_come_in_any_order() {
    let records = [
        record(1, 30, r#"{"rank":1}"#),
        record(4, 10, r#"{"rank":2}"#),
        record(2, 20, r#"{"rank":1}"#),
        record(3, 10, r#"{"rank":2}"#),
    ];
    let all = Query::all(Kind::Node);
    for (query, order) in [
        (all.clone(), vec![3, 4, 2, 1]),
        (all.clone().after(Uuid::from_u128(4)), vec![2, 1]),
        (all.clone().sort_by("rank", false), vec![2, 1, 3, 4]),
        (all.sort_by("rank", true).limit(3), vec![3, 4, 2]),
    ] {
        let mut records = records.to_vec();
        for _ in 0..records.len() {
            records.rotate_left(1);
            let selected = query.select(records.clone()).unwrap();
            assert_eq!(ids(&selected), order, "{query:?}");
        }
    }
}

#[test]
fn a_filter_tells_whether_a_body_matches() {
    let filter = Filter::text("name", "a");
    for (body, matches) in [(r#"{"name":"a"}"#, true), (r#"{"name":"b"}"#, false)] {
        let record = record(1, 1, body);
        assert_eq!(filter.matches(&record.body).unwrap(), matches, "{body}");
    }
}

#[test]
fn a_body_that_is_no_object_is_corrupt() {
    let records = vec![record(7, 1, r#"["name"]"#)];
    let id = Uuid::from_u128(7);
    let filtered = Query::all(Kind::Node).filter(Filter::text("name", "a"));
    let sorted = Query::all(Kind::Node).sort_by("name", false);
    for query in [filtered, sorted] {
        let error = query.select(records.clone()).unwrap_err();
        let StoreError::Corrupt {
            kind: Kind::Node,
            id: named,
            message,
        } = error
        else {
            unreachable!("it is corrupt: {error}")
        };
        assert_eq!(named, id);
        assert!(message.contains("expected a JSON object"), "{message}");
    }
}

#[test]
fn a_record_comes_back_from_its_bytes() {
    let sent = record(5, 8, r#"{"n":18446744073709551615,"x":1.0,"t":"\u0000é"}"#);
    let bytes = sent.encode().unwrap();
    let got = Record::decode(sent.kind, sent.id, &bytes).unwrap();
    assert_eq!(format!("{got:?}"), format!("{sent:?}"));
    // Cut off anywhere it is no record, and says of which.
    for end in 0..bytes.len() {
        let error = Record::decode(sent.kind, sent.id, &bytes[..end]).unwrap_err();
        assert!(
            matches!(error, StoreError::Corrupt { kind, id, .. } if (kind, id) == (sent.kind, sent.id)),
            "{error}"
        );
    }
}

#[test]
fn what_judging_cannot_look_up_is_what_it_fails_with() {
    let down = || StoreError::Unavailable {
        message: "the disk is gone".to_owned(),
    };
    let put = Op::Put {
        record: record(1, 1, "{}"),
        expect: Expect::Any,
    };
    let batch = Batch {
        fence: None,
        ops: vec![put],
    };
    let none = |_, _| Ok::<Option<Record>, StoreError>(None);
    let judged = batch.judge(
        |_, _| Err::<Option<Record>, _>(down()),
        |_, _: &UniqueKey| Ok(None),
    );
    assert_eq!(judged.unwrap_err(), down());
    let judged = batch.judge(none, |_, _: &UniqueKey| Err(down()));
    assert_eq!(judged.unwrap_err(), down());
    let judged = batch.judge(none, |_, _: &UniqueKey| Ok(None)).unwrap();
    assert!(judged.iter().all(Option::is_none), "nothing was there");
}

#[test]
fn an_error_says_what_to_do_about_it() {
    let id = Uuid::from_u128(1);
    let kind = Kind::Node;
    let key = UniqueKey::new("name", "r1");
    let message = "it is gone".to_owned();
    for (error, retryable, text) in [
        (
            StoreError::Unavailable { message },
            true,
            "the store is not available: it is gone",
        ),
        (
            StoreError::Duplicate { kind, key },
            false,
            "another node has the name r1",
        ),
        (
            StoreError::Conflict { kind, id },
            false,
            "node 00000000-0000-0000-0000-000000000001 is not at the expected revision",
        ),
        (
            StoreError::Fenced { node: id, epoch: 4 },
            false,
            "the lock of node 00000000-0000-0000-0000-000000000001 is no longer held at epoch 4",
        ),
    ] {
        assert_eq!(error.is_retryable(), retryable, "{error}");
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_record_is_shown_without_its_secrets() {
    let body = r#"{"driver_info":{"ipmi_address":"192.0.2.1","ipmi_password":"pa55"}}"#;
    let put = Op::Put {
        record: record(1, 1, body),
        expect: Expect::Any,
    };
    let shown = format!("{put:?}");
    assert!(shown.contains("192.0.2.1"), "{shown}");
    assert!(shown.contains("***") && !shown.contains("pa55"), "{shown}");
    let unreadable = format!("{:?}", record(1, 1, r#"["pa55"]"#));
    assert!(!unreadable.contains("pa55"), "{unreadable}");
}
