//! From rates to a table, with what is wanted and what else was measured in the same run; and into
//! the README, with plots.

use std::path::Path;
use std::{env, fs};

use ironic_benches::{Figure, Rate, Series, Target, bars, into_readme, lines, render};

use crate::{hashring, ipmi, ipmitool, lifecycle, store};

/// Set to the folder of the README that is to show what comes of this run.
const INTO: &str = "IRONIC_BENCH_REPORT";

/// Criterion's groups, and what each counts. A list is told by its time.
const UNITS: [(&str, &str); 13] = [
    (lifecycle::GROUP, "lifecycles/s"),
    (ipmi::GROUP, "status reads/s"),
    (ipmitool::GROUP, "status reads/s"),
    (store::READ, "nodes/s"),
    (store::COMMIT, "commits/s"),
    (store::LIST, "ms"),
    (store::RAW_READ, "nodes/s"),
    (store::RAW_COMMIT, "commits/s"),
    (store::RAW_LIST, "ms"),
    (hashring::GROUP, "lookups/s"),
    (hashring::CRATE, "lookups/s"),
    (hashring::TOOZ, "lookups/s"),
    (hashring::CHANGE, "changes/s"),
];

const TARGETS: [(&str, &str, Target); 6] = [
    (
        lifecycle::GROUP,
        "64 at once, memory",
        Target::AtLeast(2_000.0),
    ),
    (
        lifecycle::GROUP,
        "64 at once, SQLite",
        Target::AtLeast(300.0),
    ),
    (store::READ, "one node, memory", Target::AtLeast(100_000.0)),
    // One after the other, each read wakes two threads that sleep, which takes longer than it does.
    (
        store::READ,
        "one node, 64 at once, SQLite",
        Target::AtLeast(15_000.0),
    ),
    (store::LIST, "1,000 summaries, SQLite", Target::AtMost(3.0)),
    (hashring::GROUP, hashring::MD5, Target::AtLeast(4e6)),
];

/// The rates of criterion as figures.
pub(crate) fn figures(rates: &[Rate]) -> Vec<Figure> {
    rates.iter().map(|rate| figure(rate, rates)).collect()
}

fn figure(rate: &Rate, all: &[Rate]) -> Figure {
    let (group, function) = (&*rate.group, &*rate.function);
    let unit = UNITS.iter().find(|(name, _)| *name == group);
    let unit = unit.map_or("", |(_, unit)| *unit);
    let value = match unit {
        "ms" => store::NODES as f64 / rate.per_second * 1e3,
        _ => rate.per_second,
    };
    let mut figure = Figure::new(format!("{group}: {function}"), value, unit);
    figure.spread = Some(rate.spread);
    figure.target = TARGETS
        .iter()
        .find(|target| (target.0, target.1) == (group, function))
        .map(|target| target.2);
    for (peer, name) in peers(group, function) {
        let mut rates = all.iter();
        let peer = rates.find(|rate| (&*rate.group, &*rate.function) == (&*peer.0, &*peer.1));
        let times = peer.map(|peer| rate.per_second / peer.per_second);
        figure
            .beside
            .extend(times.map(|times| (times, name.to_owned())));
    }
    figure
}

/// What a rate is beside: group and function, and what to call it.
fn peers(group: &str, function: &str) -> Vec<((String, String), &'static str)> {
    let raw = |group: &str| vec![((group.to_owned(), function.to_owned()), "SQLite alone")];
    match group {
        ipmi::GROUP => {
            let name = function.strip_suffix(", 1 BMC").map(str::to_owned);
            let name = name.map(|name| ((ipmitool::GROUP.to_owned(), name), "ipmitool"));
            name.into_iter().collect()
        }
        store::READ => raw(store::RAW_READ),
        store::COMMIT => raw(store::RAW_COMMIT),
        store::LIST => raw(store::RAW_LIST),
        _ => {
            let known = hashring::BESIDE.iter();
            let known = known.filter(|(ours, ..)| *ours == (group, function));
            known
                .map(|(_, (group, function), name)| {
                    (((*group).to_owned(), (*function).to_owned()), *name)
                })
                .collect()
        }
    }
}

/// Whether this run is for the README.
pub(crate) fn is_asked_for() -> bool {
    env::var_os(INTO).is_some()
}

/// A picture for the README.
pub(crate) struct Plot {
    /// Its file, in `benches/plots`.
    pub(crate) file: &'static str,
    /// What it shows.
    pub(crate) shows: &'static str,
    pub(crate) svg: String,
}

/// The plots of all targets, and of how rates go with numbers.
pub(crate) fn plots(figures: &[Figure], lifecycles: &[Series], lists: &[Series]) -> Vec<Plot> {
    vec![
        Plot {
            file: "targets.svg",
            shows: "every target, and how many times as good the figure is",
            svg: bars("How many times as good as it has to be", figures),
        },
        Plot {
            file: "lifecycles.svg",
            shows: "lifecycles in a second, by the number of nodes at once",
            svg: lines(
                "Lifecycles in a second",
                "nodes at once",
                "per s",
                lifecycles,
            ),
        },
        Plot {
            file: "lists.svg",
            shows: "the time of a list, by the number of nodes",
            svg: lines("Time of a list", "nodes", "ms", lists),
        },
    ]
}

/// Puts the table and the plots into the README, between its marks, and the plots' files beside
/// the benchmarks.
pub(crate) fn publish(figures: &[Figure], plots: &[Plot]) {
    let Some(root) = env::var_os(INTO) else {
        return;
    };
    let root = Path::new(&root);
    let folder = root.join("benches/plots");
    fs::create_dir_all(&folder).unwrap();
    let mut pictures = String::new();
    for Plot { file, shows, svg } in plots {
        fs::write(folder.join(file), svg).unwrap();
        pictures += &format!("![{shows}](benches/plots/{file})\n");
    }
    into_readme(root, &[("bench", render(figures)), ("plots", pictures)]).unwrap();
    println!("README.md and benches/plots are up to date");
}
