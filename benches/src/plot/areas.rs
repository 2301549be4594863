use std::fmt::Write as _;

use super::linear::Linear;
use super::{TOP, WIDTH, begin, line, text};

/// One of several areas on top of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Band {
    /// What it is of.
    pub name: &'static str,
    /// Its colour, as SVG has it.
    pub colour: &'static str,
}

impl Band {
    /// A band.
    pub const fn new(name: &'static str, colour: &'static str) -> Self {
        Self { name, colour }
    }
}

/// What a whole is made of as time goes by: bands on top of each other, the first at the bottom.
///
/// A point is a place on the axis below, and the height of each band there.
pub fn areas(
    title: &str,
    (x_label, y_label): (&str, &str),
    bands: &[Band],
    points: &[(f64, Vec<f64>)],
) -> String {
    let (height, left, right, bottom) = (420.0, 70.0, WIDTH - 150.0, 370.0);
    let across = Linear::over(points.iter().map(|(x, _)| *x), left, right);
    let whole = points.iter().map(|(_, heights)| heights.iter().sum());
    let up = Linear::over(whole, bottom, TOP);
    let mut svg = begin(title, height);
    let mut floor: Vec<(f64, f64)> = points.iter().map(|(x, _)| (*x, 0.0)).collect();
    for (index, band) in bands.iter().enumerate() {
        let ceiling: Vec<_> = points
            .iter()
            .zip(&floor)
            .map(|((x, heights), (_, below))| (*x, below + heights.get(index).unwrap_or(&0.0)))
            .collect();
        let outline = ceiling.iter().chain(floor.iter().rev());
        let outline = outline.map(|(x, y)| format!("{:.1},{:.1}", across.at(*x), up.at(*y)));
        let _ = writeln!(
            svg,
            r#"<polygon points="{}" fill="{}"><title>{}</title></polygon>"#,
            outline.collect::<Vec<_>>().join(" "),
            band.colour,
            band.name
        );
        floor = ceiling;
    }
    for (at, label) in across.ticks() {
        line(&mut svg, (at, TOP), (at, bottom), "grid");
        text(&mut svg, (at, bottom + 16.0), "middle", &label);
    }
    for (at, label) in up.ticks() {
        line(&mut svg, (left, at), (right, at), "grid");
        text(&mut svg, (left - 6.0, at + 4.0), "end", &label);
    }
    let middle = (left + right) / 2.0;
    text(&mut svg, (middle, bottom + 36.0), "middle", x_label);
    text(&mut svg, (left, TOP - 10.0), "middle", y_label);
    // From top to bottom, as the bands lie.
    for (index, band) in bands.iter().rev().enumerate() {
        let y = TOP + 20.0 * index as f64;
        let _ = writeln!(
            svg,
            r#"<rect x="{:.1}" y="{y:.1}" width="12" height="12" fill="{}"/>"#,
            right + 16.0,
            band.colour
        );
        text(&mut svg, (right + 34.0, y + 10.0), "start", band.name);
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::{Band, areas};

    const BANDS: [Band; 2] = [Band::new("active", "#0f0"), Band::new("failed", "#f00")];

    #[test]
    fn bands_lie_on_top_of_each_other() {
        let points = [(0.0, vec![0.0, 4.0]), (10.0, vec![3.0, 1.0])];
        let svg = areas("title", ("h", "nodes"), &BANDS, &points);
        let polygon = |colour: &str| {
            let line = svg
                .lines()
                .find(|line| line.contains("<polygon") && line.contains(colour));
            let line = line.unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        // Left and right are 70 and 610, bottom and top 370 and 48.
        assert_eq!(
            polygon("#0f0"),
            "70.0,370.0 610.0,128.5 610.0,370.0 70.0,370.0"
        );
        assert_eq!(
            polygon("#f00"),
            "70.0,48.0 610.0,48.0 610.0,128.5 70.0,370.0"
        );
        let names: Vec<_> = svg
            .lines()
            .filter(|line| line.contains(r#"text-anchor="start""#))
            .map(|line| line.contains("failed"))
            .collect();
        assert_eq!(names, [true, false], "the legend goes from top to bottom");
    }

    #[test]
    fn nothing_to_draw_is_no_error() {
        let svg = areas("t", ("x", "y"), &BANDS, &[]);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
