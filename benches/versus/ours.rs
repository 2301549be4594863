//! The program `ironic`.

use std::time::Duration;

use ironic_benches::service::ours;

use crate::side::Program;

pub(crate) fn program() -> Program {
    Program {
        name: "ours",
        prepare: Box::new(|folder, address| ours(env!("CARGO_TARGET_TMPDIR"), folder, address)),
        look_every: Duration::from_millis(50),
    }
}
