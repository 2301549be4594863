//! Simulates a fleet from one seed, or looks for a seed that fails; `--help` tells how.
#![allow(
    clippy::disallowed_methods,
    reason = "a program for the command line, which also measures how long it takes"
)]

mod args;
mod bar;
mod search;

use std::io::{Result, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ironic_core::testing::{Bug, FleetReport, run_fleet};

use args::{Asked, Job};
use bar::Bar;
use search::search;

fn tell(report: &FleetReport, out: &mut impl Write) -> Result<()> {
    for line in &report.story {
        writeln!(out, "{line}")?;
    }
    for wrong in &report.violations {
        writeln!(out, "wrong: {wrong}")?;
    }
    writeln!(
        out,
        "{} s simulated: {} commits, {} events, {} requests, {} commands to machines, {} deaths of conductors, {} nodes active",
        report.time.as_secs(),
        report.commits,
        report.events,
        report.requests,
        report.commands,
        report.deaths,
        report.active
    )?;
    writeln!(out, "settled: {} of {}", report.settled, report.nodes)?;
    writeln!(out, "digest: {}", report.digest)
}

fn one(asked: &Asked, out: &mut impl Write) -> Result<bool> {
    let mut bar = Bar::new();
    let settings = asked.settings(asked.seed, asked.bug);
    let report = run_fleet(&settings, &mut |progress| {
        let time = progress.time.as_secs();
        let clock = format!(" at {}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
        bar.show(progress.phase, progress.done, progress.of, &clock);
    })?;
    bar.clear();
    tell(&report, out)?;
    Ok(report.is_well())
}

/// A search, with what is shown meanwhile.
fn look(asked: &Asked, seeds: u64, bug: Option<Bug>) -> Result<Option<(u64, FleetReport)>> {
    let bar = Mutex::new(Bar::new());
    let found = search(asked, seeds, bug, &bar);
    bar.lock().unwrap_or_else(PoisonError::into_inner).clear();
    found
}

fn look_for_failures(asked: &Asked, seeds: u64, out: &mut impl Write) -> Result<bool> {
    let began = Instant::now();
    if let Some((seed, report)) = look(asked, seeds, asked.bug)? {
        tell(&report, out)?;
        let command = asked.command(seed, asked.bug);
        write!(out, "seed {seed} fails; again: {command}")?;
        if let Some(node) = report.violations.iter().find_map(|wrong| wrong.node()) {
            write!(out, " TRACE={node}")?;
        }
        writeln!(out)?;
        return Ok(false);
    }
    let first = asked.settings(asked.seed, asked.bug);
    let (one, again) = (
        run_fleet(&first, &mut |_| {})?,
        run_fleet(&first, &mut |_| {})?,
    );
    if one.digest != again.digest {
        let (seed, command) = (asked.seed, asked.command(asked.seed, asked.bug));
        writeln!(
            out,
            "seed {seed} gives {} and then {}; again: {command}",
            one.digest, again.digest
        )?;
        return Ok(false);
    }
    writeln!(
        out,
        "{seeds} seeds from {} of {} nodes and {} conductors: all well, and the first twice the same to the last byte, in {:.1} s",
        asked.seed,
        asked.nodes,
        asked.conductors,
        began.elapsed().as_secs_f64()
    )?;
    Ok(true)
}

/// Puts each defect back, and expects it to be found.
fn look_for_bugs(asked: &Asked, seeds: u64, out: &mut impl Write) -> Result<bool> {
    writeln!(
        out,
        "| defect put back | what it breaks | seed | what finds it | s |\n|---|---|---|---|---|"
    )?;
    let (mut missed, mut shown) = (0, Vec::new());
    for bug in Bug::ALL {
        let began = Instant::now();
        let found = look(asked, seeds, Some(*bug))?;
        let took = began.elapsed().as_secs_f64();
        let (seed, by) = match &found {
            Some((seed, report)) => {
                let first = report.violations.first();
                if let Some(first) = first {
                    shown.push(format!("{bug}: seed {seed}, {first}"));
                }
                let by = first.map_or("it does not settle", |first| first.invariant);
                (seed.to_string(), by)
            }
            None => (format!("none of {seeds}"), "NOT FOUND"),
        };
        // What is found by something else has not been found: that is another defect.
        let by = if bug.found_by().contains(&by) {
            by.to_owned()
        } else {
            missed += 1;
            match found {
                Some(_) => format!("NOT FOUND, but: {by}"),
                None => by.to_owned(),
            }
        };
        writeln!(
            out,
            "| {bug} | {} | {seed} | {by} | {took:.1} |",
            bug.breaks()
        )?;
        out.flush()?;
    }
    writeln!(out)?;
    for line in shown {
        writeln!(out, "{line}")?;
    }
    let all = Bug::ALL.len();
    writeln!(out, "found: {} of {all}", all - missed)?;
    Ok(missed == 0)
}

fn run(asked: &Asked, out: &mut impl Write) -> Result<bool> {
    match asked.job {
        Job::Help => write!(out, "{}", Asked::usage()).map(|()| true),
        Job::One => one(asked, out),
        Job::Search(seeds) => look_for_failures(asked, seeds, out),
        Job::Bugs(seeds) => look_for_bugs(asked, seeds, out),
    }
}

fn main() -> ExitCode {
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
    let done = match Asked::read(std::env::args().skip(1)) {
        Ok(asked) => run(&asked, &mut out),
        Err(message) => Err(std::io::Error::other(message)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to be told when this fails too.
            let _ = writeln!(err, "fleet: {error}");
            ExitCode::from(2)
        }
    }
}
