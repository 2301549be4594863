use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use uuid::Uuid;

use super::TransportFactory;
use super::bench::{Bench, request, written};
use super::samples;
use crate::model::Node;
use crate::runtime::Timestamp;
use crate::transport::{Call, ProvisionArgs, Request, RequestContext, Response};
use crate::{Error, Verb};

/// Sends requests and fails unless each arrives just so.
async fn expect_arrivals(factory: &dyn TransportFactory, requests: Vec<Request>) {
    let bench = Bench::new(factory).await;
    let log = bench.start("a", |_| async { Ok(Response::Done) }).await;
    let sent: Vec<_> = requests.iter().map(written).collect();
    for request in requests {
        let what = written(&request);
        let answer = bench.call("a", request).await;
        assert!(matches!(answer, Ok(Response::Done)), "{what}: {answer:?}");
    }
    let arrived = log.written();
    assert_eq!(arrived.len(), sent.len(), "so many should arrive");
    for (arrived, sent) in arrived.iter().zip(&sent) {
        assert_eq!(arrived, sent, "what arrives should be what was sent");
    }
}

/// Answers with responses and fails unless each comes back just so.
async fn expect_responses(factory: &dyn TransportFactory, responses: Vec<Response>) {
    let bench = Bench::new(factory).await;
    let given = Arc::new(Mutex::new(responses.clone().into_iter()));
    let _log = bench
        .start("a", move |_| {
            let next = given.lock().unwrap_or_else(PoisonError::into_inner).next();
            async move { next.ok_or_else(|| Error::internal("nothing is left to answer")) }
        })
        .await;
    for response in responses {
        let answer = bench.call("a", request("a response")).await;
        let answer = answer.unwrap_or_else(|error| panic!("{response:?}: {error}"));
        assert_eq!(
            written(&answer),
            written(&response),
            "what comes back should be what was given"
        );
    }
}

pub(super) async fn every_call_arrives_as_it_was_sent(factory: &dyn TransportFactory) {
    let calls = samples::calls().into_iter();
    let requests = calls.map(|call| Request::new(RequestContext::default(), call));
    expect_arrivals(factory, requests.collect()).await;
}

pub(super) async fn every_response_comes_back_as_it_was_given(factory: &dyn TransportFactory) {
    expect_responses(factory, samples::responses()).await;
}

pub(super) async fn every_word_of_a_call_arrives(factory: &dyn TransportFactory) {
    let requests = samples::words().into_iter();
    let requests = requests.map(|call| Request::new(RequestContext::default(), call));
    expect_arrivals(factory, requests.collect()).await;
}

pub(super) async fn the_context_arrives(factory: &dyn TransportFactory) {
    let contexts = [
        RequestContext::default(),
        RequestContext {
            request_id: "req-5f0a".to_owned(),
            user: Some("operator".to_owned()),
            project: Some("baremetal".to_owned()),
            roles: vec!["admin".to_owned(), "member".to_owned()],
            deadline: Some(Timestamp::from_micros(1_700_000_000_123_456)),
        },
        RequestContext {
            request_id: "\u{1f5a5} \"quoted\"\n".to_owned(),
            user: Some(String::new()),
            project: None,
            roles: vec![String::new()],
            // Long past: whether anybody still waits is for the conductor to judge.
            deadline: Some(Timestamp::EPOCH),
        },
    ];
    let node = Uuid::from_u128(7);
    let requests = contexts.map(|context| Request::new(context, Call::Validate { node }));
    expect_arrivals(factory, requests.to_vec()).await;
}

pub(super) async fn another_version_arrives(factory: &dyn TransportFactory) {
    let versions = [0, Request::VERSION + 1, u16::MAX];
    let requests = versions.map(|version| Request {
        version,
        ..request("of another release")
    });
    expect_arrivals(factory, requests.to_vec()).await;
}

/// Values that careless encodings change.
fn odd_values() -> Value {
    let deep = (0..100).fold(json!("deep"), |inner, _| json!([inner]));
    json!({
        "": "no name", "nul": "\0", "quotes": "\"'\\/`", "controls": "\u{1}\t\r\n\u{7f}\u{2028}",
        "unicode": "é e\u{301} ß \u{1f5a5} \u{10ffff} \u{feff}", "null": null, "no": false,
        "empty": [{}, [], ""], "min": i64::MIN, "max": u64::MAX, "exact": 9_007_199_254_740_993_u64,
        "whole": 1.0, "tenth": 0.1, "tiny": 5e-324, "huge": 1.797_693_134_862_315_7e308,
        "third": 0.333_333_333_333_333_3, "minus": -0.5, "deep": deep,
        "$ref": "#/", "__proto__": {"a": 1}, "call": "destroy_node", "text of a number": "1",
    })
}

fn odd_node() -> Box<Node> {
    let mut node = Node::new(Uuid::from_u128(7), "fake-hardware");
    if let Value::Object(odd) = odd_values() {
        node.extra = odd;
    }
    Box::new(node)
}

pub(super) async fn odd_values_arrive(factory: &dyn TransportFactory) {
    let call = Call::CreateNode { node: odd_node() };
    let request = Request::new(RequestContext::default(), call);
    expect_arrivals(factory, vec![request]).await;
    let response = Response::Node { node: odd_node() };
    expect_responses(factory, vec![response]).await;
}

/// A config drive of several MiB, as a deployment carries it.
const LARGE: usize = 4 << 20;

fn large_request(id: &str) -> Request {
    // Not one letter over and over, lest compression makes it small.
    let text: String = (0..LARGE as u64)
        .map(|n| char::from(b'A' + u8::try_from((n * n * 7 + n / 3) % 26).unwrap_or(0)))
        .collect();
    Request {
        call: Call::Provision {
            node: Uuid::from_u128(7),
            verb: Verb::Deploy,
            args: ProvisionArgs::default().with_configdrive(json!(text)),
        },
        ..request(id)
    }
}

fn large_response() -> Response {
    let mut node = Node::new(Uuid::from_u128(7), "fake-hardware");
    for n in 0..1000 {
        let text = format!("{n} ").repeat(LARGE / 5000);
        node.extra.insert(format!("key-{n}"), json!(text));
    }
    let node = Box::new(node);
    Response::Node { node }
}

pub(super) async fn large_requests_arrive(factory: &dyn TransportFactory) {
    expect_arrivals(factory, vec![large_request("large"), request("small")]).await;
}

pub(super) async fn large_answers_come_back(factory: &dyn TransportFactory) {
    expect_responses(factory, vec![large_response(), Response::Done]).await;
}

pub(super) async fn large_ones_go_both_ways_at_once(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = bench.start("a", |_| async { Ok(large_response()) }).await;
    let expected = written(&large_response());
    let calls: Vec<_> = (0..4)
        .map(|n| bench.spawn("a", large_request(&format!("large-{n}"))))
        .collect();
    for call in calls {
        match call.await {
            Ok(Ok(response)) => assert!(written(&response) == expected, "another answer"),
            other => panic!("a large call should be answered: {other:?}"),
        }
    }
    assert_eq!(log.len(), 4);
}
