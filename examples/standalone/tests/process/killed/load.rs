//! Clients that lead nodes through their lives and write down what they are answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::RwLock;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::ledger::{Account, Ledger, Presence, Stock, Verb};

/// How long a client waits before it looks at a node again that something is going on with.
const A_MOMENT: Duration = Duration::from_millis(15);

/// The same choices for the same seed (SplitMix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Where the service answers, and what it has answered. A client holds `url` from a request until
/// its answer is in the ledger: who has it alone knows that nothing is on its way.
pub(super) struct Site {
    pub(super) url: RwLock<String>,
    pub(super) ledger: Mutex<Ledger>,
    http: reqwest::Client,
}

impl Site {
    pub(super) fn new() -> Arc<Self> {
        // Nothing here speaks TLS, but the client does not start without a provider of it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Arc::new(Self {
            url: RwLock::default(),
            ledger: Mutex::default(),
            http: reqwest::Client::new(),
        })
    }

    /// Sends a request, and writes down what comes of it: no status when the service was gone
    /// before it had answered.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        note: impl FnOnce(&mut Ledger, Option<u16>),
    ) -> Option<(u16, Value)> {
        let changes = method != Method::GET;
        let url = self.url.read().await;
        let mut request = self
            .http
            .request(method, format!("{}{path}", *url))
            .header("X-OpenStack-Ironic-API-Version", "1.115");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.ok();
        let status = response.as_ref().map(|response| response.status().as_u16());
        self.enter(changes, status, note);
        drop(url);
        let body = response?.bytes().await.ok()?;
        Some((
            status?,
            serde_json::from_slice(&body).unwrap_or(Value::Null),
        ))
    }

    /// How many answers said that something was done.
    pub(super) fn answers(&self) -> usize {
        self.ledger.lock().unwrap().answers
    }

    fn enter(
        &self,
        changes: bool,
        status: Option<u16>,
        note: impl FnOnce(&mut Ledger, Option<u16>),
    ) {
        let mut ledger = self.ledger.lock().unwrap();
        if changes && outcome(status) == Some(true) {
            ledger.answers += 1;
        }
        note(&mut ledger, status);
    }

    /// All that the service has, in lists.
    pub(super) async fn stock(&self, url: &str) -> Stock {
        let fields = "uuid,provision_state,target_provision_state,last_error,extra,reservation";
        Stock {
            nodes: self.all(url, "nodes", fields).await,
            ports: self.all(url, "ports", "uuid").await,
        }
    }

    async fn all(&self, url: &str, name: &str, fields: &str) -> BTreeMap<Uuid, Value> {
        let mut all = BTreeMap::new();
        let mut next = format!("{url}/v1/{name}?fields={fields}");
        loop {
            let request = self.http.get(&next);
            let request = request.header("X-OpenStack-Ironic-API-Version", "1.115");
            let response = request.send().await.unwrap();
            let mut body: Value = response.json().await.unwrap();
            for record in body[name].as_array_mut().unwrap() {
                let id = record["uuid"].as_str().unwrap().parse().unwrap();
                all.insert(id, record.take());
            }
            match body["next"].as_str() {
                Some(link) => next = link.to_owned(),
                None => return all,
            }
        }
    }
}

/// Whether something was done, was not, or nobody knows. A server that fails says nothing.
fn outcome(status: Option<u16>) -> Option<bool> {
    match status {
        Some(200..300) => Some(true),
        Some(400..500) => Some(false),
        _ => None,
    }
}

/// One client, with nodes that nobody else has.
pub(super) struct Client {
    pub(super) site: Arc<Site>,
    pub(super) number: u64,
    pub(super) chance: Chance,
    pub(super) made: u64,
}

