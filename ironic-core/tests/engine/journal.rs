//! What a conductor's journal tells of a node, and that nothing of it is needed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ironic_core::conductor::Conductor;
use ironic_core::config::Config;
use ironic_core::driver::fake::{self, Completion, FakeOperation, FakeRule};
use ironic_core::driver::{Registry, noop};
use ironic_core::journal::{Entry, Journal, Story};
use ironic_core::runtime::ManualClock;
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::store::{MemoryStore, Store};
use ironic_core::testing::{FaultyStore, Injected};
use ironic_core::{Client, Error, Node, Timestamp, Uuid};
use tokio::time::sleep;

use crate::house::{ask, available, go};

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Entry>>);

impl Journal for Kept {
    fn record(&self, entry: Box<Entry>) {
        self.0.lock().unwrap().push(*entry);
    }
}

impl Kept {
    fn story(&self) -> Story {
        let entries = self.0.lock().unwrap().clone();
        entries.into_iter().map(Ok).collect()
    }
}

struct Desk {
    fakes: fake::FakeBehaviour,
    journal: Arc<Kept>,
    conductor: Conductor,
    client: Client,
}

async fn desk(store: Arc<dyn Store>) -> Desk {
    let fakes = fake::FakeBehaviour::new();
    let drivers = fake::register(noop::register(Registry::builder()), &fakes);
    let journal = Arc::<Kept>::default();
    let mut config = Config::new("cond-a");
    config.sync_power_state_interval = Duration::ZERO;
    let clock = ManualClock::new(Timestamp::from_micros(1_800_000_000_000_000));
    let conductor = Conductor::builder()
        .store(store)
        .registry(drivers.build().unwrap())
        .config(config)
        .clock(Arc::new(clock))
        .journal(journal.clone())
        .start()
        .await
        .unwrap();
    let client = Client::local(&conductor);
    Desk {
        fakes,
        journal,
        conductor,
        client,
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_deployment_is_told_from_its_beginning_to_its_end() {
    let desk = desk(Arc::new(MemoryStore::new())).await;
    let slow = Duration::from_millis(1500);
    let rules = [
        FakeRule::takes(FakeOperation::PrepareDeploy, slow),
        FakeRule::completes(FakeOperation::Deploy, Completion::Heartbeat),
    ];
    rules.into_iter().for_each(|rule| desk.fakes.add(rule));
    let mut node = Node::new(Uuid::from_u128(7), "fake-hardware");
    node.name = Some("rack1-u4".to_owned());
    let secret = ("fake_password".to_owned(), "hunter2".into());
    node.driver_info.extend([secret]);
    let node = desk.client.create_node(node).await.unwrap().uuid;
    go(&desk.client, node, Verb::Manage, ProvisionState::Manageable).await;
    ask(&desk.client, node, Verb::Deploy).await.unwrap_err();
    go(&desk.client, node, Verb::Provide, ProvisionState::Available).await;
    desk.client
        .run(node, Verb::Deploy, Default::default())
        .await
        .unwrap_err();
    desk.conductor.stop().await.unwrap();

    let story = desk.journal.story();
    let told = story.to_string();
    println!("{told}");
    let starts = "\
node 00000000-0000-0000-0000-000000000007 \"rack1-u4\", fake-hardware, from 2027-01-15T08:00:00
0:00:00.000 cond-a asked: manage enroll → verifying (towards manageable)
└ next: prepare (#1, may run again)
0:00:00.000 cond-a prepare: done verifying
└ next: finish (#2, may run again)
0:00:00.000 cond-a finish: done verifying → manageable
";
    let lines = |text: &str| -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect()
    };
    let told_lines = lines(&told);
    for (told, start) in told_lines.iter().zip(lines(starts)) {
        assert!(told.starts_with(&start), "{told}\nis not {start}");
    }
    for part in [
        "refused: the requested action \"active\" can not be performed",
        "prepare: done deploying",
        "0:00:01.500 cond-a step deploy.deploy (1 of 1): has begun deploying → wait call-back",
        "└ waits for the agent's next call, then: ",
        "; gives up after 0:30:00.000; see the machine's console",
        "0:30:01.500 cond-a its time is up wait call-back → deploy failed",
        "error: driver step deploy.deploy failed: timed out after 1800 s: waits for the agent",
        "clean up: done deploy failed",
        "at rest",
    ] {
        assert!(told_lines.join("\n").contains(part), "{part}\nin\n{told}");
    }
    assert!(!format!("{:?}", desk.journal).contains("hunter2"));

    // One leads to the next, and nothing is missing in between.
    let decided: Vec<_> = story.entries().filter(|e| e.decided().is_some()).collect();
    for pair in decided.windows(2) {
        assert_eq!(pair[0].states().1, pair[1].states().0);
        assert!(pair[0].epoch <= pair[1].epoch && pair[0].at <= pair[1].at);
    }
    assert!(story.entries().all(|entry| entry.redecide().is_same()));
}

#[tokio::test(start_paused = true)]
async fn what_the_store_has_not_confirmed_is_told_as_such() {
    let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let desk = desk(faulty.clone()).await;
    let node = available(&desk.client).await;
    faulty.inject(faulty.commits() + 2, Injected::After);
    let _ = ask(&desk.client, node, Verb::Deploy).await;
    sleep(Duration::from_secs(60)).await;
    desk.conductor.stop().await.unwrap();
    let story = desk.journal.story();
    let doubtful: Vec<_> = story.entries().filter(|e| e.unwritten.is_some()).collect();
    assert_eq!(doubtful.len(), 1);
    assert_eq!(doubtful[0].question(), "asked: deploy");
    let told = story.to_string();
    assert!(told.contains("perhaps not written: "), "{told}");
    assert!(told.contains("found as its conductor left it"), "{told}");
    assert!(story.entries().all(|entry| entry.redecide().is_same()));
}

/// What is seen is what was committed, so a decision that is taken anew because somebody else has
/// written meanwhile is recorded once, as it was taken in the end.
#[tokio::test(start_paused = true)]
async fn a_decision_taken_anew_is_recorded_once() {
    let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let desk = desk(faulty.clone()).await;
    desk.fakes.add(FakeRule::takes(
        FakeOperation::PrepareDeploy,
        Duration::from_secs(10),
    ));
    let node = available(&desk.client).await;
    ask(&desk.client, node, Verb::Deploy).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let described = |node: &mut Node| {
        node.description = Some("seen".to_owned());
        Ok::<_, Error>(())
    };
    let repository = desk.client.repository();
    let updated = repository.update::<Node, ()>(node, None, described);
    updated.await.unwrap();
    sleep(Duration::from_secs(60)).await;
    desk.conductor.stop().await.unwrap();
    let story = desk.journal.story();
    let prepared: Vec<_> = story
        .entries()
        .filter(|entry| entry.question() == "prepare: done")
        .filter(|entry| entry.states().0 == ProvisionState::Deploying)
        .collect();
    assert_eq!(prepared.len(), 1);
    let seen = prepared[0].saw.node.description.as_deref();
    assert_eq!(seen, Some("seen"));
}
