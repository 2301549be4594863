//! Every flow, killed everywhere: run once to count its commits and effects, then again and again
//! with its conductor dying at each of them, and gone on with by the same conductor, started
//! anew, or by another.
mod cases;
mod contracts;
mod harness;
mod modes;

use cases::Case;
use harness::{Death, Heir, killed};

/// One test for each flow: every commit, every death, every heir.
macro_rules! each_flow {
    ($($test:ident: $case:ident;)+) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $test() {
                everywhere(Case::$case()).await;
            }
        )+

        #[test]
        fn every_flow_has_its_test() {
            let tested = [$(stringify!($case)),+];
            assert_eq!(tested.len(), Case::all().len());
        }
    };
}

each_flow! {
    verification: verify;
    inspection: inspect;
    automated_cleaning: provide;
    manual_cleaning: clean;
    deployment: deploy;
    rebuilding: rebuild;
    tear_down: undeploy;
    rescue: rescue;
    unrescue: unrescue;
    servicing: service;
    adoption: adopt;
    power: reboot;
}

async fn everywhere(case: Case) {
    let whole = harness::whole(&case, &[]).await;
    let mut resumed = 0;
    let mut points = 0;
    for death in [Death::AfterCommit, Death::BeforeCommit] {
        for heir in [Heir::Same, Heir::Other] {
            for at in 0..=whole.commits {
                points += 1;
                resumed += u64::from(killed(&case, &[], death, at, heir, &whole).await);
            }
        }
    }
    for (nth, call) in whole.effects.iter().enumerate() {
        for heir in [Heir::Same, Heir::Other] {
            points += 1;
            let at = u64::try_from(nth).unwrap();
            let hung = harness::hang(&whole, at);
            let what = format!("in the middle of {call}");
            println!("{}: {what}", case.name);
            resumed += u64::from(killed(&case, &[hung], Death::InEffect, at, heir, &whole).await);
        }
    }
    println!(
        "{}: {} commits, {} effects, {points} deaths, {resumed} of them in the flow",
        case.name,
        whole.commits,
        whole.effects.len()
    );
    assert!(
        resumed >= case.least_resumed,
        "only {resumed} of {points} hit the flow"
    );
}
