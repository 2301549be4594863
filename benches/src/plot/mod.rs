//! Plots as SVG: bars against a line, lines over a logarithmic plane, and, over a linear one, areas
//! on top of each other and columns.

mod against;
mod areas;
mod columns;
mod linear;

pub use against::{Against, against};
pub use areas::{Band, areas};
pub use columns::columns;

use std::fmt::Write as _;

use crate::figure::{Figure, grouped};

/// Colours that read on white and on black.
const COLOURS: [&str; 4] = ["#2f81f7", "#d29922", "#3fb950", "#a371f7"];
const MISSED: &str = "#f85149";

const WIDTH: f64 = 760.0;
const LEFT: f64 = 290.0;
const ROW: f64 = 24.0;
const TOP: f64 = 48.0;

/// Values over values.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Series {
    /// What it is of.
    pub name: String,
    /// The points, from left to right; both values are above zero.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// These points.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points,
        }
    }
}

/// Every figure that can be better or worse than its target as a bar: how many times as good as it has to be.
pub fn bars(title: &str, figures: &[Figure]) -> String {
    let rows: Vec<_> = figures
        .iter()
        .filter_map(|figure| Some((figure, figure.target?.ratio(figure.value)?)))
        .collect();
    let ratios = || rows.iter().map(|(_, ratio)| *ratio);
    let axis = Axis::over(ratios().chain([0.5, 2.0]), LEFT, WIDTH - 150.0);
    let height = TOP + ROW * rows.len() as f64 + 40.0;
    let bottom = height - 36.0;
    let mut svg = begin(title, height);
    for (at, label) in axis.ticks() {
        line(&mut svg, (at, TOP - 8.0), (at, bottom), "grid");
        text(
            &mut svg,
            (at, bottom + 16.0),
            "middle",
            &format!("{label}×"),
        );
    }
    for (index, (figure, ratio)) in rows.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        let (from, to) = (axis.at(1.0), axis.at(*ratio));
        let colour = if *ratio >= 1.0 { COLOURS[2] } else { MISSED };
        let (x, width) = (from.min(to), (to - from).abs().max(1.0));
        let _ = writeln!(
            svg,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="14" fill="{colour}"/>"#
        );
        let name = figure.name.replace('`', "");
        text(&mut svg, (LEFT - 10.0, y + 12.0), "end", &name);
        let value = format!("{} {}", grouped(figure.value), figure.unit);
        text(&mut svg, (from.max(to) + 6.0, y + 12.0), "start", &value);
    }
    line(
        &mut svg,
        (axis.at(1.0), TOP - 8.0),
        (axis.at(1.0), bottom),
        "axis",
    );
    svg + "</svg>\n"
}

/// Series as lines; both axes are logarithmic.
pub fn lines(title: &str, x_label: &str, y_label: &str, series: &[Series]) -> String {
    let (height, left, right, bottom) = (360.0, 70.0, WIDTH - 190.0, 310.0);
    let points = || series.iter().flat_map(|series| &series.points);
    let across = Axis::over(points().map(|point| point.0), left, right);
    let up = Axis::over(points().map(|point| point.1), bottom, TOP);
    let mut svg = begin(title, height);
    for (at, label) in across.ticks() {
        line(&mut svg, (at, TOP), (at, bottom), "grid");
        text(&mut svg, (at, bottom + 16.0), "middle", &label);
    }
    for (at, label) in up.ticks() {
        line(&mut svg, (left, at), (right, at), "grid");
        text(&mut svg, (left - 6.0, at + 4.0), "end", &label);
    }
    text(
        &mut svg,
        ((left + right) / 2.0, bottom + 36.0),
        "middle",
        x_label,
    );
    text(&mut svg, (left, TOP - 10.0), "middle", y_label);
    for (index, (series, colour)) in series.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let places = series.points.iter();
        let places: Vec<_> = places.map(|(x, y)| (across.at(*x), up.at(*y))).collect();
        let path: Vec<_> = places
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            svg,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
            path.join(" ")
        );
        for ((x, y), (_, value)) in places.iter().zip(&series.points) {
            let _ = writeln!(
                svg,
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"><title>{}</title></circle>"#,
                grouped(*value)
            );
        }
        let y = TOP + 20.0 * index as f64;
        let _ = writeln!(
            svg,
            r#"<rect x="{:.1}" y="{y:.1}" width="12" height="12" fill="{colour}"/>"#,
            right + 16.0
        );
        text(&mut svg, (right + 34.0, y + 10.0), "start", &series.name);
    }
    svg + "</svg>\n"
}

