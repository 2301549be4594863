//! Who gets a node, when, and what the others are told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::model::{ConductorRecord, Lock, Node};
use ironic_core::states::Verb;
use ironic_core::store::{
    Batch, Filter, Kind, MemoryStore, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use ironic_core::task::{Patience, TaskManager};
use ironic_core::transport::Change;
use ironic_core::{Error, ErrorKind, Timestamp};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::house::{House, ask, available, enrolled};

/// A store that counts what it is asked.
#[derive(Default)]
struct Counting {
    inner: MemoryStore,
    calls: AtomicU64,
}

impl Counting {
    fn count(&self) -> &MemoryStore {
        self.calls.fetch_add(1, Ordering::SeqCst);
        &self.inner
    }

    fn taken(&self) -> u64 {
        self.calls.swap(0, Ordering::SeqCst)
    }
}

#[async_trait]
impl Store for Counting {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.count().get(kind, id).await
    }
    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.count().find(kind, key).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.count().list(query).await
    }
    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.count().count(kind, filter).await
    }
    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.count().commit(batch).await
    }
}

/// A conductor that does nothing by itself for a day, with a node.
pub(crate) async fn quiet(store: Arc<dyn Store>) -> (House, Conductor, Uuid) {
    let mut house = House::over(store);
    house.config.heartbeat_interval = Duration::from_secs(86_400);
    house.config.heartbeat_timeout = Duration::from_secs(300_000);
    let conductor = house.conductor("cond-a").await;
    let node = enrolled(&house.client(&conductor)).await;
    (house, conductor, node)
}

type Order = Arc<Mutex<Vec<usize>>>;

/// Waits for the node without end, notes that it was its turn, and gives the node back.
fn waiter(tasks: &TaskManager, node: Uuid, order: &Order, number: usize) -> JoinHandle<()> {
    let (tasks, order) = (tasks.clone(), Arc::clone(order));
    tokio::spawn(async move {
        let purpose = format!("waiter {number}");
        let task = tasks.acquire(node, &purpose, Patience::Unlimited).await;
        let task = task.unwrap();
        order.lock().unwrap().push(number);
        tasks.release(task).await.unwrap();
    })
}

