//! What a conductor asks of the store again and again, and the index that serves each of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::Timestamp;
use ironic_core::conductor::Conductor;
use ironic_core::config::Config;
use ironic_core::driver::fake::FakeBehaviour;
use ironic_core::driver::{Registry, fake, noop};
use ironic_core::model::{ConductorRecord, Node};
use ironic_core::states::ProvisionState;
use ironic_core::store::{
    Batch, Filter, Kind, MemoryStore, Query, Record, Repository, Revision, Store, StoreError,
    UniqueKey,
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::Sqlite;
use super::plan_tests::{database, plan};
use crate::store::sql::Sql;
use crate::store::translate;

/// Each query, by what it asks for, and the search that answers it. Those by creation read all
/// records of their kind: there are as many conductors as there are programs, flows of the nodes
/// alone with which something goes on, and histories are pruned once a day.
const JOBS: &[(&str, &str)] = &[
    // The ring, and the records of conductors that are long gone.
    ("conductor", "creation (kind=?)"),
    ("count lock by holder", "holder (kind=? AND by_holder=?)"),
    // What a dead conductor has left behind.
    ("flow", "creation (kind=?)"),
    ("lock by holder", "holder (kind=? AND by_holder=?)"),
    (
        "allocation by conductor, state",
        "state (kind=? AND by_state=?)",
    ),
    // Instances and consoles that have come to this conductor.
    (
        "node by conductor, maintenance, provision_state",
        "provision_state (kind=? AND by_provision_state=?)",
    ),
    (
        "node by console_enabled",
        "console_enabled (kind=? AND by_console_enabled=?)",
    ),
    // Sensors.
    (
        "node by provision_state",
        "provision_state (kind=? AND by_provision_state=?)",
    ),
    // Histories that are pruned, and power that is looked at from the start on.
    ("node", "creation (kind=?)"),
    (
        "history by node_uuid",
        "node_uuid (kind=? AND by_node_uuid=?)",
    ),
    // A node that is taken in hand.
    ("port by node_uuid", "node_uuid (kind=? AND by_node_uuid=?)"),
];

/// Keeps what it is asked for.
#[derive(Default)]
struct Asked {
    store: MemoryStore,
    queries: Mutex<BTreeMap<String, Query>>,
    more: Notify,
}

impl Asked {
    fn note(&self, how: &str, query: &Query) {
        let mut fields = Vec::new();
        fields_of(&query.filter, &mut fields);
        fields.sort();
        let by = if fields.is_empty() { "" } else { " by " };
        let name = format!("{how}{}{by}{}", query.kind, fields.join(", "));
        let mut queries = self.queries.lock().unwrap();
        if queries.insert(name, query.clone()).is_none() {
            self.more.notify_one();
        }
    }
}

impl Asked {
    fn has_all(&self) -> bool {
        let queries = self.queries.lock().unwrap();
        JOBS.iter().all(|(name, _)| queries.contains_key(*name))
    }
}

fn fields_of(filter: &Filter, fields: &mut Vec<String>) {
    match filter {
        Filter::All => {}
        Filter::Is(field, ..)
        | Filter::Null(field)
        | Filter::In(field, _)
        | Filter::Contains(field, _)
        | Filter::Like(field, _) => fields.push(field.clone()),
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|one| fields_of(one, fields)),
        Filter::Not(one) => fields_of(one, fields),
        unknown => panic!("{unknown:?}"),
    }
}

#[async_trait]
impl Store for Asked {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.store.get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.store.find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.note("", query);
        self.store.list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.note("count ", &Query::all(kind).filter(filter.clone()));
        self.store.count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.store.commit(batch).await
    }
}

/// A node with a console, and a conductor that nobody has heard of for long.
async fn furnish(store: &Arc<Asked>) {
    let repository = Repository::new(store.clone());
    let mut node = Node::new(Uuid::from_u128(1), "fake-hardware");
    node.provision_state = ProvisionState::Active;
    node.console_enabled = true;
    repository.create(&node).await.unwrap();
    let mut gone = ConductorRecord::new("gone", Uuid::nil());
    gone.created_at = Timestamp::from_micros(0);
    gone.online = false;
    repository.create(&gone).await.unwrap();
}

/// A conductor for which all that comes again comes soon.
async fn conductor(store: &Arc<Asked>) -> Conductor {
    let soon = Duration::from_millis(20);
    let mut config = Config::new("here");
    config.heartbeat_interval = soon;
    config.heartbeat_timeout = 5 * soon;
    config.bmc_command_timeout = soon;
    config.sync_power_state_interval = soon;
    config.conductor_cleanup_interval = soon;
    config.node_history_cleanup_interval = soon;
    config.sync_local_state_interval = soon;
    config.node_history_max_entries = 1;
    config.sensors.enabled = true;
    config.sensors.interval = Duration::from_secs(1);
    let registry = fake::register(noop::register(Registry::builder()), &FakeBehaviour::new());
    Conductor::builder()
        .store(store.clone())
        .registry(Arc::new(registry.build().unwrap()))
        .config(config)
        .start()
        .await
        .unwrap()
}

fn statement(name: &str, query: &Query) -> Sql {
    if name.starts_with("count ") {
        translate::count::<Sqlite>(query.kind, &query.filter).unwrap()
    } else {
        translate::list::<Sqlite>(query, None).unwrap()
    }
}

#[tokio::test]
async fn what_a_conductor_asks_for_over_and_over_has_an_index() {
    let store = Arc::new(Asked::default());
    furnish(&store).await;
    let conductor = conductor(&store).await;
    let all_asked = async {
        while !store.has_all() {
            store.more.notified().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), all_asked).await;
    conductor.stop().await.unwrap();
    let asked = store.queries.lock().unwrap().clone();
    let names: Vec<_> = asked.keys().collect();
    assert!(in_time.is_ok(), "asked for in a minute: {names:?}");
    let mut database = database().await;
    for (name, query) in &asked {
        let plan = plan(&mut database, &statement(name, query)).await;
        let known = JOBS.iter().find(|(job, _)| job == name);
        match known {
            Some((_, search)) => {
                let search = format!("SEARCH r USING INDEX records_by_{search}");
                assert!(plan.contains(&search), "{name}: {plan}");
            }
            // A job of which nobody has thought here: it must not read everything.
            None => assert!(!plan.contains("records_by_creation"), "{name}: {plan}"),
        }
        assert!(!plan.contains("SCAN"), "{name}: {plan}");
    }
}
