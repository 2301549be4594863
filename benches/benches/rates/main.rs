//! How fast the engine and its drivers are: rates of whole operations, and a table of them.
//!
//! No targets are set here. A rate depends on the machine and on what else it does; compare rates
//! of one run, or of two runs on one idle machine.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on stops, and its peer is a process of its own"
)]

mod hashring;
mod ipmi;
mod ipmitool;
mod lifecycle;
mod ring_peers;
mod store;

use std::path::Path;
use std::time::{Duration, SystemTime};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use ironic_benches::{Rate, find_rates, render};

/// Criterion's groups, and what each counts.
const UNITS: [(&str, &str); 10] = [
    (lifecycle::GROUP, "lifecycles/s"),
    (ipmi::GROUP, "status reads/s"),
    (ipmitool::GROUP, "status reads/s"),
    (store::READ, "nodes/s"),
    (store::COMMIT, "commits/s"),
    (store::LIST, "nodes/s"),
    (hashring::GROUP, "lookups/s"),
    (hashring::CRATE, "lookups/s"),
    (hashring::TOOZ, "lookups/s"),
    (hashring::CHANGE, "changes/s"),
];

fn main() {
    let began = SystemTime::now();
    // Beside the folder that cargo gives to benchmarks, which is where criterion's own tools look.
    let results = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&results)
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();

    lifecycle::run(&mut criterion);
    ipmi::run(&mut criterion);
    let peer = ipmitool::run(&mut criterion);
    store::run(&mut criterion);
    hashring::run(&mut criterion);
    criterion.final_summary();

    // Nothing is measured when benchmarks are only tried or listed.
    let rates = find_rates(&results, began).unwrap_or_default();
    if rates.is_empty() {
        return;
    }
    println!("\n{}", render(&rates, unit));
    hashring::compare(&rates);
    if peer {
        compare(&rates);
    } else {
        println!(
            "ipmitool is not installed, so nothing to compare with (apt-get install ipmitool)"
        );
    }
}

fn unit(group: &str) -> &'static str {
    let found = UNITS.iter().find(|(name, _)| *name == group);
    found.map_or("", |(_, unit)| *unit)
}

/// How many times as fast as ipmitool, one BMC, one read after the other.
fn compare(rates: &[Rate]) {
    let of = |group: &str, function: &str| {
        let mut rates = rates.iter();
        rates.find(|rate| rate.group == group && rate.function == function)
    };
    for peer in rates.iter().filter(|rate| rate.group == ipmitool::GROUP) {
        if let Some(ours) = of(ipmi::GROUP, &format!("{}, 1 BMC", peer.function)) {
            let times = ours.per_second / peer.per_second;
            println!("{}: {times:.1} times ipmitool's rate", peer.function);
        }
    }
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;
