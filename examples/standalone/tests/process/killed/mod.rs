//! Whatever the service has answered with success is still so after it was killed at once, under
//! load, at any moment: enrolments, changes, verbs, ports, and what was removed.
//!
//! IRONIC_KILLS and IRONIC_CLIENTS make it longer, IRONIC_SEED other.

mod ledger;
mod load;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::postgres::Cluster;
use crate::program::{PATIENCE, Program};
use ledger::{Presence, Stock};
use load::{Chance, Client, Site};

/// So that deployments are going on whenever the service is killed.
const SLOW: [(&str, &str); 4] = [
    ("IRONIC_FAKE_DEPLOY_DELAY", "0.05,0.8"),
    ("IRONIC_FAKE_BOOT_DELAY", "0,0.1"),
    ("IRONIC_FAKE_POWER_DELAY", "0,0.1"),
    ("IRONIC_LOG", "error"),
];

/// How many answers it takes until every sort of them has come.
const MANY: u64 = 300;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A service under load.
struct Trial {
    site: Arc<Site>,
    database: String,
    chance: Chance,
    /// How many nodes were in which state when the service came back, over all kills.
    found: BTreeMap<String, usize>,
}

impl Trial {
    fn new(database: &str) -> Self {
        Self {
            site: Site::new(),
            database: database.to_owned(),
            chance: Chance(setting("IRONIC_SEED", 1)),
            found: BTreeMap::new(),
        }
    }

    async fn start(&self) -> Program {
        Program::start(&["--database", &self.database], &SLOW).await
    }

    /// Starts the clients.
    fn clients(&self, stop: &CancellationToken) -> JoinSet<()> {
        let mut clients = JoinSet::new();
        for number in 0..setting("IRONIC_CLIENTS", 50) {
            let client = Client {
                site: Arc::clone(&self.site),
                number,
                chance: Chance(setting("IRONIC_SEED", 1) ^ (number << 32)),
                made: 0,
            };
            clients.spawn(client.work(stop.clone()));
        }
        clients
    }

    /// Lets so much more be done, kills the service in the middle of it, and starts it again. What
    /// of it was lost.
    async fn kill(
        &mut self,
        program: Program,
        after: u64,
        between: impl FnOnce(),
    ) -> (Program, Vec<String>) {
        let done = self.site.answers() + usize::try_from(after).unwrap();
        let ends = Instant::now() + 2 * PATIENCE;
        while self.site.answers() < done {
            assert!(Instant::now() < ends, "the service does nothing any more");
            sleep(Duration::from_millis(1)).await;
        }
        program.kill().await;
        let site = Arc::clone(&self.site);
        // As soon as every client has its answer, or knows that it gets none.
        let mut url = site.url.write().await;
        between();
        let program = self.start().await;
        program.url.clone_into(&mut url);
        let lost = self.audit(&site.stock(&url).await);
        (program, lost)
    }

    fn audit(&mut self, stock: &Stock) -> Vec<String> {
        for node in stock.nodes.values() {
            let state = node["provision_state"].as_str().unwrap();
            *self.found.entry(state.to_owned()).or_default() += 1;
        }
        self.site.ledger.lock().unwrap().audit(stock)
    }
}

/// Kills the service many times; nothing may be lost, and everything comes to an end.
async fn endures(database: &str) {
    let mut trial = Trial::new(database);
    let mut program = trial.start().await;
    program.url.clone_into(&mut *trial.site.url.write().await);
    let stop = CancellationToken::new();
    let clients = trial.clients(&stop);
    let kills = setting("IRONIC_KILLS", 20);
    // The first one comes when there is something of everything.
    let mut after = MANY;
    for at in 1..=kills {
        let (next, lost) = trial.kill(program, after, || {}).await;
        assert!(lost.is_empty(), "kill {at}: {lost:#?}");
        program = next;
        after = 1 + trial.chance.below(40);
    }
    stop.cancel();
    clients.join_all().await;
    let site = Arc::clone(&trial.site);
    let stock = settled(&site, &program.url).await;
    assert_eq!(trial.audit(&stock), Vec::<String>::new(), "at the end");

    let ledger = site.ledger.lock().unwrap().clone();
    let of = |wanted| {
        let mut nodes = ledger.nodes.values();
        nodes
            .by_ref()
            .filter(|node| node.presence == wanted)
            .count()
    };
    let (there, gone) = (of(Presence::There), of(Presence::Gone));
    println!(
        "{kills} kills, {} answers of success kept; {there} nodes there, {gone} removed; \
         found after kills: {:?}",
        ledger.answers, trial.found
    );
    assert!(
        ledger.answers as u64 > MANY + 5 * kills,
        "there was no load"
    );
    assert!(there > 0 && gone > 0, "nothing was made or nothing removed");
    let deploying = trial.found.get("deploying").copied().unwrap_or(0);
    assert!(deploying as u64 >= kills / 2, "nothing was going on");
    program.signal("TERM").await;
    assert!(program.ended().await.status.success());
}

/// What there is once nothing is going on any more.
async fn settled(site: &Site, url: &str) -> Stock {
    let ends = Instant::now() + PATIENCE;
    loop {
        let stock = site.stock(url).await;
        let moves = stock.nodes.values().find(|node| {
            let state = node["provision_state"].as_str().unwrap();
            let failed = state.ends_with("failed");
            !(failed || node["target_provision_state"].is_null()) || !node["reservation"].is_null()
        });
        match moves {
            None => return stock,
            Some(node) => assert!(Instant::now() < ends, "it does not end: {node}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    endures(&format!(
        "sqlite:{}/ironic.sqlite",
        directory.path().display()
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_on_postgres() {
    endures(&Cluster::shared().create().await).await;
}

/// The same trial finds out a store that has answered before what it answered was there to stay:
/// one that comes back as it was a moment before, as after a disk lost what it said it had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_loses_its_last_moment_is_found_out() {
    let directory = tempfile::tempdir().unwrap();
    let (now, then) = (directory.path().join("now"), directory.path().join("then"));
    std::fs::create_dir(&now).unwrap();
    let mut trial = Trial::new(&format!("sqlite:{}/ironic.sqlite", now.display()));
    let program = trial.start().await;
    program.url.clone_into(&mut *trial.site.url.write().await);
    let stop = CancellationToken::new();
    let clients = trial.clients(&stop);

    let (program, lost) = trial.kill(program, MANY, || copy(&now, &then)).await;
    assert_eq!(lost, Vec::<String>::new());
    let (program, lost) = trial.kill(program, MANY, || copy(&then, &now)).await;
    for sort in [
        "was made, and is not there",
        "was written to it, and it has",
        "was taken, and it is",
        "was removed, and is there",
    ] {
        assert!(
            lost.iter().any(|one| one.contains(sort)),
            "{sort}: {lost:#?}"
        );
    }
    stop.cancel();
    clients.join_all().await;
    program.kill().await;
}

/// Makes one folder what another is.
fn copy(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
