//! What agents say: lookup, heartbeat, and what an inspection has found.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::engine::{Input, fast_track};
use crate::flow::Flow;
use crate::model::{Lock, Node};
use crate::secret::constant_time_eq;
use crate::states::ProvisionState;
use crate::transport::{HeartbeatArgs, InspectionArgs, LookupAnswer, Response};

/// How long until a worker is looked for again for an agent that has called.
const NO_WORKER_PAUSE: Duration = Duration::from_secs(1);

/// Where the agent's token is kept on the node.
const TOKEN: &str = "agent_secret_token";

impl Inner {
    /// Tells an agent which node it runs on, and, the first time, its token.
    pub(super) async fn lookup(&self, id: Uuid) -> Result<Response, Error> {
        let policy = &self.config.policy;
        let context = self.manager.context();
        let mut bytes = [0; 32];
        context.entropy.fill(&mut bytes);
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (node, given) = context
            .repository
            .update::<Node, _>(id, None, |node| {
                // An agent of a node that waits for none is told nothing, as if there were no such node.
                let runs_on = fast_track::enabled(node, policy)?;
                if !node.provision_state.allows_lookup(runs_on) {
                    return Err(Error::not_found("node", id));
                }
                if node.internal_str(TOKEN).is_some() {
                    return Ok(None);
                }
                node.set_internal(TOKEN, Value::from(token.clone()));
                Ok(Some(token.clone()))
            })
            .await?;
        let timeout = self.config.ramdisk_heartbeat_timeout.as_secs();
        Ok(Response::Lookup {
            answer: LookupAnswer::new(node, timeout, given)
                .with_md5(self.config.agent_allow_md5_checksum),
        })
    }

    /// Notes that an agent lives, and goes on with the node if it waits for that.
    pub(super) async fn heartbeat(
        self: &Arc<Self>,
        id: Uuid,
        args: &HeartbeatArgs,
    ) -> Result<Response, Error> {
        crate::metrics::heartbeat();
        let context = self.manager.context();
        let before = context.repository.load::<Node>(id).await?;
        check_token(&before.value, args.agent_token.as_deref())?;
        check_callback(&args.callback_url, self.config.agent_require_tls)?;
        // Somebody is about to decide without knowing where this agent is: it has to come again.
        if let Some(lock) = context.repository.get::<Lock>(id).await?
            && let Some(host) = &lock.holder
            && (*host != self.config.host || before.internal_str("agent_url").is_none())
        {
            return Err(lock.refusal());
        }
        let now = context.clock.now();
        context
            .repository
            .update::<Node, ()>(id, None, |node| {
                check_token(node, args.agent_token.as_deref())?;
                node.set_internal("agent_url", json!(args.callback_url));
                node.set_internal("agent_last_heartbeat", json!(now));
                node.set_internal("agent_version", json!(args.agent_version));
                node.set_internal("agent_verify_ca", json!(args.agent_verify_ca));
                Ok(())
            })
            .await?;
        self.agent_called(id).await;
        Ok(Response::Done)
    }

    /// Goes on with a node whose agent has called, now or when it is given back.
    pub(super) async fn agent_called(self: &Arc<Self>, node: Uuid) {
        let context = self.manager.context();
        let asks = match context.repository.get::<Flow>(node).await {
            // In maintenance a step is not asked; what becomes of the flow is to be decided.
            Ok(Some(flow)) => flow.asked_step().is_some() && !self.aborts(node).await,
            Ok(None) => return,
            Err(error) => {
                return tracing::warn!(%node, %error, "a heartbeat could not be followed up");
            }
        };
        let result = if asks {
            self.ask_step(node).await
        } else {
            self.go_on(node).await
        };
        if let Err(error) = result {
            if matches!(error, Error::NoFreeWorker { .. }) {
                return self.listen_later(node);
            }
            tracing::info!(%node, %error, "a heartbeat could not be followed up; the next one will be");
        }
    }

    /// Whether the agent's call ends its flow, as the node is in maintenance.
    async fn aborts(&self, node: Uuid) -> bool {
        if self.config.policy.allow_provisioning_in_maintenance {
            return false;
        }
        let node = self.manager.context().repository.get::<Node>(node).await;
        matches!(node, Ok(Some(node)) if node.maintenance)
    }

    /// Keeps the latest call of an agent until a worker may be free.
    fn listen_later(self: &Arc<Self>, node: Uuid) {
        if self.stopping.is_cancelled() || !Self::lock(&self.called).insert(node) {
            return;
        }
        tracing::info!(%node, "no worker is free for a heartbeat; it is followed up later");
        let inner = Arc::clone(self);
        self.spawn(async move {
            if inner.pause(NO_WORKER_PAUSE).await {
                inner.follow_up(node);
            }
        });
    }

    async fn go_on(self: &Arc<Self>, node: Uuid) -> Result<(), Error> {
        let worker = self.background_worker()?;
        match self.manager.try_exclusive(node, "heartbeat").await {
            Ok(task) => self.decide_and_work(task, &Input::Heartbeat, worker).await,
            Err(Error::NodeLocked { host, .. }) if host == self.config.host => {
                // The latest call is kept until the node is given back.
                Self::lock(&self.called).insert(node);
                match self.manager.try_exclusive(node, "heartbeat").await {
                    // Given back in between, so nobody will look at what was kept.
                    Ok(task) => {
                        Self::lock(&self.called).remove(&node);
                        self.decide_and_work(task, &Input::Heartbeat, worker).await
                    }
                    Err(_) => Ok(()),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Takes what an inspection's ramdisk has found.
    pub(super) async fn continue_inspection(
        self: &Arc<Self>,
        id: Uuid,
        found: &InspectionArgs,
    ) -> Result<Response, Error> {
        let task = self.manager.exclusive(id, "continue inspection").await?;
        let state = task.node().provision_state;
        if state != ProvisionState::InspectWait {
            self.manager.release(task).await?;
            return Err(Error::not_found("node waiting for inspection", id));
        }
        let mut task = task;
        let data = json!({"inventory": found.inventory, "plugin_data": found.plugin_data});
        task.node_mut().set_internal("inspection_data", data);
        self.decide_and_drive(task, &Input::Inspected).await?;
        Ok(Response::Done)
    }
}

/// The agent proves by its token that it is the one that was looked up.
fn check_token(node: &Node, given: Option<&str>) -> Result<(), Error> {
    let Some(expected) = node.internal_str(TOKEN) else {
        return Err(Error::invalid(
            "the node expects no agent: no agent token has been given out",
        ));
    };
    let Some(given) = given else {
        return Err(Error::missing(
            "agent_token is required: the agent got it from lookup",
        ));
    };
    if constant_time_eq(expected.as_bytes(), given.as_bytes()) {
        Ok(())
    } else {
        Err(Error::invalid(
            "agent_token is not the one that was given out for this node",
        ))
    }
}

/// Commands are going to be sent there, with the token.
fn check_callback(url: &str, require_tls: bool) -> Result<(), Error> {
    if require_tls && !url.starts_with("https://") {
        return Err(Error::invalid(
            "callback_url must be an https URL: agent_require_tls is set",
        ));
    }
    let plain = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let right = plain.is_some_and(|rest| {
        !rest.is_empty() && url.len() <= 255 && url.bytes().all(|b| b.is_ascii_graphic())
    });
    if right {
        Ok(())
    } else {
        Err(Error::invalid(
            "callback_url must be an http or https URL of at most 255 characters",
        ))
    }
}