/// A logarithmic axis from one place to another.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = values
            .filter(|value| *value > 0.0)
            .map(f64::log10)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = if low < high { (low, high) } else { (0.0, 1.0) };
        let margin = (high - low) * 0.04;
        Self {
            low: low - margin,
            high: high + margin,
            from,
            to,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value.max(f64::MIN_POSITIVE).log10() - self.low) / (self.high - self.low);
        self.from + part * (self.to - self.from)
    }

    /// Powers of ten; over little more than one, twos and fives as well.
    fn ticks(&self) -> Vec<(f64, String)> {
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        let steps: &[f64] = if self.high - self.low > 2.5 {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let values = decades.flat_map(|n| steps.iter().map(move |step| step * 10_f64.powi(n)));
        let within = |value: &f64| (self.low..=self.high).contains(&value.log10());
        let values = values.filter(within);
        values
            .map(|value| (self.at(value), grouped(value)))
            .collect()
    }
}

fn begin(title: &str, height: f64) -> String {
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">
<style>
text {{ fill: #1f2328 }} .grid {{ stroke: #8b949e; stroke-opacity: 0.3 }} .axis {{ stroke: #1f2328; stroke-width: 1.5 }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .axis {{ stroke: #e6edf3 }} }}
</style>
"#
    );
    let _ = writeln!(
        svg,
        r#"<text x="8" y="20" font-size="15" font-weight="bold">{}</text>"#,
        escaped(title)
    );
    svg
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), class: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        svg,
        r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="{class}"/>"#
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let words = escaped(words);
    let _ = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{Axis, Series, bars, lines};
    use crate::{Figure, Target};

    #[test]
    fn a_bar_ends_where_its_ratio_is() {
        let good = Figure::new("a < b", 40.0, "MiB").target(Target::AtMost(60.0));
        let bad = Figure::new("rate", 50.0, "/s").target(Target::AtLeast(100.0));
        let none = Figure::new("unmentioned", 1.0, "/s");
        let svg = bars("title", &[good, bad, none]);
        assert!(svg.contains("a &lt; b") && svg.contains("40 MiB"), "{svg}");
        assert!(!svg.contains("unmentioned"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
        assert_eq!(svg.matches(super::MISSED).count(), 1);
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn an_axis_is_logarithmic() {
        let axis = Axis::over([1.0, 10.0, 1000.0].into_iter(), 0.0, 108.0);
        assert!((axis.at(1.0) - 4.0).abs() < 1e-9);
        assert!((axis.at(1000.0) - 104.0).abs() < 1e-9);
        let labels: Vec<_> = axis.ticks().into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["1", "10", "100", "1,000"]);
    }

    #[test]
    fn every_series_is_drawn_and_named() {
        let series = [
            Series::new("memory", vec![(1.0, 100.0), (8.0, 900.0)]),
            Series::new("SQLite", vec![(1.0, 10.0), (8.0, 20.0), (64.0, 30.0)]),
        ];
        let svg = lines("title", "at once", "rate", &series);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 5);
        assert!(svg.contains("memory") && svg.contains("SQLite"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_is_no_error() {
        for svg in [bars("t", &[]), lines("t", "x", "y", &[])] {
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
