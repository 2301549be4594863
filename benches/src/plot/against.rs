use std::fmt::Write as _;

use super::{Axis, COLOURS, LEFT, MISSED, ROW, TOP, WIDTH, begin, line, text};

/// How something compares with another thing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Against {
    /// What is compared.
    pub name: String,
    /// How many times as good it is.
    pub times: f64,
    /// How many times as good it has to be.
    pub wanted: f64,
    /// What to write beside it.
    pub value: String,
}

impl Against {
    /// A comparison.
    pub fn new(name: impl Into<String>, times: f64, wanted: f64, value: String) -> Self {
        Self {
            name: name.into(),
            times,
            wanted,
            value,
        }
    }
}

/// Comparisons as bars from one on, each with a mark where it has to end at least.
pub fn against(title: &str, rows: &[Against]) -> String {
    let ends = rows.iter().flat_map(|row| [row.times, row.wanted]);
    let axis = Axis::over(ends.chain([1.0, 10.0]), LEFT, WIDTH - 150.0);
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
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        let (from, to) = (axis.at(1.0), axis.at(row.times));
        let is_met = row.times >= row.wanted;
        let colour = if is_met { COLOURS[2] } else { MISSED };
        let (x, width) = (from.min(to), (to - from).abs().max(1.0));
        let _ = writeln!(
            svg,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="14" fill="{colour}"/>"#
        );
        let mark = axis.at(row.wanted);
        line(&mut svg, (mark, y - 3.0), (mark, y + 17.0), "axis");
        text(&mut svg, (LEFT - 10.0, y + 12.0), "end", &row.name);
        let end = from.max(to).max(mark) + 6.0;
        text(&mut svg, (end, y + 12.0), "start", &row.value);
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::{Against, against};

    #[test]
    fn every_comparison_has_a_bar_and_a_mark() {
        let good = Against::new("reads", 60.0, 50.0, "7,000 /s".to_owned());
        let bad = Against::new("lists", 15.0, 20.0, "10 ms".to_owned());
        let svg = against("title", &[good, bad]);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert_eq!(svg.matches(r#"class="axis""#).count(), 2);
        assert_eq!(svg.matches(super::MISSED).count(), 1, "{svg}");
        assert!(svg.contains("reads") && svg.contains("7,000 /s"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_is_no_error() {
        let broken = Against::new("none", f64::NAN, 50.0, String::new());
        for svg in [against("t", &[]), against("t", &[broken])] {
            assert!(!svg.contains("inf"), "{svg}");
        }
    }
}
