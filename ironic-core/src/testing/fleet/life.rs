use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// One life of a conductor: from its start to its crash or stop.
///
/// Whatever a conductor does to the world (to the store, to machines, to those who asked) passes
/// through its life. So a dead conductor is one whose tasks stand still for ever wherever they
/// next touch the world: nothing of it is dropped in good order, as nothing is when a process is
/// killed. A paused one stands still until it is resumed, as a process that is stopped, or a
/// virtual machine that is moved.
#[derive(Debug)]
pub(super) struct Life {
    /// The conductor's name.
    pub(super) host: String,
    /// The how-manieth life under this name, from 0.
    pub(super) number: u64,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Runs,
    Paused,
    Dead,
}

impl Life {
    pub(super) fn new(host: &str, number: u64) -> Self {
        Self {
            host: host.to_owned(),
            number,
            state: Mutex::new(State::Runs),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn become_(&self, state: State) {
        {
            let mut now = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if *now == State::Dead {
                return;
            }
            *now = state;
        }
        self.changed.notify_waiters();
    }

    /// It is killed.
    pub(super) fn kill(&self) {
        self.become_(State::Dead);
    }

    /// It stands still.
    pub(super) fn pause(&self) {
        self.become_(State::Paused);
    }

    /// It goes on.
    pub(super) fn resume(&self) {
        self.become_(State::Runs);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state() == State::Dead
    }

    /// As soon as it may touch the world; never, when it is dead.
    pub(super) async fn pass(&self) {
        loop {
            let changed = self.changed.notified();
            match self.state() {
                State::Runs => return,
                State::Paused => changed.await,
                State::Dead => std::future::pending().await,
            }
        }
    }

    /// Until it is dead.
    pub(super) async fn died(&self) {
        loop {
            let changed = self.changed.notified();
            if self.is_dead() {
                return;
            }
            changed.await;
        }
    }
}
