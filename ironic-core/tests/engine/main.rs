//! The engine as its host uses it, on fake hardware in paused time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod adopt;
mod agent_settings;
mod caches;
mod cleaning;
mod console;
mod crash;
mod crowd;
mod disabled;
mod events;
mod explain;
mod failed_start;
mod failures;
mod fast_track;
mod given_up;
mod health;
mod history;
mod hold;
mod hooked;
mod house;
mod inspection;
mod interleave;
mod journal;
mod keep_alive;
mod lessee;
mod lifecycle;
mod limits;
mod locks;
mod lost_locks;
mod maintenance;
mod management;
mod meanwhile;
mod media;
mod notifications;
mod plan;
mod power;
mod refusals;
mod rescue;
mod resumed;
mod service;
mod steps;
mod stop;
mod storm;
mod take_over;
mod tear_down_agent;
mod timeouts;
mod vendor;
mod vifs;
mod waiting;
