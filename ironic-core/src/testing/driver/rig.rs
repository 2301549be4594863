//! What the cases say over and over.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{DriverFactory, TestMachine};
use crate::config::Config;
use crate::driver::{Interface, SharedTask, Task, TaskContext};
use crate::governor::Governor;
use crate::model::{JsonMap, Node};
use crate::notify::NoNotifier;
use crate::runtime::{OsEntropy, SystemClock};
use crate::secret::is_secret_key;
use crate::states::{BootDevice, InterfaceKind, PowerState, PowerTarget};
use crate::store::{MemoryStore, Repository};
use crate::task::TaskManager;
use crate::{Error, ErrorKind};

/// Why a case says nothing about a machine.
#[derive(Debug)]
pub(super) struct Lack(String);

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a case could be run; if the contract is not kept, it panics.
pub(super) type Verdict = Result<(), Lack>;

pub(super) fn lack(what: impl Into<String>) -> Lack {
    Lack(what.into())
}

/// A machine in the hands of a case, with a conductor's tasks for it.
pub(super) struct Rig {
    pub(super) machine: Box<dyn TestMachine>,
    pub(super) manager: TaskManager,
    pub(super) node: Uuid,
}

/// Longer than any test.
const LEASE: Duration = Duration::from_secs(1_000_000);

impl Rig {
    pub(super) async fn new(factory: &dyn DriverFactory) -> Self {
        let machine = factory.machine().await;
        let repository = Repository::new(Arc::new(MemoryStore::new()));
        let mut node = machine.node();
        if node.uuid.is_nil() {
            node.uuid = Uuid::from_u128(0x11);
        }
        for secret in secrets_of(&node.driver_info) {
            let telling = !secret.chars().all(|c| c.is_ascii_lowercase());
            assert!(telling, "the secret {secret} could be any word of a text");
        }
        let created = repository.create(&node).await;
        created.unwrap_or_else(|error| panic!("the node should be one: {error}"));
        for mut port in machine.ports() {
            port.node_uuid = node.uuid;
            let created = repository.create(&port).await;
            created.unwrap_or_else(|error| panic!("the port should be one: {error}"));
        }
        let governor = Governor::new(1, machine.command_timeout());
        let context = TaskContext::new(
            repository,
            Arc::new(SystemClock),
            Arc::new(OsEntropy),
            Arc::new(Config::new("conformance")),
            Arc::new(governor),
        );
        let context = Arc::new(context);
        let (manager, _ends) = TaskManager::new(context, machine.registry(), Arc::new(NoNotifier));
        let node = node.uuid;
        let rig = Self {
            machine,
            manager,
            node,
        };
        rig.extend_lease();
        rig
    }

    pub(super) fn extend_lease(&self) {
        let governor = &self.manager.context().governor;
        governor.extend_lease(Instant::now(), LEASE);
    }

    pub(super) fn revoke_lease(&self) {
        self.manager.context().governor.revoke_lease();
    }

    /// The node, to change.
    pub(super) async fn task(&self) -> Task {
        let task = self.manager.exclusive(self.node, "conformance").await;
        task.unwrap_or_else(|error| panic!("the node should have a driver: {error}"))
    }

    /// The node, to read.
    pub(super) async fn look(&self) -> SharedTask {
        let task = self.manager.shared(self.node, "conformance").await;
        task.unwrap_or_else(|error| panic!("the node should have a driver: {error}"))
    }

    /// The interfaces under test, without those that only say that they are absent.
    pub(super) async fn interfaces(
        &self,
        task: &SharedTask,
    ) -> Vec<(InterfaceKind, Arc<dyn Interface>)> {
        let mut interfaces = Vec::new();
        for kind in self.machine.kinds() {
            let interface = task.driver().interface(kind);
            let judged = interface.validate(task).await;
            if judged.err().map(|error| error.kind()) != Some(ErrorKind::Unsupported) {
                interfaces.push((kind, interface));
            }
        }
        interfaces
    }

    /// # Errors
    /// When there is no interface of this kind under test.
    pub(super) async fn needs(&self, kind: InterfaceKind) -> Result<(), Lack> {
        let task = self.look().await;
        let interfaces = self.interfaces(&task).await;
        if interfaces.iter().any(|(present, _)| *present == kind) {
            return Ok(());
        }
        Err(lack(format!("there is no {kind} interface under test")))
    }

    /// # Errors
    /// When the machine's messages cannot be counted.
    pub(super) fn messages(&self) -> Result<u64, Lack> {
        let messages = self.machine.messages();
        messages.ok_or_else(|| lack("its messages cannot be counted"))
    }

    /// Fails if the BMC has got a message since so many.
    pub(super) fn expect_nothing_sent(&self, since: u64, what: &str) {
        if let Some(now) = self.machine.messages() {
            assert_eq!(now, since, "messages to the BMC after {what}");
        }
    }