impl Client {
    /// Leads one node after the other through a life, until told to stop.
    pub(super) async fn work(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.made += 1;
            let node = Uuid::from_u64_pair(0xc1e0_0000_0000_4000 + self.number, self.made);
            while !stop.is_cancelled() && self.advance(node).await {}
        }
    }

    /// Does the next thing to a node; not when it is gone.
    async fn advance(&mut self, node: Uuid) -> bool {
        let path = format!("/v1/nodes/{node}");
        let shown = self.site.ask(Method::GET, &path, None, |_, _| {}).await;
        match shown {
            Some((200, shown)) => {
                // Whatever became of the request that made it.
                self.with(node, Account::is_seen);
                self.change(node, &shown).await;
            }
            Some((404, _)) if self.is_over(node) => return false,
            Some((404, _)) => self.enrol(node).await,
            _ => sleep(A_MOMENT).await,
        }
        true
    }

    /// Whether the node was removed, or may have been.
    fn is_over(&self, node: Uuid) -> bool {
        let ledger = self.site.ledger.lock().unwrap();
        let presence = ledger.nodes.get(&node).map(|account| account.presence);
        matches!(presence, Some(Presence::Gone | Presence::Leaving))
    }

    async fn enrol(&self, node: Uuid) {
        self.with(node, |_| ());
        let body = json!({"driver": "fake-hardware", "uuid": node, "extra": {"number": 0}});
        let note = |ledger: &mut Ledger, status| {
            if outcome(status) == Some(true) {
                ledger.nodes.get_mut(&node).unwrap().presence = Presence::There;
            }
        };
        self.site
            .ask(Method::POST, "/v1/nodes", Some(body), note)
            .await;
    }

    async fn change(&mut self, node: Uuid, shown: &Value) {
        let next = match shown["provision_state"].as_str().unwrap() {
            "enroll" | "clean failed" => Some(Verb::Manage),
            "manageable" => Some(Verb::Provide),
            "available" => Some(Verb::Active),
            "active" | "deploy failed" | "error" => Some(Verb::Deleted),
            _ => None,
        };
        let rests = next.is_some() && shown["reservation"].is_null();
        match self.chance.below(12) {
            0..=2 => self.write(node).await,
            3 | 4 => self.add_port(node).await,
            5 => self.remove_port(node).await,
            6 if rests && next != Some(Verb::Deleted) => self.delete(node).await,
            7.. if rests => self.tell(node, next.unwrap()).await,
            _ => sleep(A_MOMENT).await,
        }
    }

    async fn write(&self, node: Uuid) {
        let number = self.with(node, |account| {
            account.written += 1;
            account.written
        });
        let patch = json!([{"op": "replace", "path": "/extra/number", "value": number}]);
        let note = |ledger: &mut Ledger, status| {
            if outcome(status) == Some(true) {
                ledger.nodes.get_mut(&node).unwrap().kept = number;
            }
        };
        let path = format!("/v1/nodes/{node}");
        self.site.ask(Method::PATCH, &path, Some(patch), note).await;
    }

    async fn tell(&self, node: Uuid, verb: Verb) {
        // One that went unanswered has come to nothing, or has brought the node where it is.
        self.with(node, |account| {
            if let Some(asked) = account.asked.replace(verb) {
                account.taken = Some(asked).filter(|_| verb != asked).or(account.taken);
            }
        });
        let path = format!("/v1/nodes/{node}/states/provision");
        let note = |ledger: &mut Ledger, status| {
            let account = ledger.nodes.get_mut(&node).unwrap();
            match outcome(status) {
                Some(true) => (account.taken, account.asked) = (Some(verb), None),
                Some(false) => account.asked = None,
                None => {}
            }
        };
        let body = json!({"target": verb.name()});
        self.site.ask(Method::PUT, &path, Some(body), note).await;
    }

    async fn add_port(&mut self, node: Uuid) {
        let tail = self.chance.below(1 << 40);
        let port = Uuid::from_u64_pair(0x9087_0000_0000_4000 + self.number, tail);
        let address = tail.to_be_bytes();
        let address = address.get(3..).unwrap();
        let address: Vec<_> = address.iter().map(|byte| format!("{byte:02x}")).collect();
        let body = json!({
            "node_uuid": node, "uuid": port, "address": format!("02:{}", address.join(":")),
        });
        self.with(node, |account| account.ports.insert(port, Presence::Asked));
        let note = set_port(node, port, Presence::There, Presence::Gone);
        self.site
            .ask(Method::POST, "/v1/ports", Some(body), note)
            .await;
    }

    async fn remove_port(&mut self, node: Uuid) {
        let choice = self.chance.below(8) as usize;
        let port = self.with(node, |account| {
            let mut there = account
                .ports
                .iter_mut()
                .filter(|(_, at)| **at == Presence::There);
            let (port, presence) = there.nth(choice)?;
            *presence = Presence::Leaving;
            Some(*port)
        });
        let Some(port) = port else { return };
        let note = set_port(node, port, Presence::Gone, Presence::There);
        let path = format!("/v1/ports/{port}");
        self.site.ask(Method::DELETE, &path, None, note).await;
    }

    async fn delete(&self, node: Uuid) {
        self.with(node, |account| account.leave(Presence::Leaving));
        let note = |ledger: &mut Ledger, status| {
            let account = ledger.nodes.get_mut(&node).unwrap();
            match outcome(status) {
                Some(true) => account.leave(Presence::Gone),
                Some(false) => account.leave(Presence::There),
                None => {}
            }
        };
        let path = format!("/v1/nodes/{node}");
        self.site.ask(Method::DELETE, &path, None, note).await;
    }

    fn with<T>(&self, node: Uuid, change: impl FnOnce(&mut Account) -> T) -> T {
        let mut ledger = self.site.ledger.lock().unwrap();
        change(ledger.nodes.entry(node).or_insert_with(Account::new))
    }
}

impl Account {
    /// An answer has shown it.
    fn is_seen(&mut self) {
        if self.presence == Presence::Asked {
            self.presence = Presence::There;
        }
    }

    /// Goes, with what goes with it; or has stayed after all.
    fn leave(&mut self, presence: Presence) {
        self.presence = presence;
        for port in self.ports.values_mut().filter(|port| port.may_be_there()) {
            *port = match (presence, *port) {
                (Presence::Gone, _) => Presence::Gone,
                (Presence::Leaving, Presence::There) => Presence::Leaving,
                // Of one that was leaving before, nobody knows; that is no claim about it.
                (_, port) => port,
            };
        }
    }
}

/// Notes whether a port is there.
fn set_port(
    node: Uuid,
    port: Uuid,
    done: Presence,
    refused: Presence,
) -> impl FnOnce(&mut Ledger, Option<u16>) {
    move |ledger, status| {
        let ports = &mut ledger.nodes.get_mut(&node).unwrap().ports;
        let presence = match outcome(status) {
            Some(true) => done,
            Some(false) => refused,
            None => return,
        };
        ports.insert(port, presence);
    }
}
