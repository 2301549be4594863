//! How fast the engine and its drivers are and what they take, with what is wanted of them and what
//! else there is beside them.
//!
//! A rate depends on the machine and on what else it does; compare rates of one run, or of two runs
//! on one idle machine.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on stops, and its peer is a process of its own"
)]

mod fleets;
mod footprint;
mod hashring;
mod ipmi;
mod ipmitool;
mod lifecycle;
mod raw;
mod report;
mod ring_peers;
mod scale;
mod start;
mod store;
mod timing;
mod writes;

use std::path::Path;
use std::time::{Duration, SystemTime};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use ironic_benches::{find_rates, render};
use tokio::runtime::Runtime;

fn main() {
    if footprint::is_child() || fleets::is_child() {
        return;
    }
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
    store::run(&mut criterion);
    ipmi::run(&mut criterion);
    if !ipmitool::run(&mut criterion) {
        println!(
            "ipmitool is not installed, so nothing to compare with (apt-get install ipmitool)"
        );
    }
    hashring::run(&mut criterion);
    criterion.final_summary();

    // Nothing is measured when benchmarks are only tried or listed.
    let rates = find_rates(&results, began).unwrap_or_default();
    let mut figures = report::figures(&rates);
    if !is_all() {
        if !figures.is_empty() {
            println!("\n{}", render(&figures));
        }
        return;
    }
    let runtime = Runtime::new().unwrap();
    eprintln!("memory, start and writes");
    figures.push(footprint::measure());
    figures.extend(start::measure());
    figures.extend(writes::measure(&runtime));
    let fleets = fleets::measure();
    figures.extend(fleets.figures);
    println!("\n{}", render(&figures));
    if report::is_asked_for() {
        let lifecycles = scale::lifecycles(&runtime);
        let lists = scale::lists(&runtime);
        let mut plots = report::plots(&figures, &lifecycles, &lists);
        plots.extend(fleets.plots);
        report::publish(&figures, &plots);
    }
}

/// Whether all is measured, rather than what some argument says.
fn is_all() -> bool {
    std::env::args()
        .skip(1)
        .all(|argument| argument == "--bench")
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;