    /// What must not be shown: the secrets of the node's `driver_info`.
    pub(super) fn secrets(&self) -> Vec<String> {
        secrets_of(&self.machine.node().driver_info)
    }

    /// Fails if an error shows a secret.
    pub(super) fn expect_discreet(&self, error: &Error, more: &[String]) {
        let shown = format!("{error} {error:?}");
        for secret in self.secrets().iter().chain(more) {
            assert!(!shown.contains(secret), "an error shows a secret: {shown}");
        }
    }

    /// The result of a call that has to succeed.
    pub(super) fn done<T>(&self, answer: Result<T, Error>, what: &str) -> T {
        answer.unwrap_or_else(|error| {
            self.expect_discreet(&error, &[]);
            panic!("{what} should succeed: {error}")
        })
    }

    /// The error of a call that has to fail.
    pub(super) fn refused<T: fmt::Debug>(&self, answer: Result<T, Error>, what: &str) -> Error {
        match answer {
            Ok(answer) => panic!("{what} should be refused, and answers {answer:?}"),
            Err(error) => {
                self.expect_discreet(&error, &[]);
                error
            }
        }
    }

    pub(super) async fn read_power(&self, task: &SharedTask) -> Option<PowerState> {
        let power = task.driver().power.clone();
        self.done(power.get_power_state(task).await, "reading power")
    }

    pub(super) async fn switch(&self, task: &mut Task, target: PowerTarget) {
        let power = task.driver().power.clone();
        let switched = power.set_power_state(task, target, None).await;
        self.done(switched, &format!("switching to {target}"));
    }

    /// Fails unless the machine is in this state, by its BMC's word and by its own.
    pub(super) async fn expect_power(&self, task: &SharedTask, state: PowerState, after: &str) {
        let read = self.read_power(task).await;
        assert_eq!(read, Some(state), "the power read after {after}");
        if let Some(own) = self.machine.power().await {
            assert_eq!(own, state, "the machine's own word after {after}");
        }
    }

    pub(super) async fn supported_devices(&self, task: &SharedTask) -> Vec<BootDevice> {
        let management = task.driver().management.clone();
        let devices = management.supported_boot_devices(task).await;
        self.done(devices, "listing boot devices")
    }

    /// The boot devices that are known to work.
    ///
    /// # Errors
    /// When there are none.
    pub(super) async fn devices(&self, task: &SharedTask) -> Result<Vec<BootDevice>, Lack> {
        let devices = match self.machine.boot_devices() {
            Some(devices) => devices,
            None => self.supported_devices(task).await,
        };
        if devices.is_empty() {
            return Err(lack("it reads back no boot device"));
        }
        Ok(devices)
    }

    /// Runs what must end, by a panic or within a time.
    pub(super) async fn soon<T>(&self, what: &str, call: impl Future<Output = T>) -> T {
        // Two commands that time out, and what else there is to do.
        let patience = self.machine.command_timeout() * 2 + Duration::from_secs(10);
        match timeout(patience, call).await {
            Ok(answer) => answer,
            Err(_) => panic!("{what} goes on after {patience:?}"),
        }
    }

    /// Fails unless power and boot device can be read and set as ever.
    pub(super) async fn expect_working(&self, task: &mut Task, after: &str) {
        let kinds = self.machine.kinds();
        if kinds.contains(&InterfaceKind::Power) {
            self.read_power(task).await;
        }
        if !kinds.contains(&InterfaceKind::Management) {
            return;
        }
        let management = task.driver().management.clone();
        let devices = self.devices(task).await.unwrap_or_default();
        let device = devices.first().copied();
        let asked = device.unwrap_or(BootDevice::Pxe);
        let set = management.set_boot_device(task, asked, false).await;
        self.done(set, &format!("setting a boot device after {after}"));
        let read = self.done(management.get_boot_device(task).await, after);
        if device.is_some() {
            assert_eq!(read.device, device, "the boot device after {after}");
        }
    }
}

/// The texts under secret keys of a `driver_info`.
pub(super) fn secrets_of(info: &JsonMap) -> Vec<String> {
    let secret = info.iter().filter(|(key, _)| is_secret_key(key));
    let texts = secret.filter_map(|(_, value)| value.as_str());
    texts
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The members of a node that are the engine's or the operator's, and no driver's to change.
pub(super) fn not_the_drivers(node: &Node) -> Value {
    let mut node = node.clone();
    node.driver_internal_info.clear();
    (node.boot_mode, node.secure_boot) = (None, None);
    serde_json::to_value(&node).unwrap_or_else(|error| panic!("a node is JSON: {error}"))
}

/// Whether these are what `validate` may refuse with.
pub(super) fn is_refusal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidParameter | ErrorKind::MissingParameter
    )
}
