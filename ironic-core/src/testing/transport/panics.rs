use std::sync::Arc;

use super::TransportFactory;
use super::bench::{Bench, Gate, Log, echo, ended, expect_own, request};
use super::samples::SECRET;
use crate::ErrorKind;

/// A conductor with a defect, which shows in every call whose name begins so.
async fn start_defective(bench: &Bench, gate: &Gate) -> Arc<Log> {
    let gate = gate.clone();
    bench
        .start("a", move |request| {
            let gate = gate.clone();
            async move {
                let id = &request.context.request_id;
                if id.starts_with("late defect") {
                    tokio::task::yield_now().await;
                }
                assert!(!id.contains("defect"), "a defect, with {SECRET}");
                if id.starts_with("held") {
                    gate.pass().await;
                }
                Ok(echo(&request))
            }
        })
        .await
}

pub(super) async fn a_panic_is_an_error(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let log = start_defective(&bench, &Gate::closed()).await;
    for id in ["defect", "late defect"] {
        // On a task of its own, so that a panic that comes through shows as what it is.
        let error = match ended(bench.spawn("a", request(id))).await {
            Err(error) => error,
            Ok(response) => panic!("{id}: {response:?}"),
        };
        let kind = error.kind();
        assert!(
            matches!(
                kind,
                ErrorKind::Internal | ErrorKind::Unreachable | ErrorKind::Timeout
            ),
            "{kind}: {error}"
        );
        assert!(!error.to_string().contains(SECRET), "{error}");
    }
    assert_eq!(log.deliveries().len(), 2);
    assert_eq!(log.len(), 2, "what panicked once is not tried again");
}

pub(super) async fn a_panic_leaves_other_calls_alone(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let gate = Gate::closed();
    let log = start_defective(&bench, &gate).await;
    let held: Vec<_> = (0..5)
        .map(|n| (n, bench.spawn("a", request(&format!("held {n}")))))
        .collect();
    log.reaches(5).await;
    for n in 0..5 {
        let id = format!("late defect {n}");
        assert!(ended(bench.spawn("a", request(&id))).await.is_err());
        bench.expect_own("a", &format!("after {n}")).await;
    }
    gate.open();
    for (n, call) in held {
        expect_own(&ended(call).await, &format!("held {n}"));
    }
}
