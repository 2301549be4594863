use std::fmt::Write as _;

use super::linear::Linear;
use super::{COLOURS, TOP, WIDTH, begin, line, text};
use crate::figure::grouped;

/// How much there is of something in each part of a whole: columns side by side, each as wide as
/// `width` on the axis below, and a line at their mean.
pub fn columns(
    title: &str,
    (x_label, y_label): (&str, &str),
    width: f64,
    values: &[f64],
) -> String {
    let (height, left, right, bottom) = (300.0, 70.0, WIDTH - 150.0, 250.0);
    let across = Linear::over([values.len() as f64 * width].into_iter(), left, right);
    let up = Linear::over(values.iter().copied(), bottom, TOP);
    let mut svg = begin(title, height);
    for (at, label) in up.ticks() {
        line(&mut svg, (left, at), (right, at), "grid");
        text(&mut svg, (left - 6.0, at + 4.0), "end", &label);
    }
    for (index, value) in values.iter().enumerate() {
        let from = across.at(index as f64 * width);
        let to = across.at((index + 1) as f64 * width);
        let top = up.at(*value);
        let _ = writeln!(
            svg,
            r#"<rect x="{from:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" fill="{}"><title>{}</title></rect>"#,
            (to - from - 0.5).max(0.5),
            bottom - top,
            COLOURS[0],
            grouped(*value)
        );
    }
    for (at, label) in across.ticks() {
        line(&mut svg, (at, bottom), (at, bottom + 4.0), "axis");
        text(&mut svg, (at, bottom + 18.0), "middle", &label);
    }
    line(&mut svg, (left, bottom), (right, bottom), "axis");
    if !values.is_empty() {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let at = up.at(mean);
        line(&mut svg, (left, at), (right, at), "axis");
        let words = format!("mean {}", grouped(mean));
        text(&mut svg, (right + 6.0, at + 4.0), "start", &words);
    }
    let middle = (left + right) / 2.0;
    text(&mut svg, (middle, bottom + 38.0), "middle", x_label);
    text(&mut svg, (left, TOP - 10.0), "middle", y_label);
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn every_value_has_a_column_and_their_mean_is_named() {
        let svg = columns("title", ("s", "reads"), 60.0, &[10.0, 30.0]);
        let heights: Vec<f64> = svg
            .lines()
            .filter(|line| line.starts_with("<rect"))
            .map(|line| line.split('"').nth(7).unwrap().parse().unwrap())
            .collect();
        assert_eq!(heights.len(), 2);
        assert!((heights[1] - 202.0).abs() < 0.1 && (heights[0] * 3.0 - 202.0).abs() < 0.2);
        assert!(svg.contains("mean 20"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_is_no_error() {
        for values in [&[][..], &[0.0]] {
            let svg = columns("t", ("x", "y"), 1.0, values);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