/// Lets everything happen that does not wait for time.
pub(crate) async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_waiters_get_the_node_in_the_order_of_asking() {
    let store = Arc::new(Counting::default());
    let (_house, conductor, node) = quiet(store.clone()).await;
    let tasks = conductor.tasks();
    let held = tasks.exclusive(node, "held").await.unwrap();
    let order = Order::default();
    let mut waiters = Vec::new();
    for number in 0..100 {
        waiters.push(waiter(tasks, node, &order, number));
        settle().await;
    }
    assert_eq!(tasks.busy(), 1, "one node is wanted, by however many");

    store.taken();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(
        store.taken(),
        0,
        "nobody asks for what this conductor holds"
    );

    // Those who are cancelled are left out, also the one in front.
    let gone = [0, 1, 33, 98];
    for number in gone {
        waiters[number].abort();
    }
    settle().await;
    // One who comes now comes last, and one who will not wait gets nothing.
    waiters.push(waiter(tasks, node, &order, 100));
    store.taken();
    tasks.release(held).await.unwrap();
    let impatient = tasks.try_exclusive(node, "overtakes").await.unwrap_err();
    assert_eq!(impatient.kind(), ErrorKind::NodeLocked);
    for waiter in waiters {
        let _ = waiter.await;
    }
    let expected: Vec<_> = (0..=100).filter(|number| !gone.contains(number)).collect();
    assert_eq!(*order.lock().unwrap(), expected);
    let calls = store.taken();
    // The lock read and taken, node, flow and ports read, the lock given back.
    let served = expected.len() as u64;
    assert!(
        calls <= 6 * served + 8,
        "{calls} calls for {served} hand-overs"
    );
    assert_eq!(
        tasks.busy(),
        0,
        "no line is kept for a node that nobody wants"
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn hand_overs_take_no_time_and_those_who_give_up_are_skipped() {
    let (_house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    let tasks = conductor.tasks();
    let held = tasks.exclusive(node, "held").await.unwrap();
    let order = Order::default();
    let first = waiter(tasks, node, &order, 1);
    settle().await;
    let impatient = {
        let tasks = tasks.clone();
        tokio::spawn(async move { tasks.exclusive(node, "impatient").await.map(drop) })
    };
    settle().await;
    let last = waiter(tasks, node, &order, 2);
    let refused = impatient.await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NodeLocked);
    assert!(refused.to_string().contains("\"held\""), "{refused}");

    let began = Instant::now();
    tasks.release(held).await.unwrap();
    first.await.unwrap();
    last.await.unwrap();
    assert_eq!(*order.lock().unwrap(), [1, 2]);
    assert!(
        began.elapsed() < Duration::from_millis(5),
        "{:?}",
        began.elapsed()
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn patience_ends_when_it_should() {
    let (mut house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    conductor.stop().await.unwrap();
    house.config.node_locked_retry_attempts = 4;
    house.config.node_locked_retry_interval = Duration::from_secs(2);
    let conductor = house.conductor("cond-a").await;
    let tasks = conductor.tasks();
    let held = tasks.exclusive(node, "held").await.unwrap();
    let waited = async |patience| {
        let began = Instant::now();
        let refused = tasks.acquire(node, "wants it", patience).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NodeLocked, "{refused}");
        began.elapsed().as_millis()
    };
    assert_eq!(waited(Patience::None).await, 0);
    assert_eq!(waited(Patience::Configured).await, 8000);
    let until = Instant::now() + Duration::from_secs(50);
    assert_eq!(waited(Patience::Until(until)).await, 50_000);
    // Also behind somebody else.
    let order = Order::default();
    let front = waiter(tasks, node, &order, 1);
    settle().await;
    assert_eq!(waited(Patience::None).await, 0);
    assert_eq!(waited(Patience::Configured).await, 8000);
    let day = Duration::from_secs(86_400);
    let patient = tasks.acquire(node, "never gives up", Patience::Unlimited);
    assert!(timeout(day, patient).await.is_err());
    tasks.release(held).await.unwrap();
    front.await.unwrap();
    assert_eq!(tasks.busy(), 0);
    conductor.stop().await.unwrap();
}

/// Writes the node's lock as another conductor would.
async fn locked_elsewhere(house: &House, node: Uuid, held: bool) {
    let repository = house.repository();
    let change = |lock: &mut Lock| {
        *lock = if held {
            lock.taken("cond-b", Uuid::from_u128(9), "cleaning", Timestamp::EPOCH)
        } else {
            lock.released()
        };
        Ok(())
    };
    repository
        .update::<Lock, ()>(node, None, change)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_another_conductor_gives_back_is_had_after_an_interval_in_order() {
    let store = Arc::new(Counting::default());
    let (house, conductor, node) = quiet(store.clone()).await;
    let tasks = conductor.tasks();
    drop(tasks.exclusive(node, "makes the lock").await.unwrap());
    settle().await;
    locked_elsewhere(&house, node, true).await;
    let order = Order::default();
    let waiters: Vec<_> = (0..20).map(|n| waiter(tasks, node, &order, n)).collect();
    settle().await;
    store.taken();
    sleep(Duration::from_millis(10_500)).await;
    let asked = store.taken();
    assert!(asked <= 11, "{asked}: only the first in line asks");

    let refused = tasks.try_exclusive(node, "test").await.unwrap_err();
    for part in ["cond-b", "\"cleaning\"", "since 1970-01-01T00:00:00"] {
        assert!(refused.to_string().contains(part), "{refused}");
    }
    locked_elsewhere(&house, node, false).await;
    let freed = Instant::now();
    for waiter in waiters {
        waiter.await.unwrap();
    }
    assert!(
        freed.elapsed() <= Duration::from_secs(1),
        "{:?}",
        freed.elapsed()
    );
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn patience_ends_as_well_with_what_another_conductor_holds() {
    let (house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    let tasks = conductor.tasks();
    drop(tasks.exclusive(node, "makes the lock").await.unwrap());
    settle().await;
    locked_elsewhere(&house, node, true).await;
    for (patience, seconds) in [
        (Patience::None, 0),
        (Patience::Configured, 3),
        (Patience::Until(Instant::now() + Duration::from_secs(10)), 7),
    ] {
        let began = Instant::now();
        let wanted = timeout(
            Duration::from_secs(60),
            tasks.acquire(node, "wants it", patience),
        );
        let refused = wanted.await.unwrap().unwrap_err();
        assert!(refused.to_string().contains("cond-b"), "{refused}");
        assert_eq!(began.elapsed().as_secs(), seconds, "{patience:?}");
    }
    assert_eq!(tasks.busy(), 0);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_taken_over_node_goes_to_those_who_wait_as_soon_as_it_is_given_back() {
    let (house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    let tasks = conductor.tasks();
    drop(tasks.exclusive(node, "makes the lock").await.unwrap());
    settle().await;
    locked_elsewhere(&house, node, true).await;
    let order = Order::default();
    let waiter = waiter(tasks, node, &order, 1);
    settle().await;
    let take = async |from: &ConductorRecord| tasks.take_over_from(node, "recovery", from).await;
    let dead = |host| ConductorRecord::new(host, Uuid::from_u128(1));
    let other = take(&dead("cond-c")).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::NodeLocked);
    let seen = dead("cond-b");
    let mut since = seen.clone();
    since.beat += 1;
    house.repository().create(&since).await.unwrap();
    let alive = take(&seen).await.unwrap_err();
    assert_eq!(alive.kind(), ErrorKind::NodeLocked);
    let taken = take(&since).await.unwrap();
    let began = Instant::now();
    tasks.release(taken).await.unwrap();
    waiter.await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(5));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_is_given_back_on_release_drop_panic_and_cancellation() {
    let (_house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    let tasks = conductor.tasks().clone();
    let order = Order::default();
    let note = |number: usize| order.lock().unwrap().push(number);
    let begun = |ends: &'static str, number: usize| {
        let (tasks, order) = (tasks.clone(), Arc::clone(&order));
        tokio::spawn(async move {
            let task = tasks
                .acquire(node, ends, Patience::Unlimited)
                .await
                .unwrap();
            order.lock().unwrap().push(number);
            match ends {
                "release" => tasks.release(task).await.unwrap(),
                "downgrade" => drop(tasks.downgrade(task).await.unwrap()),
                "drop" => drop(task),
                "panic" => panic!("as it was told to"),
                _ => std::future::pending().await,
            }
        })
    };
    let held = tasks.exclusive(node, "held").await.unwrap();
    let mut running = Vec::new();
    for (number, ends) in [
        "drop",
        "panic",
        "cancel",
        "downgrade",
        "release",
        "cancel",
        "drop",
    ]
    .into_iter()
    .enumerate()
    {
        running.push(begun(ends, number));
        settle().await;
    }
    assert!(order.lock().unwrap().is_empty());
    tasks.release(held).await.unwrap();
    settle().await;
    assert_eq!(
        *order.lock().unwrap(),
        [0, 1, 2],
        "dropped, panicked, and now one hangs"
    );
    running[2].abort();
    settle().await;
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 5]);
    let refused = tasks.try_exclusive(node, "test").await.unwrap_err();
    assert!(refused.to_string().contains("\"cancel\""), "{refused}");
    running[5].abort();
    settle().await;
    note(7);
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(tasks.busy(), 0);
    tasks
        .release(tasks.try_exclusive(node, "free").await.unwrap())
        .await
        .unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn upgrading_reads_the_node_anew_and_downgrading_gives_it_back() {
    let (house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    let (tasks, client) = (conductor.tasks(), house.client(&conductor));
    let reader = tasks.shared(node, "looks").await.unwrap();
    client
        .update_node(node, vec![Change::set("extra/a", 1)])
        .await
        .unwrap();
    assert!(reader.node().extra.is_empty(), "as it was read");
    let mut writer = tasks.upgrade(reader, None).await.unwrap();
    assert_eq!(
        (writer.node().extra["a"].as_i64(), writer.purpose()),
        (Some(1), "looks")
    );
    assert_eq!(
        client.reservation(node).await.unwrap().as_deref(),
        Some("cond-a")
    );

    writer.node_mut().description = Some("saved".into());
    writer.save().await.unwrap();
    writer.node_mut().description = Some("not saved".into());
    let reader = tasks.downgrade(writer).await.unwrap();
    assert_eq!(reader.node().description.as_deref(), Some("saved"));
    assert_eq!(client.reservation(node).await.unwrap(), None);

    let writer = tasks.upgrade(reader, Some("writes")).await.unwrap();
    assert_eq!(writer.purpose(), "writes");
    let reader = tasks.shared(node, "looks too").await.unwrap();
    let refused = tasks.upgrade(reader, None).await.unwrap_err();
    assert!(refused.to_string().contains("\"writes\""), "{refused}");
    drop(writer);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_told_who_works_on_the_node_and_what_for() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house.fakes.add(FakeRule::takes(
        FakeOperation::PrepareDeploy,
        Duration::from_secs(60),
    ));
    ask(&client, node, Verb::Deploy).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let refused = client
        .update_node(node, vec![Change::set("extra/a", 1)])
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NodeLocked);
    for part in [
        "cond-a",
        "\"provision: active\"",
        "since 2027-01-15T08:00:",
        "retry",
    ] {
        assert!(refused.to_string().contains(part), "{refused}");
    }
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_lock_is_left_of_a_node_that_goes_while_it_is_wanted() {
    let (house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    let client = house.client(&conductor);
    let tasks = conductor.tasks();
    let held = tasks.exclusive(node, "held").await.unwrap();
    let remover = {
        let client = client.clone();
        tokio::spawn(async move { client.delete_node(node).await })
    };
    settle().await;
    let wants = {
        let tasks = tasks.clone();
        tokio::spawn(async move { tasks.exclusive(node, "too late").await.map(drop) })
    };
    settle().await;
    tasks.release(held).await.unwrap();
    remover.await.unwrap().unwrap();
    let refused = wants.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::NotFound { .. }), "{refused}");
    assert_eq!(house.locks().await, []);
    // A lock that came about as its node went, as seen by whoever takes it.
    let stray = Lock::free(node);
    house.repository().create(&stray).await.unwrap();
    assert!(tasks.exclusive(node, "stray").await.is_err());
    assert_eq!(house.locks().await, []);
    assert!(
        house
            .repository()
            .get::<Node>(node)
            .await
            .unwrap()
            .is_none()
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_task_saves_leaves_what_others_noted_meanwhile() {
    let (house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    let tasks = conductor.tasks();
    let repository = house.repository();
    let note = async |name: &str, value: serde_json::Value| {
        let change = |node: &mut Node| {
            node.extra.insert(name.to_owned(), value.clone());
            Ok(())
        };
        repository
            .update::<Node, ()>(node, None, change)
            .await
            .unwrap();
    };
    // Both write the first member of a map.
    let mut task = tasks.exclusive(node, "saves").await.unwrap();
    note("theirs", 1.into()).await;
    task.node_mut().extra.insert("mine".into(), 1.into());
    task.save().await.unwrap();
    assert_eq!(
        (&task.node().extra["mine"], &task.node().extra["theirs"]),
        (&1.into(), &1.into())
    );
    // One takes away all that it knows of, while the other adds.
    note("more", 1.into()).await;
    task.node_mut().extra.clear();
    task.save().await.unwrap();
    assert_eq!(task.node().extra.keys().collect::<Vec<_>>(), ["more"]);
    // What both write is as the last one has it; what nobody wrote stays.
    note("more", 2.into()).await;
    task.node_mut().extra.insert("more".into(), 3.into());
    task.save().await.unwrap();
    assert_eq!(
        repository.load::<Node>(node).await.unwrap().extra["more"],
        3
    );
    task.node_mut().extra.clear();
    task.save().await.unwrap();
    assert!(
        repository
            .load::<Node>(node)
            .await
            .unwrap()
            .extra
            .is_empty()
    );
    drop(task);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_fence_of_a_node_that_is_gone_fits_the_one_enrolled_after_it() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let note = async || {
        let note = vec![Change::set("extra/note", "taken")];
        client.update_node(node, note).await.unwrap();
        house.locks().await[0].epoch
    };
    note().await;
    let before = note().await;
    client.delete_node(node).await.unwrap();
    assert_eq!(house.locks().await, [], "a lock goes with its node");
    let again = Node::new(node, "fake-hardware");
    client.create_node(again).await.unwrap();
    let after = note().await;
    assert!(after > before, "{after} after {before}");
    conductor.stop().await.unwrap();
}
