use uuid::Uuid;

use super::{Books, Command, Invariant};

/// A machine is never powered or written by two: who changes it holds its node, and no command of
/// another is under way.
pub(super) struct OneCommander;

impl Invariant for OneCommander {
    fn name(&self) -> &'static str {
        "a machine is never powered or written by two"
    }

    fn command(&mut self, node: Uuid, command: &Command, books: &Books) -> Result<(), String> {
        let name = books.name(node);
        let Command { host, life, .. } = command;
        let Some(fence) = command.fence else {
            return Ok(());
        };
        let lock = books.locks.get(&node);
        let holds =
            lock.is_some_and(|it| it.epoch == fence.epoch && it.holder.as_ref() == Some(host));
        if !holds {
            let now = lock.map(|lock| (lock.epoch, lock.holder.clone()));
            return Err(format!(
                "{host} commands {name} as its holder at epoch {}, but its lock is {now:?}",
                fence.epoch
            ));
        }
        let machine = books.machines.get(&node);
        for other in machine.into_iter().flat_map(|machine| &machine.running) {
            let other = &other.command;
            if other.fence.is_some() && (&other.host, other.life) != (host, *life) {
                return Err(format!(
                    "{host} commands {name} while a command of {} is under way",
                    other.host
                ));
            }
        }
        Ok(())
    }
}
