use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hyper::{Method, StatusCode};
use ironic_benches::service::{Clients, Connection, Failure, Service, free_address};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::ask::{self, Nodes, Seen};
use crate::{CLIENTS, Move, NODES, WARM_UP};

/// How long all nodes may take for one step before something is wrong.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a client waits that was told to come again.
const COME_AGAIN: Duration = Duration::from_millis(100);

/// Prepares a folder, and says how the program is run in it at an address.
type Prepare = Box<dyn Fn(&Path, SocketAddr) -> Result<Command, Failure>>;

/// What is measured, before it runs.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) prepare: Prepare,
    /// How long to wait between two looks at how far the nodes are.
    pub(crate) look_every: Duration,
}

/// One of both services, with its clients.
pub(crate) struct Side {
    name: &'static str,
    pub(crate) service: Service,
    clients: Clients,
    watcher: Connection,
    look_every: Duration,
    nodes: Vec<String>,
    _folder: TempDir,
}

impl Side {
    pub(crate) async fn start(program: &Program) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let command = (program.prepare)(folder.path(), address)?;
        let service = Service::start(command, address).await?;
        Ok(Self {
            name: program.name,
            clients: Clients::open(address, CLIENTS).await?,
            watcher: Connection::open(address).await?,
            service,
            look_every: program.look_every,
            nodes: Vec::new(),
            _folder: folder,
        })
    }

    /// Enrols a few nodes, reads and lists them, and removes them.
    pub(crate) async fn warm_up(&mut self) -> Result<(), Failure> {
        self.enrol_some(WARM_UP).await?;
        self.read(Duration::from_secs(1)).await?;
        for (path, _) in ask::LISTS {
            self.watcher.get(path).await?.expect(StatusCode::OK)?;
        }
        self.remove().await
    }

    /// Nodes enrolled in a second.
    pub(crate) async fn enrol(&mut self) -> Result<f64, Failure> {
        self.tell("enrols");
        self.enrol_some(NODES).await
    }

    async fn enrol_some(&mut self, count: usize) -> Result<f64, Failure> {
        let took = self.clients.each(count, async |connection, number| {
            let answer = connection
                .send(Method::POST, "/v1/nodes", ask::node(number))
                .await?;
            answer.expect(StatusCode::CREATED).map(drop)
        });
        let rate = count as f64 / took.await?.as_secs_f64();
        let all = self.watcher.get("/v1/nodes?fields=uuid&limit=1000").await?;
        let all: Nodes = all.expect(StatusCode::OK)?.json()?;
        if all.nodes.len() != count {
            return Err(format!("{count} were enrolled, {} are there", all.nodes.len()).into());
        }
        self.nodes = all.nodes.into_iter().map(|node| node.uuid).collect();
        Ok(rate)
    }

    /// Removes all nodes.
    pub(crate) async fn remove(&mut self) -> Result<(), Failure> {
        let nodes = std::mem::take(&mut self.nodes);
        let removed = self.clients.each(nodes.len(), async |connection, number| {
            let node = nodes.get(number).map_or("", String::as_str);
            let path = format!("/v1/nodes/{node}");
            let answer = connection.send(Method::DELETE, &path, "").await?;
            answer.expect(StatusCode::NO_CONTENT).map(drop)
        });
        removed.await.map(drop)
    }

    /// Nodes read in a second, one by one.
    pub(crate) async fn read(&mut self, long: Duration) -> Result<f64, Failure> {
        self.tell("reads");
        let nodes = &self.nodes;
        let rate = self.clients.rate(long, async |connection, number| {
            // Not in the order in which they were enrolled.
            let node = nodes.get(number.wrapping_mul(7919) % nodes.len());
            let node = node.map_or("", String::as_str);
            let answer = connection.get(&format!("/v1/nodes/{node}")).await?;
            let read: Seen = answer.expect(StatusCode::OK)?.json()?;
            if read.uuid == node {
                Ok(())
            } else {
                Err(format!("{} was read instead of {node}", read.uuid).into())
            }
        });
        rate.await
    }

    /// Milliseconds that each list takes that one client asks for, one after the other.
    pub(crate) async fn list(&mut self, path: &str, long: Duration) -> Result<Vec<f64>, Failure> {
        self.tell("lists");
        let (began, mut times) = (Instant::now(), Vec::new());
        while began.elapsed() < long {
            let asked = Instant::now();
            let answer = self.watcher.get(path).await?.expect(StatusCode::OK)?;
            times.push(asked.elapsed().as_secs_f64() * 1e3);
            self.check(&answer.json()?)?;
        }
        Ok(times)
    }

    /// Lists answered in a second, when all clients ask for them.
    pub(crate) async fn list_at_once(
        &mut self,
        path: &str,
        long: Duration,
    ) -> Result<f64, Failure> {
        let rate = self.clients.rate(long, async |connection, _| {
            connection.get(path).await?.expect(StatusCode::OK).map(drop)
        });
        rate.await
    }

    fn check(&self, listed: &Nodes) -> Result<(), Failure> {
        if listed.nodes.len() == self.nodes.len() {
            return Ok(());
        }
        Err(format!(
            "{} of {} nodes are listed",
            listed.nodes.len(),
            self.nodes.len()
        )
        .into())
    }

    /// Nodes that are led a step on in a second, all of them, from the first request until the
    /// last node is seen in its new state.
    pub(crate) async fn lead(&mut self, step: Move) -> Result<f64, Failure> {
        self.tell(step.target);
        let nodes = &self.nodes;
        let began = Instant::now();
        let asked = self.clients.each(nodes.len(), async |connection, number| {
            let node = nodes.get(number).map_or("", String::as_str);
            let path = format!("/v1/nodes/{node}/states/provision");
            let body = format!(r#"{{"target":"{}"}}"#, step.target);
            loop {
                let answer = connection.send(Method::PUT, &path, body.clone()).await?;
                // As many are at it as may be.
                if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                    return answer.expect(StatusCode::ACCEPTED).map(drop);
                }
                tokio::time::sleep(COME_AGAIN).await;
            }
        });
        asked.await?;
        loop {
            let there = self.watcher.get(&ask::in_state(step.state)).await?;
            let there: Nodes = there.expect(StatusCode::OK)?.json()?;
            if there.nodes.len() == nodes.len() {
                return Ok(nodes.len() as f64 / began.elapsed().as_secs_f64());
            }
            if began.elapsed() > PATIENCE {
                let (there, all) = (there.nodes.len(), nodes.len());
                return Err(
                    format!("{}: {there} of {all} nodes are {}", self.name, step.state).into(),
                );
            }
            tokio::time::sleep(self.look_every).await;
        }
    }

    fn tell(&self, what: &str) {
        eprintln!("{}: {what}", self.name);
    }
}
