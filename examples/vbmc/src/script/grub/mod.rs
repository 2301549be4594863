//! GRUB's language, as far as network boot of unwatched machines uses it.

mod parse;
mod session;

use std::net::Ipv4Addr;

use ironic_pxe::dhcp::HardwareAddress;
use uuid::Uuid;

use parse::{Piece, Statement, Word, parse};

pub(crate) use session::{GrubSession, GrubStep};

/// The names under which GRUB looks for its configuration in a folder, in its order: by the machine's identifier, its
/// hardware address, ever shorter parts of its IP address, and at last one for all.
pub(crate) fn configuration_names(
    machine: Uuid,
    mac: HardwareAddress,
    address: Ipv4Addr,
) -> Vec<String> {
    let mac = mac.to_string().replace(':', "-");
    let ip = format!("{:08X}", u32::from(address));
    let mut names = vec![format!("grub.cfg-{machine}"), format!("grub.cfg-01-{mac}")];
    names.extend(
        (1..=ip.len())
            .rev()
            .filter_map(|len| ip.get(..len).map(|ip| format!("grub.cfg-{ip}"))),
    );
    names.push("grub.cfg".to_owned());
    names
}
