//! The boot interfaces as the engine calls them: machines that are not there, over real files,
//! DHCP tables and boot devices, in paused time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod agent;
mod bmc;
mod files;
mod house;
mod interrupted;
mod life;
mod machine_settings;
mod ramdisk_deploy;
mod validation;
