use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use ironic_benches::service::Failure;
use ironic_benches::{Figure, Target, columns, grouped, into_readme, render};

use crate::waits::{Kind, Waits};

/// Set to the folder of the README that is to show what comes of this run.
const INTO: &str = "IRONIC_BENCH_REPORT";

/// What came of it.
pub(crate) struct Report {
    waits: Waits,
    /// Mebibytes, each second.
    sizes: Vec<f64>,
    figures: Vec<Figure>,
}

impl Report {
    pub(crate) fn new(waits: Waits, sizes: Vec<f64>, long: Duration) -> Self {
        let all = waits.sorted(None);
        let verbs = waits.sorted(Some(Kind::Verb)).len() as f64;
        let seconds = long.as_secs_f64();
        let errors = waits.errors().len() as f64;
        let figures = vec![
            Figure::new("requests", all.len() as f64 / seconds, "/s"),
            Figure::new("of them deploy or undeploy", verbs / seconds, "/s"),
            Figure::new("errors", errors, "").target(Target::Exactly(0.0)),
            Figure::new("99 of 100 answers take at most", all.at(0.99), "ms")
                .target(Target::AtMost(50.0)),
            Figure::new(
                "memory in the second half, beside the first",
                growth(&sizes),
                "%",
            )
            .target(Target::AtMost(105.0)),
        ];
        for error in waits.errors().iter().take(5) {
            eprintln!("load: {error}");
        }
        Self {
            waits,
            sizes,
            figures,
        }
    }

    pub(crate) fn all_met(&self) -> bool {
        let mut figures = self.figures.iter();
        figures.all(|figure| figure.is_met() != Some(false))
    }

    /// Two Markdown tables.
    pub(crate) fn table(&self) -> String {
        let mut table = render(&self.figures);
        table += "\n| | answers | half of them, ms | 99 of 100 | the longest |\n|---|---:|---:|---:|---:|\n";
        for kind in Kind::ALL {
            let waits = self.waits.sorted(Some(kind));
            // Writing to a string does not fail.
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} |",
                kind.name(),
                grouped(waits.len() as f64),
                grouped(waits.at(0.5)),
                grouped(waits.at(0.99)),
                grouped(waits.at(1.0)),
            );
        }
        table
    }

    /// Puts them into the README, if that is asked for, and plots the memory.
    pub(crate) fn publish(&self) -> Result<(), Failure> {
        let Some(root) = env::var_os(INTO) else {
            return Ok(());
        };
        let root = Path::new(&root);
        let title = "What the service has in memory, with 200 clients";
        let labels = ("seconds", "MiB");
        let plot = columns(title, labels, 1.0, &self.sizes);
        fs::write(root.join("benches/plots/load.svg"), plot)?;
        let plot = "![what the service has in memory meanwhile](benches/plots/load.svg)\n";
        into_readme(root, &[("load", format!("{}\n{plot}", self.table()))])?;
        Ok(())
    }
}

/// The mean of the second half, in percent of that of the first.
fn growth(sizes: &[f64]) -> f64 {
    let mean = |sizes: &[f64]| sizes.iter().sum::<f64>() / sizes.len() as f64;
    let (first, second) = sizes.split_at(sizes.len() / 2);
    mean(second) / mean(first) * 100.0
}
