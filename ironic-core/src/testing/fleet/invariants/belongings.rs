use super::{Books, Commit, Invariant};

/// What belongs to a node goes with it, and no two ports have one address.
pub(super) struct Belongings;

impl Invariant for Belongings {
    fn name(&self) -> &'static str {
        "what belongs to a node goes with it"
    }

    fn commit(&mut self, commit: &Commit, books: &Books) -> Result<(), String> {
        for gone in commit.nodes.iter().filter(|change| change.after.is_none()) {
            let mut ports = books.ports.values();
            let name = books.name(gone.id);
            if ports.any(|port| port.node_uuid == gone.id) {
                return Err(format!("{name} is gone, and a port of it is left"));
            }
            if books.flows.contains_key(&gone.id) {
                return Err(format!("{name} is gone, and something goes on with it"));
            }
        }
        for change in &commit.ports {
            let Some(port) = &change.after else { continue };
            if !books.nodes.contains_key(&port.node_uuid) {
                return Err(format!("port {} belongs to no node", port.address));
            }
            let mut others = books.ports.iter().filter(|(id, _)| **id != change.id);
            if others.any(|(_, other)| other.address == port.address) {
                return Err(format!("two ports have the address {}", port.address));
            }
        }
        Ok(())
    }
}
