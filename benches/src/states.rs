use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ironic_core::notify::{Event, Notification, Notifier, Object, RecordChange, Status};
use ironic_core::{Error, ProvisionState, Uuid};
use tokio::sync::watch;

/// Where a node is, and what went wrong on its way there.
type Place = (ProvisionState, Option<String>);

/// Tells who waits for a node as soon as it has moved.
///
/// A conductor gives a node back in the batch that moves it to where it rests, so that whoever is
/// told can go on with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct States {
    nodes: Arc<Mutex<BTreeMap<Uuid, watch::Sender<Place>>>>,
}

/// One node, as [`States`] sees it.
#[derive(Debug)]
pub(crate) struct Watched {
    place: watch::Receiver<Place>,
}

impl States {
    /// Watches a node that is about to be enrolled.
    pub(crate) fn watch(&self, node: Uuid) -> Watched {
        let (sender, place) = watch::channel((ProvisionState::Enroll, None));
        self.nodes().insert(node, sender);
        Watched { place }
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<Uuid, watch::Sender<Place>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notifier for States {
    fn notify(&self, notification: &Notification) {
        match &notification.event {
            Event::ProvisionSet { to, error, .. } => {
                if let Some(node) = self.nodes().get(&notification.subject) {
                    node.send_replace((*to, error.clone()));
                }
            }
            Event::Record {
                object: Object::Node,
                change: RecordChange::Delete,
                status: Status::End,
            } => {
                self.nodes().remove(&notification.subject);
            }
            _ => {}
        }
    }

    fn wants_payload(&self) -> bool {
        false
    }
}

impl Watched {
    /// Waits until the node is in `state`.
    ///
    /// # Errors
    /// It has failed on its way there, or is gone.
    pub(crate) async fn reach(&mut self, state: ProvisionState) -> Result<(), Error> {
        let arrived = |(now, error): &Place| *now == state || error.is_some();
        match self.place.wait_for(arrived).await.as_deref() {
            Ok((_, None)) => Ok(()),
            Ok((now, Some(error))) => Err(Error::StateConflict {
                message: format!("the node is in state \"{now}\": {error}"),
            }),
            Err(_) => Err(Error::StateConflict {
                message: "the node is gone".to_owned(),
            }),
        }
    }
}
