use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ironic_benches::service::Failure;
use ironic_benches::{Against, against, grouped, into_readme};
use serde::Serialize;

/// Set to the folder of the README that is to show what comes of this run.
const INTO: &str = "IRONIC_BENCH_REPORT";

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

/// What was measured of both sides.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    unit: &'static str,
    /// The median.
    ours: f64,
    /// The median.
    original: f64,
    /// How many times as good ours is.
    times: f64,
    /// How many times as good it has to be.
    wanted: f64,
}

impl Row {
    fn is_met(&self) -> bool {
        self.times >= self.wanted
    }
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<Row>);

impl Rows {
    /// Adds what was measured of ours and of the original.
    pub(crate) fn add(
        &mut self,
        what: &str,
        unit: &'static str,
        better: Better,
        [ours, original]: &[Vec<f64>; 2],
        wanted: f64,
    ) {
        let (ours, original) = (median(ours), median(original));
        let times = match better {
            Better::More => ours / original,
            Better::Less => original / ours,
        };
        let row = Row {
            what: what.to_owned(),
            unit,
            ours,
            original,
            times,
            wanted,
        };
        eprintln!("{what}: {ours:.1} and {original:.1} {unit}, {times:.1} times as good");
        self.0.push(row);
    }

    pub(crate) fn all_met(&self) -> bool {
        self.0.iter().all(Row::is_met)
    }

    /// A Markdown table.
    pub(crate) fn table(&self) -> String {
        let mut table = String::from(
            "| | ours | the original | | times as good | target | |\n|---|---:|---:|---|---:|---:|---|\n",
        );
        for row in &self.0 {
            // Writing to a string does not fail.
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} | ≥ {} | {} |",
                row.what,
                grouped(row.ours),
                grouped(row.original),
                row.unit,
                grouped(row.times),
                grouped(row.wanted),
                if row.is_met() { "met" } else { "**missed**" },
            );
        }
        table
    }

    /// Puts the table and its plot into the README, if that is asked for, and all figures beside
    /// the plot.
    pub(crate) fn publish(&self) -> Result<(), Failure> {
        let Some(root) = env::var_os(INTO) else {
            return Ok(());
        };
        let root = Path::new(&root);
        let folder = root.join("benches/plots");
        let bars = self.0.iter().map(|row| {
            let value = format!("{} {}", grouped(row.ours), row.unit);
            Against::new(&row.what, row.times, row.wanted, value)
        });
        let title = "How many times as good as the original (the mark is the target)";
        fs::write(
            folder.join("versus.svg"),
            against(title, &bars.collect::<Vec<_>>()),
        )?;
        let json = serde_json::to_string_pretty(&self.0)?;
        fs::write(folder.join("versus.json"), json + "\n")?;
        let plot = "![how many times as good as the original](benches/plots/versus.svg)\n";
        into_readme(root, &[("versus", format!("{}\n{plot}", self.table()))])?;
        Ok(())
    }
}

/// Not a number, of no values: nothing is met by that.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
