use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ironic_core::notify::{Event, Notification, Notifier, Object, RecordChange, Status};
use ironic_core::{ProvisionState as State, Uuid};
use tokio::sync::watch;

use crate::plot::Band;

/// Where nodes are, the first as they end.
pub const BANDS: [Band; 6] = [
    Band::new("active", "#3fb950"),
    Band::new("deploying", "#2f81f7"),
    Band::new("available", "#a371f7"),
    Band::new("cleaning", "#d29922"),
    Band::new("enrolled, verified", "#8b949e"),
    Band::new("failed", "#f85149"),
];

/// How many nodes are in each of [`BANDS`].
pub(super) type Counts = [u32; BANDS.len()];

/// Where a node is, and what went wrong on its way there.
pub(super) type Place = (State, Option<String>);

/// Who is told where nodes are, tells those who wait for one, and counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Board(Arc<Mutex<Nodes>>);

#[derive(Debug, Default)]
struct Nodes {
    places: BTreeMap<Uuid, (usize, watch::Sender<Place>)>,
    counts: Counts,
}

impl Board {
    /// Watches a node that is about to be enrolled.
    pub(super) fn watch(&self, node: Uuid) -> watch::Receiver<Place> {
        let (sender, place) = watch::channel((State::Enroll, None));
        self.nodes().places.insert(node, (usize::MAX, sender));
        place
    }

    /// What went wrong with the node is going to be put right.
    pub(super) fn forgive(&self, node: Uuid) {
        if let Some((_, sender)) = self.nodes().places.get(&node) {
            sender.send_modify(|(_, error)| *error = None);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.nodes().counts
    }

    fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, node: Uuid, place: Place) {
        let mut nodes = self.nodes();
        let to = band(&place);
        let Some((at, sender)) = nodes.places.get_mut(&node) else {
            return;
        };
        let from = std::mem::replace(at, to);
        sender.send_replace(place);
        if let Some(count) = nodes.counts.get_mut(from) {
            *count -= 1;
        }
        if let Some(count) = nodes.counts.get_mut(to) {
            *count += 1;
        }
    }
}

/// Its position in [`BANDS`].
fn band((state, error): &Place) -> usize {
    if error.is_some() {
        return BANDS.len() - 1;
    }
    match state {
        State::Active => 0,
        State::Deploying | State::DeployWait => 1,
        State::Available => 2,
        State::Cleaning | State::CleanWait => 3,
        State::Enroll | State::Verifying | State::Manageable => 4,
        _ => BANDS.len() - 1,
    }
}

impl Notifier for Board {
    fn notify(&self, notification: &Notification) {
        match &notification.event {
            Event::ProvisionSet { to, error, .. } => {
                self.put(notification.subject, (*to, error.clone()));
            }
            Event::Record {
                object: Object::Node,
                change: RecordChange::Create,
                status: Status::End,
            } => self.put(notification.subject, (State::Enroll, None)),
            _ => {}
        }
    }

    fn wants_payload(&self) -> bool {
        false
    }
}
