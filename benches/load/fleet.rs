//! The nodes that the clients ask for.

use std::time::Duration;

use hyper::{Method, StatusCode};
use ironic_benches::service::{Clients, Connection, Failure};
use serde::Deserialize;
use serde_json::json;

/// How long a node may take until it is available.
const LOOKS: usize = 1000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) uuid: String,
    pub(crate) provision_state: String,
}

/// Enrols this many, and makes them available; answers their uuids.
pub(crate) async fn bring_up(clients: &mut Clients, count: usize) -> Result<Vec<String>, Failure> {
    let uuids = std::cell::RefCell::new(Vec::new());
    let done = clients.each(count, async |connection, number| {
        let node = json!({
            "name": format!("node-{number}"),
            "driver": "fake-hardware",
            "properties": {"cpu_arch": "x86_64", "cpus": 64, "memory_mb": 524_288},
        });
        let answer = connection
            .send(Method::POST, "/v1/nodes", node.to_string())
            .await?;
        let node: Node = answer.expect(StatusCode::CREATED)?.json()?;
        lead(connection, &node.uuid, "manage", "manageable").await?;
        lead(connection, &node.uuid, "provide", "available").await?;
        uuids.borrow_mut().push(node.uuid);
        Ok(())
    });
    done.await?;
    Ok(uuids.into_inner())
}

async fn lead(
    connection: &mut Connection,
    node: &str,
    target: &str,
    state: &str,
) -> Result<(), Failure> {
    let path = format!("/v1/nodes/{node}/states/provision");
    let asked = format!(r#"{{"target":"{target}"}}"#);
    let answer = connection.send(Method::PUT, &path, asked).await?;
    answer.expect(StatusCode::ACCEPTED)?;
    for _ in 0..LOOKS {
        let answer = connection.get(&format!("/v1/nodes/{node}")).await?;
        let seen: Node = answer.expect(StatusCode::OK)?.json()?;
        if seen.provision_state == state {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(format!("node {node} is not {state}").into())
}
