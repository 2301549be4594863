use std::net::SocketAddr;
use std::time::Duration;

use hyper::{Method, StatusCode};
use ironic_benches::service::{Answer, Connection, Failure};
use tokio::time::{Instant, sleep_until};

use crate::fleet::Node;
use crate::waits::{Kind, Waits};

/// What a client asks for, again and again.
const ROUND: [Kind; 10] = [
    Kind::Read,
    Kind::Read,
    Kind::Verb,
    Kind::Read,
    Kind::Patch,
    Kind::Read,
    Kind::List,
    Kind::Read,
    Kind::Verb,
    Kind::Read,
];

/// Somebody who asks for something at a rhythm of its own.
pub(crate) struct Client {
    connection: Connection,
    /// The first is patched, the others are deployed and undeployed.
    nodes: Vec<String>,
    asked: usize,
}

impl Client {
    pub(crate) async fn open(
        address: SocketAddr,
        number: usize,
        nodes: Vec<String>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            connection: Connection::open(address).await?,
            nodes,
            // Else all would ask for the same at the same time.
            asked: number,
        })
    }

    /// Asks from `first` to `end`, and counts what falls after `counted`.
    pub(crate) async fn ask(
        mut self,
        first: Instant,
        rhythm: Duration,
        counted: Instant,
        end: Instant,
    ) -> Waits {
        let mut waits = Waits::default();
        let mut due = first;
        while due < end {
            sleep_until(due).await;
            let number = self.asked;
            let kind = ROUND
                .get(number % ROUND.len())
                .copied()
                .unwrap_or(Kind::Read);
            self.asked += 1;
            let done = self.do_one(kind, number / ROUND.len()).await;
            if due >= counted {
                match done {
                    Ok(kind) => waits.add(kind, due.elapsed()),
                    Err(failure) => waits.fail(failure.to_string()),
                }
            }
            due += rhythm;
        }
        waits
    }

    async fn do_one(&mut self, kind: Kind, round: usize) -> Result<Kind, Failure> {
        match kind {
            Kind::Read => {
                let node = self.node(self.asked);
                self.get(&format!("/v1/nodes/{node}")).await?;
            }
            Kind::List => {
                self.get("/v1/nodes?limit=100").await?;
            }
            Kind::Patch => {
                let path = format!("/v1/nodes/{}", self.node(0));
                let patch = format!(r#"[{{"op":"add","path":"/extra/round","value":{round}}}]"#);
                let answer = self.connection.send(Method::PATCH, &path, patch).await?;
                answer.expect(StatusCode::OK)?;
            }
            Kind::Verb => return self.lead_on(1 + self.asked % (self.nodes.len() - 1)).await,
        }
        Ok(kind)
    }

    /// Asks a node for its next step, if it rests; else it has been read, and no more.
    async fn lead_on(&mut self, number: usize) -> Result<Kind, Failure> {
        let path = format!("/v1/nodes/{}", self.node(number));
        let seen = format!("{path}?fields=uuid,provision_state");
        let seen: Node = self.get(&seen).await?.json()?;
        let target = match seen.provision_state.as_str() {
            "available" => "active",
            "active" => "deleted",
            _ => return Ok(Kind::Read),
        };
        let asked = format!(r#"{{"target":"{target}"}}"#);
        let path = format!("{path}/states/provision");
        let answer = self.connection.send(Method::PUT, &path, asked).await?;
        answer.expect(StatusCode::ACCEPTED)?;
        Ok(Kind::Verb)
    }

    async fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.connection.get(path).await?.expect(StatusCode::OK)
    }

    fn node(&self, number: usize) -> String {
        let node = self.nodes.get(number % self.nodes.len());
        node.cloned().unwrap_or_default()
    }
}
