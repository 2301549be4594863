//! In-band inspection: the inventory goes to the conductor before the lookup.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::api::read;
use crate::command::collect_logs;
use crate::root_device::{MIN_ROOT_DISK, guess_root_disk};
use crate::shared::Shared;

/// How often the inventory is sent.
const ATTEMPTS: u32 = 5;
/// Pauses between: 1.5 s, doubled each time, but within these bounds.
const FIRST_PAUSE: Duration = Duration::from_millis(1500);
const SHORTEST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Pause between two looks for an address.
const ADDRESS_PAUSE: Duration = Duration::from_secs(2);

/// Why the inspection came to nothing; the agent goes on without.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectionError {
    /// Something could not be collected; what could was sent.
    #[error("{0}")]
    Incomplete(String),
    /// Nobody took the inventory.
    #[error("the inventory was not taken: {0}")]
    NotTaken(String),
}

/// Sends the inventory, if it is to go anywhere; the answer has the node's uuid.
pub(crate) async fn inspect(shared: &Shared) -> Result<Option<String>, InspectionError> {
    let targets = shared.config.inspection_targets();
    if targets.is_empty() {
        return Ok(None);
    }
    wait_for_addresses(shared).await;
    let (data, failures) = collect(shared).await;
    let answer = post(shared, &targets, data).await;
    if !failures.is_empty() {
        return Err(InspectionError::Incomplete(failures));
    }
    let answer = answer?;
    let uuid = answer.get("uuid").and_then(Value::as_str);
    shared.journal.info(&format!(
        "inspection taken, node {}",
        uuid.unwrap_or("unknown")
    ));
    Ok(uuid.map(str::to_owned))
}

/// Runs the collectors; what fails is told in the data and returned.
async fn collect(shared: &Shared) -> (Map<String, Value>, String) {
    let mut data = Map::new();
    let mut failures = Vec::new();
    let collectors = shared.config.collectors();
    for name in &collectors {
        match name.as_str() {
            "default" => {
                if let Err(error) = collect_default(shared, &collectors, &mut data).await {
                    failures.push(error);
                }
            }
            "logs" => {
                if let Ok(logs) = collect_logs(shared).await {
                    data.insert("logs".to_owned(), json!(logs));
                }
            }
            "pci-devices" => {
                let devices = shared.hardware.pci_devices().await;
                data.insert("pci_devices".to_owned(), json!(devices));
            }
            other => failures.push(format!("there is no collector {other:?}")),
        }
    }
    let failures = failures.join("; ");
    let error = (!failures.is_empty()).then_some(&failures);
    data.insert("error".to_owned(), json!(error));
    (data, failures)
}

async fn collect_default(
    shared: &Shared,
    collectors: &[String],
    data: &mut Map<String, Value>,
) -> Result<(), String> {
    let inventory = shared.inventory().await.map_err(|fault| fault.details)?;
    if let Ok(root) = guess_root_disk(&inventory.disks, MIN_ROOT_DISK) {
        data.insert("root_disk".to_owned(), json!(root));
    }
    data.insert(
        "boot_interface".to_owned(),
        json!(inventory.boot.pxe_interface),
    );
    let (manager, version) = crate::MANAGER_VERSION;
    data.insert(
        "configuration".to_owned(),
        json!({"collectors": collectors, "managers": [{"name": manager, "version": version}]}),
    );
    data.insert("inventory".to_owned(), json!(inventory));
    Ok(())
}

async fn post(
    shared: &Shared,
    targets: &[String],
    data: Map<String, Value>,
) -> Result<Value, InspectionError> {
    let body = Value::Object(data).to_string();
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let error = match post_once(shared, targets, &body).await {
            Ok(answer) => return Ok(answer),
            Err(Failure::Final(error)) => return Err(InspectionError::NotTaken(error)),
            Err(Failure::Again(error)) => error,
        };
        if attempt == ATTEMPTS {
            return Err(InspectionError::NotTaken(error));
        }
        shared.journal.warn(&format!("inspection: {error}"));
        tokio::time::sleep(pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)).await;
        pause *= 2;
    }
    Err(InspectionError::NotTaken("no attempt was made".to_owned()))
}

enum Failure {
    Again(String),
    Final(String),
}

async fn post_once(shared: &Shared, targets: &[String], body: &str) -> Result<Value, Failure> {
    let mut last = String::new();
    for url in targets {
        let mut request = shared
            .http
            .post(url)
            .timeout(shared.config.request_timeout)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(body.to_owned());
        if let Some(id) = &shared.config.request_id {
            request = request.header("X-OpenStack-Request-ID", id);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                last = error.to_string();
                continue;
            }
        };
        let status = response.status();
        if status.is_server_error() || status == StatusCode::CONFLICT {
            return Err(Failure::Again(format!("{url} says {status}")));
        }
        if status.is_client_error() {
            return Err(Failure::Final(format!("{url} says {status}")));
        }
        let answer = read(response)
            .await
            .map_err(|error| Failure::Again(error.to_string()))?;
        return serde_json::from_slice(&answer)
            .map_err(|_| Failure::Final(format!("{url} answers nonsense")));
    }
    Err(Failure::Again(last))
}

/// Waits until the interface that the machine started from, or every one, has an address.
async fn wait_for_addresses(shared: &Shared) {
    let config = &shared.config;
    let boot_mac = config.params.boot_mac();
    if config.dhcp_wait.is_zero() || (boot_mac.is_none() && !config.dhcp_all_interfaces) {
        return;
    }
    let deadline = Instant::now() + config.dhcp_wait;
    loop {
        let missing = shared.inventory().await.is_ok_and(|inventory| {
            inventory.interfaces.iter().any(|nic| {
                let counts =
                    config.dhcp_all_interfaces || boot_mac.as_deref() == Some(&nic.mac_address);
                counts && nic.ipv4_address.is_none()
            })
        });
        if !missing {
            return;
        }
        if Instant::now() >= deadline {
            shared
                .journal
                .warn("not every network interface has an address");
            return;
        }
        tokio::time::sleep(ADDRESS_PAUSE).await;
    }
}
