//! Simulates a fleet from one seed, or looks for a seed that fails.
//!
//! `fleet SEED NODES CONDUCTORS [--trace NODE] [--bug NAME]`
//! `fleet --search SEEDS NODES CONDUCTORS [--from SEED] [--bug NAME | --bugs]`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for the command line, which also measures how long it takes"
)]

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use ironic_core::testing::{Bug, FleetProgress, FleetReport, FleetSettings, run_fleet};

/// What was asked for.
#[derive(Debug, Clone)]
struct Asked {
    seed: u64,
    seeds: Option<u64>,
    nodes: usize,
    conductors: usize,
    trace: Option<usize>,
    bug: Option<Bug>,
    bugs: bool,
}

const USAGE: &str = "usage: fleet [--seed N] [--nodes N] [--conductors N] [--trace NODE] [--bug NAME]\n       fleet --search SEEDS [--seed FIRST] [--nodes N] [--conductors N] [--bug NAME | --bugs]";

fn asked() -> Result<Asked, String> {
    let mut asked = Asked {
        seed: 1,
        seeds: None,
        nodes: 200,
        conductors: 5,
        trace: None,
        bug: None,
        bugs: false,
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        if name == "--bugs" {
            asked.bugs = true;
            continue;
        }
        let value = args.next().ok_or(USAGE)?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{name} {value}: a number is expected"))
        };
        let size =
            || number().and_then(|number| usize::try_from(number).map_err(|e| e.to_string()));
        match name.as_str() {
            "--seed" => asked.seed = number()?,
            "--search" => asked.seeds = Some(number()?),
            "--nodes" => asked.nodes = size()?,
            "--conductors" => asked.conductors = size()?,
            "--trace" => {
                let number = value.strip_prefix("node-").unwrap_or(&value);
                asked.trace = Some(number.parse().map_err(|_| format!("no node {value}"))?);
            }
            "--bug" => {
                let names: Vec<_> = Bug::ALL.iter().map(|bug| bug.as_str()).collect();
                let unknown = || format!("no bug {value}; there are {}", names.join(", "));
                asked.bug = Some(value.parse().map_err(|_| unknown())?);
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(asked)
}

impl Asked {
    fn settings(&self, seed: u64, bug: Option<Bug>) -> FleetSettings {
        FleetSettings::new(seed)
            .nodes(self.nodes)
            .conductors(self.conductors)
            .bug(bug)
            .trace(self.trace)
    }

    /// How to see one simulation again.
    fn command(&self, seed: u64, bug: Option<Bug>) -> String {
        let bug = bug.map_or_else(String::new, |bug| format!(" BUG={bug}"));
        format!(
            "make fleet SEED={seed} NODES={} CONDUCTORS={}{bug}",
            self.nodes, self.conductors
        )
    }
}

fn bar(progress: FleetProgress) {
    const WIDTH: usize = 40;
    let full = WIDTH * progress.done / progress.of.max(1);
    let (done, left) = (
        "#".repeat(full.min(WIDTH)),
        ".".repeat(WIDTH - full.min(WIDTH)),
    );
    let time = progress.time.as_secs();
    eprint!(
        "\r{:<9} [{done}{left}] {}/{} at {}:{:02}:{:02} ",
        progress.phase,
        progress.done,
        progress.of,
        time / 3600,
        time / 60 % 60,
        time % 60
    );
}

fn tell(report: &FleetReport) {
    for line in &report.story {
        println!("{line}");
    }
    for wrong in &report.violations {
        println!("wrong: {wrong}");
    }
    println!(
        "{} s simulated: {} commits, {} events, {} requests, {} commands to machines, {} deaths of conductors, {} nodes active",
        report.time.as_secs(),
        report.commits,
        report.events,
        report.requests,
        report.commands,
        report.deaths,
        report.active
    );
    println!("settled: {} of {}", report.settled, report.nodes);
    println!("digest: {}", report.digest);
}

fn one(asked: &Asked) -> std::io::Result<bool> {
    let shows = std::io::stderr().is_terminal();
    let settings = asked.settings(asked.seed, asked.bug);
    let report = run_fleet(&settings, &mut |progress| {
        if shows {
            bar(progress);
        }
    })?;
    if shows {
        eprintln!();
    }
    tell(&report);
    Ok(report.is_well())
}

/// Simulates seed after seed, on every processor; the first that fails, if any does.
fn search(
    asked: &Asked,
    seeds: u64,
    bug: Option<Bug>,
) -> std::io::Result<Option<(u64, FleetReport)>> {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let failed = Mutex::new(BTreeMap::new());
    let work = || -> std::io::Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= seeds || stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let seed = asked.seed + number;
            let report = run_fleet(&asked.settings(seed, bug), &mut |_| {})?;
            if !report.is_well() {
                stop.store(true, Ordering::Relaxed);
                if let Ok(mut failed) = failed.lock() {
                    failed.insert(seed, report);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| std::io::Error::other("a simulation panicked"))??;
        }
        Ok::<(), std::io::Error>(())
    })?;
    let failed = failed.into_inner().unwrap_or_default();
    Ok(failed.into_iter().next())
}

fn look_for_failures(asked: &Asked, seeds: u64) -> std::io::Result<bool> {
    let began = Instant::now();
    match search(asked, seeds, asked.bug)? {
        None => {
            println!(
                "{seeds} seeds from {}: all well, in {:.1} s",
                asked.seed,
                began.elapsed().as_secs_f64()
            );
            Ok(true)
        }
        Some((seed, report)) => {
            tell(&report);
            println!(
                "seed {seed} fails; again: {}",
                asked.command(seed, asked.bug)
            );
            Ok(false)
        }
    }
}

/// Puts each defect back, and expects it to be found.
fn look_for_bugs(asked: &Asked, seeds: u64) -> std::io::Result<bool> {
    let mut all = true;
    for bug in Bug::ALL {
        let began = Instant::now();
        let found = search(asked, seeds, Some(*bug))?;
        let took = began.elapsed().as_secs_f64();
        match found {
            Some((seed, report)) => {
                let how = report.violations.first().map_or("", String::as_str);
                println!("{bug}: found by seed {seed}, in {took:.1} s: {how}");
            }
            None => {
                all = false;
                println!("{bug}: NOT found in {seeds} seeds, {took:.1} s");
            }
        }
    }
    Ok(all)
}

fn main() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let well = match asked.seeds {
        None => one(&asked),
        Some(seeds) if asked.bugs => look_for_bugs(&asked, seeds),
        Some(seeds) => look_for_failures(&asked, seeds),
    };
    match well {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
