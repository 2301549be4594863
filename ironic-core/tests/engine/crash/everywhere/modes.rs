//! Machines that fail, panic, are slow or wait, and conductors that die on top of that: whatever
//! becomes of the node, it comes to rest, and nothing that must not be runs twice.

use std::time::Duration;

use ironic_core::Error;
use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};

use super::cases::Case;
use super::harness::{Death, Heir, Whole, survives, whole};

/// What a driver says that panics as it was told to.
const ON_PURPOSE: &str = "on purpose";

/// A way in which an effect is no success at once.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Fails,
    Panics,
    /// Takes longer than the conductor's lease lasts.
    Slow,
    Polls,
    Waits,
}

const MODES: [Mode; 5] = [
    Mode::Fails,
    Mode::Panics,
    Mode::Slow,
    Mode::Polls,
    Mode::Waits,
];

impl Mode {
    fn rule(self, operation: FakeOperation) -> FakeRule {
        match self {
            Self::Fails => {
                let error = Error::driver("fake", "the machine is on fire");
                FakeRule::fails(operation, error).nth(1)
            }
            Self::Panics => FakeRule::panics(operation, ON_PURPOSE).nth(1),
            Self::Slow => FakeRule::takes(operation, Duration::from_secs(100)),
            Self::Polls => {
                let every = Duration::from_secs(3);
                FakeRule::completes(operation, Completion::Polls { times: 2, every })
            }
            Self::Waits => FakeRule::completes(operation, Completion::Heartbeat),
        }
    }
}

/// Every flow, every effect of it in every mode, and its conductor killed after each commit.
async fn in_every_mode(case: Case) {
    // Panics on purpose are many, and each would print where it came from.
    std::panic::set_hook(Box::new(|panic| {
        if !panic.to_string().contains(ON_PURPOSE) {
            println!("{panic}");
        }
    }));
    let undisturbed = whole(&case, &[]).await;
    let (mut deaths, mut begun) = (0, 0);
    for (at, operation) in operations(&undisturbed).into_iter().enumerate() {
        for mode in MODES {
            println!("{}: {operation} {mode:?}", case.name);
            let rule = mode.rule(operation);
            let so = whole(&case, std::slice::from_ref(&rule)).await;
            for commit in 0..=so.commits.min(12) {
                // Every heir and every death has its turn, if not each at each commit.
                let turn = commit + u64::try_from(at).unwrap();
                let heir = if turn % 2 == 0 {
                    Heir::Same
                } else {
                    Heir::Other
                };
                let death = match turn % 3 {
                    0 => Death::BeforeCommit,
                    _ => Death::AfterCommit,
                };
                let what = format!("{operation} {mode:?}");
                deaths += 1;
                let rules = std::slice::from_ref(&rule);
                begun += u64::from(survives(&case, rules, death, commit, heir, &what).await);
            }
        }
    }
    println!(
        "{}: {deaths} deaths, {begun} of them in the flow",
        case.name
    );
    assert!(begun >= case.least_resumed);
}

fn operations(whole: &Whole) -> Vec<FakeOperation> {
    let mut operations: Vec<_> = whole
        .effects
        .iter()
        .map(|effect| effect.operation())
        .collect();
    operations.sort_unstable();
    operations.dedup();
    operations
}

macro_rules! in_every_mode {
    ($($case:ident,)+) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                in_every_mode(Case::$case()).await;
            }
        )+
    };
}

in_every_mode! {
    verify,
    inspect,
    provide,
    clean,
    deploy,
    rebuild,
    undeploy,
    rescue,
    unrescue,
    service,
    adopt,
    reboot,
}
