use super::TransportFactory;
use super::bench::{Bench, ended, request};

pub(super) async fn an_unknown_conductor_is_unreachable(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    bench.expect_unreachable("nobody").await;
    let log = bench.start_echo("cond-a").await;
    for name in [
        "nobody", "cond-b", "cond-", "cond-aa", "Cond-a", "cond-a ", "*", "",
    ] {
        bench.expect_unreachable(name).await;
    }
    assert_eq!(log.len(), 0, "what is for nobody is for no other");
    bench.expect_own("cond-a", "after all").await;
}

pub(super) async fn names_are_exact(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let (long, longer) = ("a".repeat(255), "a".repeat(256));
    let names = [
        "a",
        "A",
        "a ",
        " a",
        "",
        "*",
        "#",
        "a.b",
        "a/b",
        "a%2fb",
        "a%2Fb",
        "a_b",
        "a-b",
        "a:1",
        "[::1]:80",
        "é",
        "e\u{301}",
        "É",
        "ß",
        "ss",
        "日本",
        "\u{1f5a5}",
        "a\0",
        "a\nb",
        "null",
        "../a",
        &long,
        &longer,
    ];
    let mut logs = Vec::new();
    for name in names {
        logs.push((name, bench.start_echo(name).await));
    }
    for (n, name) in names.into_iter().enumerate() {
        bench.expect_own(name, &format!("request {n}")).await;
    }
    for (n, (name, log)) in logs.iter().enumerate() {
        let deliveries = log.deliveries();
        let arrived: Vec<_> = deliveries.keys().map(String::as_str).collect();
        assert_eq!(arrived, [format!("request {n}")], "what {name:?} got");
    }
}

pub(super) async fn each_conductor_gets_its_own(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let mut logs = Vec::new();
    for name in ["a", "b", "c"] {
        logs.push((name, bench.start_echo(name).await));
    }
    let mut calls = Vec::new();
    for n in 0..60 {
        for (name, _) in &logs {
            calls.push(bench.spawn(name, request(&format!("{name} {n}"))));
        }
    }
    for call in calls {
        assert!(ended(call).await.is_ok(), "every call is answered");
    }
    for (name, log) in logs {
        assert_eq!(log.len(), 60, "{name}");
        for id in log.deliveries().keys() {
            assert!(id.starts_with(name), "{name} got {id}");
        }
    }
}
