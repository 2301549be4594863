use std::collections::BTreeMap;
use std::time::Duration;

use super::TransportFactory;
use super::bench::{Bench, Gate, echo, ended, expect_own, id_of, request};
use super::samples;
use crate::testing::polls::at_most_polls;
use crate::{Error, ErrorKind};

fn expect_once(deliveries: &BTreeMap<String, usize>) {
    for (id, count) in deliveries {
        assert_eq!(*count, 1, "deliveries of {id}");
    }
}

pub(super) async fn each_call_is_delivered_once(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = bench.start_echo("a").await;
    for n in 0..200 {
        bench.expect_own("a", &format!("call {n}")).await;
    }
    assert_eq!(log.deliveries().len(), 200);
    expect_once(&log.deliveries());
}

pub(super) async fn equal_calls_are_all_delivered(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = bench.start_echo("a").await;
    for _ in 0..5 {
        bench.expect_own("a", "the same").await;
    }
    assert_eq!(log.len(), 5, "two equal requests are two requests");
}

pub(super) async fn a_refusal_is_not_tried_again(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = bench
        .start("a", |request| async move {
            let name = &request.context.request_id;
            let kind = name.parse().unwrap_or(ErrorKind::Internal);
            Err(Error::Remote(samples::from_afar(kind)))
        })
        .await;
    for kind in ErrorKind::ALL.iter().copied() {
        let answer = bench.call("a", request(kind.as_str())).await;
        assert_eq!(answer.err().map(|error| error.kind()), Some(kind));
    }
    assert_eq!(log.deliveries().len(), ErrorKind::ALL.len());
    expect_once(&log.deliveries());
}

pub(super) async fn a_slow_answer_is_not_asked_for_again(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = bench
        .start("a", |request| async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(echo(&request))
        })
        .await;
    bench.expect_own("a", "slow").await;
    assert_eq!(log.len(), 1, "a slow answer is none that got lost");
}

/// More polls than any call takes.
const POLLS: usize = 200;

pub(super) async fn a_call_dropped_at_any_poll_is_not_repeated(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = bench
        .start("a", |request| async move {
            tokio::task::yield_now().await;
            Ok(echo(&request))
        })
        .await;
    for polls in 1..=POLLS {
        let id = format!("dropped at {polls}");
        let call = bench.call("a", request(&id));
        if let Some(answer) = at_most_polls(call, polls).await {
            expect_own(&answer, &id);
            // How often a call is polled is a matter of chance where it goes over a wire.
            if polls > 20 {
                break;
            }
        }
        bench.expect_own("a", &format!("after {polls}")).await;
    }
    // Whatever was on its way when its caller left has arrived before this.
    bench.expect_own("a", "the last").await;
    expect_once(&log.deliveries());
}

pub(super) async fn a_dropped_call_leaves_no_answer_behind(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let gate = Gate::closed();
    let held = gate.clone();
    // What nobody waits for any longer is answered last, so that whoever answers in turn
    // gives a kept call's answer to a dropped one, whatever the scheduler does.
    let log = bench
        .start("a", move |request| {
            let gate = held.clone();
            async move {
                if id_of(&request).starts_with("dropped") {
                    gate.pass().await;
                }
                Ok(echo(&request))
            }
        })
        .await;
    let dropped: Vec<_> = (0..10)
        .map(|n| bench.spawn("a", request(&format!("dropped {n}"))))
        .collect();
    log.reaches(10).await;
    for call in dropped {
        call.abort();
    }
    let kept: Vec<_> = (0..10)
        .map(|n| (n, bench.spawn("a", request(&format!("kept {n}")))))
        .collect();
    log.reaches(20).await;
    for (n, call) in kept {
        expect_own(&ended(call).await, &format!("kept {n}"));
    }
    gate.open();
    expect_once(&log.deliveries());
}

pub(super) async fn a_call_is_delivered_before_it_is_answered(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let gate = Gate::closed();
    let log = bench.start_held("a", &gate).await;
    let call = bench.spawn("a", request("held"));
    log.reaches(1).await;
    // Time enough for a transport that answers for itself.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!call.is_finished(), "nobody but the conductor may answer");
    gate.open();
    expect_own(&ended(call).await, "held");
}
