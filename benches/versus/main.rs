//! Ours beside the original, Ironic 39 from PyPI, in one run on one machine.
//!
//! Both are one service of one process (the original's has a child), on SQLite and fake hardware,
//! with the same settings; the same clients ask both for the same, one side after the other while
//! the other one has nothing to do. The clients are one thread, and share the machine's processors
//! with the service that they ask: they cost the faster side more of them.
//!
//! `make bench-vs` installs the original and runs this; it fails where a target is missed.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark says what it does, and what it measures are processes of their own"
)]

mod ask;
mod original;
mod ours;
mod rows;
mod side;

use std::process::ExitCode;
use std::time::Duration;

use ironic_benches::service::Failure;

use rows::{Better, Rows};
use side::Side;

const NODES: usize = 1000;
const CLIENTS: usize = 16;
/// How often each side is started.
const STARTS: usize = 5;
/// Turns that the sides take at what can be asked for again and again, and how long one is.
const TURNS: usize = 3;
const TURN: Duration = Duration::from_secs(4);
/// How many nodes are enrolled and removed again before anything is measured.
const WARM_UP: usize = 64;

/// Where nodes are led, one target of `PUT states/provision` after the other.
const LIFE: [Move; 4] = [
    Move::new("manage", "manageable"),
    Move::new("provide", "available"),
    Move::new("active", "active"),
    Move::new("deleted", "available"),
];

/// What is asked of all nodes, and the state that it leads to.
#[derive(Debug, Clone, Copy)]
struct Move {
    target: &'static str,
    state: &'static str,
}

impl Move {
    const fn new(target: &'static str, state: &'static str) -> Self {
        Self { target, state }
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let measured = match runtime {
        Ok(runtime) => runtime.block_on(measure()),
        Err(error) => Err(error.into()),
    };
    match measured {
        Ok(rows) => {
            println!("\n{}", rows.table());
            if let Err(failure) = rows.publish() {
                eprintln!("versus: not published: {failure}");
                return ExitCode::FAILURE;
            }
            if rows.all_met() {
                ExitCode::SUCCESS
            } else {
                eprintln!("versus: a target is missed");
                ExitCode::FAILURE
            }
        }
        Err(failure) => {
            eprintln!("versus: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<Rows, Failure> {
    let mut rows = Rows::default();
    let programs = [ours::program(), original::program()?];

    eprintln!("starts");
    let mut started = [Vec::new(), Vec::new()];
    let mut at_start = [Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        for ((program, times), sizes) in programs.iter().zip(&mut started).zip(&mut at_start) {
            let side = Side::start(program).await?;
            times.push(side.service.started().as_secs_f64() * 1e3);
            sizes.push(side.service.memory()?);
        }
    }
    rows.add(
        "from its start to its first answer",
        "ms",
        Better::Less,
        &started,
        10.0,
    );
    rows.add("in memory then", "MiB", Better::Less, &at_start, 10.0);

    let [ours, original] = &programs;
    let mut sides = [Side::start(ours).await?, Side::start(original).await?];
    for side in &mut sides {
        side.warm_up().await?;
    }

    let mut enrolled = [Vec::new(), Vec::new()];
    for (side, rates) in sides.iter_mut().zip(&mut enrolled) {
        rates.push(side.enrol().await?);
    }
    let mut read = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (side, rates) in sides.iter_mut().zip(&mut read) {
            rates.push(side.read(TURN).await?);
        }
    }
    let mut lists = Vec::new();
    for (path, name) in ask::LISTS {
        let mut alone = [Vec::new(), Vec::new()];
        let mut at_once = [Vec::new(), Vec::new()];
        for _ in 0..TURNS {
            for (number, side) in sides.iter_mut().enumerate() {
                if let (Some(alone), Some(at_once)) =
                    (alone.get_mut(number), at_once.get_mut(number))
                {
                    alone.extend(side.list(path, TURN).await?);
                    at_once.push(side.list_at_once(path, TURN).await?);
                }
            }
        }
        lists.push((name, alone, at_once));
    }
    let mut moved = LIFE.map(|step| (step, [Vec::new(), Vec::new()]));
    for (step, rates) in &mut moved {
        for (side, rates) in sides.iter_mut().zip(rates) {
            rates.push(side.lead(*step).await?);
        }
    }
    let mut sizes = [Vec::new(), Vec::new()];
    for (side, sizes) in sides.iter_mut().zip(&mut sizes) {
        sizes.push(side.service.memory()?);
    }

    // What is over in a second is measured again: with other nodes, on the same service.
    let [ours, _] = &mut sides;
    for _ in 1..TURNS {
        ours.remove().await?;
        enrolled[0].push(ours.enrol().await?);
        for (step, rates) in &mut moved {
            rates[0].push(ours.lead(*step).await?);
        }
    }
    sizes[0].push(ours.service.memory()?);

    rows.add("enrolment", "nodes/s", Better::More, &enrolled, 30.0);
    rows.add("single reads", "reads/s", Better::More, &read, 50.0);
    for (name, alone, at_once) in &lists {
        rows.add(
            &format!("{name}, one client"),
            "ms",
            Better::Less,
            alone,
            20.0,
        );
        rows.add(
            &format!("{name}, {CLIENTS} clients"),
            "lists/s",
            Better::More,
            at_once,
            20.0,
        );
    }
    for ((step, rates), name) in moved
        .iter()
        .zip(["manage", "provide", "deploy", "undeploy"])
    {
        let what = format!("{name}, until {}", step.state);
        rows.add(&what, "nodes/s", Better::More, rates, 50.0);
    }
    rows.add("in memory at the end", "MiB", Better::Less, &sizes, 10.0);
    Ok(rows)
}
