use super::TransportFactory;
use super::bench::{Bench, Gate, ended, expect_own, request};
use crate::ErrorKind;

pub(super) async fn a_conductor_that_has_gone_is_unreachable(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = bench.start_echo("a").await;
    bench.expect_own("a", "before").await;
    bench.take_away("a").await;
    for _ in 0..3 {
        bench.expect_unreachable("a").await;
    }
    assert_eq!(log.len(), 1, "what has gone gets nothing");
    // It may be said that somebody has gone who never was there.
    bench.take_away("a").await;
    bench.take_away("nobody").await;
    bench.expect_unreachable("a").await;
}

pub(super) async fn a_conductor_that_goes_in_mid_call_ends_the_call(
    factory: &dyn TransportFactory,
) {
    let bench = Bench::new(factory).await;
    let log = bench.start_held("a", &Gate::closed()).await;
    let calls: Vec<_> = (0..5)
        .map(|n| bench.spawn("a", request(&format!("call {n}"))))
        .collect();
    log.reaches(5).await;
    bench.take_away("a").await;
    for call in calls {
        let error = match ended(call).await {
            Err(error) => error,
            other => panic!("the conductor went without an answer, yet: {other:?}"),
        };
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::Unreachable | ErrorKind::Timeout),
            "whether it was done is open, so not {kind}: {error}"
        );
    }
}

pub(super) async fn nothing_is_repeated_when_it_comes_back(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let before = bench.start_held("a", &Gate::closed()).await;
    let calls: Vec<_> = (0..5)
        .map(|n| bench.spawn("a", request(&format!("call {n}"))))
        .collect();
    before.reaches(5).await;
    bench.take_away("a").await;
    let after = bench.start_echo("a").await;
    for call in calls {
        assert!(ended(call).await.is_err(), "nobody answered");
    }
    bench.expect_own("a", "new").await;
    let arrived = after.deliveries();
    let arrived: Vec<_> = arrived.keys().map(String::as_str).collect();
    assert_eq!(arrived, ["new"], "what was asked before the crash is over");
}

pub(super) async fn a_restarted_conductor_is_found(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    for life in 0..5 {
        let log = bench.start_echo("a").await;
        bench.expect_own("a", &format!("life {life}")).await;
        assert_eq!(log.len(), 1, "life {life}");
        bench.take_away("a").await;
        bench.expect_unreachable("a").await;
    }
}

pub(super) async fn a_successor_gets_what_comes_later(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let first = bench.start_echo("a").await;
    bench.expect_own("a", "early").await;
    let second = bench.start_echo("a").await;
    bench.expect_own("a", "late").await;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert!(second.deliveries().contains_key("late"));
}

pub(super) async fn a_newcomer_is_found(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let _a = bench.start_echo("a").await;
    bench.expect_own("a", "first").await;
    bench.expect_unreachable("b").await;
    let b = bench.start_echo("b").await;
    bench.expect_own("b", "second").await;
    assert_eq!(b.len(), 1);
}

pub(super) async fn the_others_stay(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let gate = Gate::closed();
    let a = bench.start_held("a", &Gate::closed()).await;
    let b = bench.start_held("b", &gate).await;
    let lost = bench.spawn("a", request("lost"));
    let kept = bench.spawn("b", request("kept"));
    a.reaches(1).await;
    b.reaches(1).await;
    bench.take_away("a").await;
    assert!(ended(lost).await.is_err(), "a has gone");
    gate.open();
    expect_own(&ended(kept).await, "kept");
    bench.expect_own("b", "later").await;
}
