use super::TransportFactory;
use super::bench::{Bench, Gate, ended};
use super::samples::{self, SECRET};
use crate::transport::{Call, Request, RequestContext};

fn requests() -> Vec<Request> {
    let calls = samples::calls().into_iter();
    calls
        .map(|call| Request::new(RequestContext::default(), call))
        .collect()
}

fn expect_no_secret(text: &str) {
    assert!(!text.contains(SECRET), "a secret is shown: {text}");
}

pub(super) async fn a_failed_call_tells_no_secret(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = bench.start_held("a", &Gate::closed()).await;
    let requests = requests();
    let held: Vec<_> = requests
        .iter()
        .map(|request| bench.spawn("a", request.clone()))
        .collect();
    log.reaches(requests.len()).await;
    bench.take_away("a").await;
    for call in held {
        match ended(call).await {
            Err(error) => expect_no_secret(&format!("{error} {error:?}")),
            other => panic!("the conductor has gone, yet: {other:?}"),
        }
    }
    for request in requests {
        match bench.call("a", request).await {
            Err(error) => expect_no_secret(&format!("{error} {error:?}")),
            Ok(response) => panic!("the conductor has gone, yet: {response:?}"),
        }
    }
}

pub(super) async fn requests_and_responses_print_no_secret(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let _log = bench
        .start("a", |request| async move {
            let response = match request.call {
                Call::Lookup { .. } => samples::responses().pop(),
                _ => samples::responses().into_iter().nth(1),
            };
            response.ok_or_else(|| crate::Error::internal("there are no responses"))
        })
        .await;
    for request in requests() {
        expect_no_secret(&format!("{request:?}"));
        match bench.call("a", request).await {
            Ok(response) => expect_no_secret(&format!("{response:?}")),
            Err(error) => panic!("{error}"),
        }
    }
}
