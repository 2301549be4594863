use std::fmt::Write as _;

/// What a figure is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// This, neither more nor less.
    Exactly(f64),
}

impl Target {
    /// How many times as good as it has to be; `None` where that is right or wrong.
    pub fn ratio(self, value: f64) -> Option<f64> {
        match self {
            Self::AtLeast(wanted) => Some(value / wanted),
            Self::AtMost(wanted) => Some(wanted / value),
            Self::Exactly(_) => None,
        }
    }

    /// Whether it is good enough.
    pub fn is_met(self, value: f64) -> bool {
        match (self, self.ratio(value)) {
            (_, Some(ratio)) => ratio >= 1.0,
            (Self::Exactly(wanted), None) => value == wanted,
            _ => false,
        }
    }
}

/// Something that was measured.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Figure {
    /// What.
    pub name: String,
    /// The median.
    pub value: f64,
    /// How far it may be off, as a part of it.
    pub spread: Option<f64>,
    /// What it counts.
    pub unit: &'static str,
    /// What it is to be.
    pub target: Option<Target>,
    /// How it relates to others of the same run: how many times as good as which.
    pub beside: Vec<(f64, String)>,
}

impl Figure {
    /// A figure without a target, and with nothing beside it.
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            spread: None,
            unit,
            target: None,
            beside: Vec::new(),
        }
    }

    /// The median of these values, and half the way from their first to their third quartile.
    ///
    /// `None` of no values.
    pub fn of(name: impl Into<String>, mut values: Vec<f64>, unit: &'static str) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let at = |part: usize| values.get(values.len() * part / 4).copied();
        let (first, median, third) = (at(1)?, at(2)?, at(3)?);
        let mut figure = Self::new(name, median, unit);
        figure.spread = Some((third - first) / 2.0 / median);
        Some(figure)
    }

    /// The same figure, with what it is to be.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Whether it is as it should be; `None` without a target.
    pub fn is_met(&self) -> Option<bool> {
        Some(self.target?.is_met(self.value))
    }
}

/// A Markdown table of figures.
pub fn render(figures: &[Figure]) -> String {
    let mut table = String::from(
        "| | | ± | unit | target | | in the same run |\n|---|---:|---:|---|---:|---|---|\n",
    );
    for figure in figures {
        let spread = figure
            .spread
            .map(|spread| format!("{:.0}%", spread * 100.0));
        let target = figure.target.map(|target| match target {
            Target::AtLeast(wanted) => format!("≥ {}", grouped(wanted)),
            Target::AtMost(wanted) => format!("≤ {}", grouped(wanted)),
            Target::Exactly(wanted) => format!("= {}", grouped(wanted)),
        });
        let met = match figure.is_met() {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        let beside = figure.beside.iter();
        let beside = beside.map(|(times, name)| format!("{} × {name}", grouped(*times)));
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {met} | {} |",
            figure.name,
            grouped(figure.value),
            spread.unwrap_or_default(),
            figure.unit,
            target.unwrap_or_default(),
            beside.collect::<Vec<_>>().join(", "),
        );
    }
    table
}

/// Three digits that matter, thousands apart.
pub fn grouped(number: f64) -> String {
    let decimals = match number.abs() {
        n if n < 9.995 => 2,
        n if n < 99.95 => 1,
        _ => 0,
    };
    if decimals > 0 {
        let text = format!("{number:.decimals$}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let magnitude = 10_f64.powf((number.log10().floor() - 2.0).max(0.0));
    let digits = format!("{:.0}", (number / magnitude).round() * magnitude);
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Figure, Target, grouped, render};

    #[test]
    fn numbers_have_three_digits_that_matter() {
        for (number, text) in [
            (0.0, "0"),
            (0.444, "0.44"),
            (3.0, "3"),
            (9.999, "10"),
            (12.34, "12.3"),
            (99.94, "99.9"),
            (99.96, "100"),
            (999.6, "1,000"),
            (1234.0, "1,230"),
            (98_765.0, "98,800"),
            (12_345_678.0, "12,300,000"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn more_is_better_or_less_is() {
        assert!(Target::AtLeast(10.0).is_met(10.0));
        assert!(!Target::AtLeast(10.0).is_met(9.9));
        assert!(Target::AtMost(10.0).is_met(10.0));
        assert!(!Target::AtMost(10.0).is_met(10.1));
        assert_eq!(Target::AtMost(10.0).ratio(2.0), Some(5.0));
        assert!(Target::Exactly(0.0).is_met(0.0));
        assert!(!Target::Exactly(10.0).is_met(10.1));
        assert_eq!(Target::Exactly(10.0).ratio(10.0), None);
    }

    #[test]
    fn figures_become_a_table() {
        let values = vec![3.0, 1.0, 2.0, 4.0, 5.0];
        let mut reads = Figure::of("reads", values, "s").unwrap();
        assert_eq!((reads.value, reads.spread), (3.0, Some(1.0 / 3.0)));
        reads = reads.target(Target::AtMost(2.5));
        reads.beside.push((12.34, "raw".to_owned()));
        let memory = Figure::new("memory", 40.0, "MiB").target(Target::AtMost(60.0));
        let looks = Figure::new("looks", 0.0, "").target(Target::Exactly(0.0));
        let rows = render(&[reads, memory, looks]);
        let rows: Vec<_> = rows.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| reads | 3 | 33% | s | ≤ 2.5 | **missed** | 12.3 × raw |",
                "| memory | 40 |  | MiB | ≤ 60 | met |  |",
                "| looks | 0 |  |  | = 0 | met |  |",
            ]
        );
        assert_eq!(Figure::of("none", vec![], "s"), None);
    }
}
