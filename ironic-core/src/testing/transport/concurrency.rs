use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::TransportFactory;
use super::bench::{Bench, Gate, echo, ended, expect_own, request};

const CALLS: usize = 100;

pub(super) async fn a_hundred_calls_at_once(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let gate = Gate::closed();
    let log = bench.start_held("a", &gate).await;
    let calls: Vec<_> = (0..CALLS)
        .map(|n| (n, bench.spawn("a", request(&format!("call {n}")))))
        .collect();
    // None is answered before all have arrived.
    log.reaches(CALLS).await;
    gate.open();
    for (n, call) in calls {
        expect_own(&ended(call).await, &format!("call {n}"));
    }
    assert_eq!(log.deliveries().len(), CALLS);
}

pub(super) async fn answers_in_any_order_find_their_callers(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let turn = Arc::new(watch::Sender::new(CALLS));
    let arrived = Arc::new(AtomicUsize::new(0));
    let answers = Arc::clone(&turn);
    let log = bench
        .start("a", move |request| {
            let turn = Arc::clone(&answers);
            // Who comes first is answered last.
            let place = arrived.fetch_add(1, Ordering::SeqCst);
            async move {
                let mut waiting = turn.subscribe();
                let _ = waiting.wait_for(|turn| *turn == place).await;
                turn.send_modify(|turn| *turn = turn.wrapping_sub(1));
                Ok(echo(&request))
            }
        })
        .await;
    let calls: Vec<_> = (0..CALLS)
        .map(|n| (n, bench.spawn("a", request(&format!("call {n}")))))
        .collect();
    log.reaches(CALLS).await;
    turn.send_replace(CALLS - 1);
    for (n, call) in calls {
        expect_own(&ended(call).await, &format!("call {n}"));
    }
}

/// Conductor `a` holds the call `held` and answers every other.
async fn start_picky(bench: &Bench, gate: &Gate) -> Arc<super::bench::Log> {
    let gate = gate.clone();
    bench
        .start("a", move |request| {
            let gate = gate.clone();
            async move {
                if request.context.request_id == "held" {
                    gate.pass().await;
                }
                Ok(echo(&request))
            }
        })
        .await
}

pub(super) async fn a_slow_call_holds_nobody_up(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let gate = Gate::closed();
    let log = start_picky(&bench, &gate).await;
    let held = bench.spawn("a", request("held"));
    log.reaches(1).await;
    for n in 0..20 {
        bench.expect_own("a", &format!("quick {n}")).await;
    }
    assert!(!held.is_finished());
    gate.open();
    expect_own(&ended(held).await, "held");
}

pub(super) async fn a_slow_conductor_holds_no_other_up(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let gate = Gate::closed();
    let a = bench.start_held("a", &gate).await;
    let b = bench.start_echo("b").await;
    let held: Vec<_> = (0..50)
        .map(|n| bench.spawn("a", request(&format!("held {n}"))))
        .collect();
    a.reaches(50).await;
    for n in 0..20 {
        bench.expect_own("b", &format!("quick {n}")).await;
    }
    assert_eq!(b.len(), 20);
    gate.open();
    for call in held {
        assert!(ended(call).await.is_ok());
    }
}

pub(super) async fn conductors_call_each_other_while_they_answer(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    // Down to a call that it can answer itself, by way of the other and of itself.
    for (name, next) in [("a", "b"), ("b", "b"), ("c", "a")] {
        let transport = Arc::clone(&bench.transport);
        let _log = bench
            .start(name, move |mut request| {
                let transport = Arc::clone(&transport);
                async move {
                    match request.context.roles.pop() {
                        Some(_) => transport.call(next, request).await,
                        None => Ok(echo(&request)),
                    }
                }
            })
            .await;
    }
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let mut request = request(&format!("call {n}"));
            request.context.roles = vec!["hop".to_owned(); 5];
            (n, bench.spawn("c", request))
        })
        .collect();
    for (n, call) in calls {
        expect_own(&ended(call).await, &format!("call {n}"));
    }
}

pub(super) async fn callers_on_many_threads_get_their_own(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let mut logs = Vec::new();
    for name in ["a", "b"] {
        logs.push(bench.start_echo(name).await);
    }
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let transport = Arc::clone(&bench.transport);
            tokio::spawn(async move {
                for n in 0..50 {
                    let (name, id) = (["a", "b"][n % 2], format!("caller {caller} call {n}"));
                    expect_own(&transport.call(name, request(&id)).await, &id);
                }
            })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.is_ok(), "a caller should get its own answers");
    }
    for log in logs {
        assert_eq!(log.deliveries().len(), 200);
        assert_eq!(log.len(), 200);
    }
}
