//! A whole fleet, brought up and idle, in virtual time: each in a process of its own, which shows
//! what it takes in memory.

use std::env;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ironic_benches::{
    BANDS, Figure, Idle, IdleReport, Rollout, RolloutReport, Target, areas, columns,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::footprint::{peak, resident};
use crate::report::Plot;

/// Set in that process, to what it is to do.
const CHILD: &str = "IRONIC_BENCH_FLEET";

const FLEET: usize = 13_500;
const SMALLER: [usize; 2] = [100, 1_000];
const SEED: u64 = 1;
const IDLE: usize = 100_000;
const FEW_IDLE: usize = 1_000;
/// How often power is read, by default; and how many such intervals are watched.
const INTERVAL: Duration = Duration::from_secs(120);
const INTERVALS: u32 = 5;

/// What is measured in that process.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Work {
    Rollout(usize),
    Idle(usize),
    PowerSync(usize),
}

/// What came of it.
#[derive(Serialize, Deserialize)]
struct Measured<T> {
    report: T,
    /// How long it took on the wall.
    seconds: f64,
    /// How many mebibytes more than at its beginning the process had in memory at its peak.
    memory: f64,
}

/// What fleets are told by.
pub(crate) struct Fleets {
    pub(crate) figures: Vec<Figure>,
    pub(crate) plots: Vec<Plot>,
}

/// In the process that is measured: does so and is true.
pub(crate) fn is_child() -> bool {
    let Ok(work) = env::var(CHILD) else {
        return false;
    };
    let idle = |idle: Idle| print(|| idle.run().unwrap());
    match serde_json::from_str(&work).unwrap() {
        Work::Rollout(nodes) => print(|| Rollout::new(nodes, SEED).run().unwrap()),
        Work::Idle(nodes) => idle(Idle::new(nodes)),
        Work::PowerSync(nodes) => idle(Idle::new(nodes).power_sync(INTERVAL, INTERVALS)),
    }
    true
}

fn print<T: Serialize>(work: impl FnOnce() -> T) {
    let (before, began) = (resident("self"), Instant::now());
    let report = work();
    let measured = Measured {
        report,
        seconds: began.elapsed().as_secs_f64(),
        memory: peak() - before,
    };
    println!("{}", serde_json::to_string(&measured).unwrap());
}

fn run<T: DeserializeOwned>(work: Work) -> Measured<T> {
    let child = Command::new(env::current_exe().unwrap())
        .env(CHILD, serde_json::to_string(&work).unwrap())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(child.status.success(), "a fleet did not come to its end");
    serde_json::from_slice(&child.stdout).unwrap()
}

pub(crate) fn measure() -> Fleets {
    eprintln!("fleets");
    let (mut figures, brought_up) = brought_up();
    let (idle, spread) = idle();
    figures.extend(idle);
    Fleets {
        figures,
        plots: vec![
            Plot {
                file: "fleet.svg",
                shows: "where 13,500 nodes are while they are brought up",
                svg: brought_up,
            },
            Plot {
                file: "idle.svg",
                shows: "when within the interval the power of 100,000 nodes is read",
                svg: spread,
            },
        ],
    }
}

fn brought_up() -> (Vec<Figure>, String) {
    let smaller = SMALLER.map(|nodes| run::<RolloutReport>(Work::Rollout(nodes)).report);
    let whole = run::<RolloutReport>(Work::Rollout(FLEET));
    let report = &whole.report;
    let nodes = report.nodes as f64;
    let mut figures = vec![
        Figure::new("13,500 nodes from enrolment to active", whole.seconds, "s")
            .target(Target::AtMost(60.0)),
        Figure::new("of them active", report.active as f64 / nodes * 100.0, "%")
            .target(Target::Exactly(100.0)),
        Figure::new("of them per second", nodes / whole.seconds, "nodes/s"),
        Figure::new(
            "for each, at the peak",
            whole.memory * 1024.0 / nodes,
            "KiB",
        ),
    ];
    let first = smaller.first().map(RolloutReport::commits_per_node);
    for (nth, report) in smaller.iter().chain([report]).enumerate() {
        let name = format!("commits per node, of {} nodes", thousands(report.nodes));
        let mut figure = Figure::new(name, report.commits_per_node(), "");
        // A larger fleet is measured by the smallest, and that one by none.
        figure.target = first.filter(|_| nth > 0).map(Target::Exactly);
        figures.push(figure);
    }
    let points = report.minutes.iter().enumerate();
    let points = points.map(|(minute, counts)| {
        let heights = counts.iter().map(|count| f64::from(*count));
        (minute as f64 / 60.0, heights.collect())
    });
    let title = format!(
        "{} nodes brought up by one conductor; {} times an operator had to help",
        thousands(report.nodes),
        thousands(report.failures)
    );
    let labels = ("hours of virtual time", "nodes");
    let svg = areas(&title, labels, &BANDS, &points.collect::<Vec<_>>());
    (figures, svg)
}

fn idle() -> (Vec<Figure>, String) {
    let few = run::<IdleReport>(Work::Idle(FEW_IDLE)).report;
    let many = run::<IdleReport>(Work::Idle(IDLE)).report;
    let report = run::<IdleReport>(Work::PowerSync(IDLE)).report;
    let as_few = |few: u64| Target::Exactly(few as f64);
    let each = |times: u64| times as f64 / f64::from(INTERVALS);
    let mean = report.spread.iter().sum::<u64>() as f64 / report.spread.len() as f64;
    let busiest = report.spread.iter().max().map_or(0.0, |most| *most as f64);
    let hour = "in an hour of 100,000 idle nodes, power sync off";
    let figures = vec![
        Figure::new(format!("looks at nodes {hour}"), many.looks as f64, "").target(as_few(0)),
        Figure::new("wake-ups of the thread then", many.thread_wakes as f64, "")
            .target(as_few(few.thread_wakes)),
        Figure::new("reads of the store then", many.store_reads as f64, "")
            .target(as_few(few.store_reads)),
        Figure::new("commits then", many.commits as f64, "").target(as_few(few.commits)),
        Figure::new("computing then", many.busy_micros as f64 / 1e3, "ms"),
        Figure::new(
            "power sync of 100,000 nodes: reads of a machine in an interval, the least",
            each(report.fewest),
            "",
        )
        .target(Target::Exactly(1.0)),
        Figure::new("the most", each(report.most), "").target(Target::Exactly(1.0)),
        Figure::new(
            "looks at nodes for each read",
            report.looks as f64 / report.reads as f64,
            "",
        )
        .target(Target::Exactly(1.0)),
        Figure::new("the busiest second, of the mean", busiest / mean, "×"),
        Figure::new(
            "computing for each read",
            report.busy_micros as f64 / report.reads as f64,
            "µs",
        ),
    ];
    let each_second = report
        .spread
        .iter()
        .map(|reads| *reads as f64 / f64::from(INTERVALS));
    let seconds = INTERVAL.as_secs_f64() / report.spread.len() as f64;
    let svg = columns(
        "100,000 idle nodes: whose power is read when within the interval",
        ("seconds of the interval", "reads, each second"),
        seconds,
        &each_second.collect::<Vec<_>>(),
    );
    (figures, svg)
}

/// A number as the titles have it.
fn thousands(number: u64) -> String {
    match (number / 1000, number % 1000) {
        (0, rest) => rest.to_string(),
        (more, rest) => format!("{more},{rest:03}"),
    }
}
