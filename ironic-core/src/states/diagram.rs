//! The picture of the transition table.

use std::fmt::Write as _;

use super::{Event, ProvisionState, TRANSITIONS};

/// Pixels from one column, and one row, of the grid to the next.
const CELL: (f64, f64) = (172.0, 96.0);
/// The size of a state's box.
const BOX: (f64, f64) = (112.0, 34.0);

/// Where a state stands on the grid (column, row). Everything else follows from the table.
const fn place(state: ProvisionState) -> (f64, f64) {
    use ProvisionState as S;
    match state {
        S::Enroll => (0.0, 2.0),
        S::Verifying => (1.0, 2.0),
        S::Manageable => (2.0, 2.0),
        S::InspectWait => (0.6, 0.0),
        S::Inspecting => (1.5, 0.7),
        S::InspectFailed => (0.3, 1.0),
        S::CleanHold => (3.95, 0.3),
        S::CleanWait => (3.15, 0.8),
        S::Cleaning => (3.4, 2.0),
        S::CleanFailed => (2.45, 1.2),
        S::Available => (4.5, 2.8),
        S::DeployHold => (6.1, 0.3),
        S::DeployWait => (5.3, 0.9),
        S::Deploying => (5.4, 2.0),
        S::DeployFailed => (4.3, 1.2),
        S::Active => (6.5, 3.0),
        S::Deleting => (4.0, 4.3),
        S::Error => (5.3, 4.6),
        S::Adopting => (2.9, 3.6),
        S::AdoptFailed => (2.0, 3.4),
        S::Servicing => (7.6, 2.0),
        S::ServiceWait => (7.9, 1.0),
        S::ServiceHold => (7.2, 0.0),
        S::ServiceFailed => (6.7, 1.0),
        S::Rescuing => (7.9, 3.6),
        S::RescueWait => (8.0, 4.8),
        S::Rescue => (7.0, 5.6),
        S::RescueFailed => (6.6, 4.5),
        S::Unrescuing => (5.9, 6.2),
        S::UnrescueFailed => (4.6, 6.2),
    }
}

/// The colour of an arrow: what sort of event it is.
const fn colour(event: Event) -> &'static str {
    match event {
        Event::Done | Event::Resume => "#1a7f37",
        Event::Fail | Event::Abort => "#cf222e",
        Event::Wait | Event::Hold | Event::Unhold => "#8250df",
        _ => "#0969da",
    }
}

/// Draws the transition table as an SVG document: stable states in bold boxes, failed ones in
/// red, those that wait dashed; blue arrows for what is asked for, green for success, red for
/// failure, violet for waiting.
pub fn svg() -> String {
    let (width, height) = (9.0 * CELL.0, 7.0 * CELL.1);
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<title>Provision states</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<defs>"##
    );
    for colour in ["#1a7f37", "#cf222e", "#8250df", "#0969da"] {
        let id = colour.trim_start_matches('#');
        let _ = write!(
            out,
            r##"<marker id="m{id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>"##
        );
    }
    out.push_str("</defs>\n");
    let mut labels = String::new();
    for (from, to, events) in arrows() {
        arrow(&mut out, &mut labels, from, to, &events);
    }
    out.push_str(&labels);
    for state in ProvisionState::ALL {
        state_box(&mut out, *state);
    }
    out.push_str("</svg>\n");
    out
}

/// The transitions, those between the same two states in the same colour as one arrow.
fn arrows() -> Vec<(ProvisionState, ProvisionState, Vec<Event>)> {
    let mut arrows: Vec<(ProvisionState, ProvisionState, Vec<Event>)> = Vec::new();
    for (from, event, to) in TRANSITIONS {
        let same = |arrow: &&mut (ProvisionState, ProvisionState, Vec<Event>)| {
            arrow.0 == *from
                && arrow.1 == *to
                && arrow
                    .2
                    .first()
                    .is_some_and(|first| colour(*first) == colour(*event))
        };
        match arrows.iter_mut().find(same) {
            Some(arrow) => arrow.2.push(*event),
            None => arrows.push((*from, *to, vec![*event])),
        }
    }
    arrows
}

fn centre(state: ProvisionState) -> (f64, f64) {
    let (column, row) = place(state);
    ((column + 0.5) * CELL.0, (row + 0.4) * CELL.1)
}

fn state_box(out: &mut String, state: ProvisionState) {
    let (x, y) = centre(state);
    let (left, top) = (x - BOX.0 / 2.0, y - BOX.1 / 2.0);
    let (fill, stroke, weight, dash) = if state.is_stable() {
        ("#ddf4ff", "#0969da", "bold", "")
    } else if state.is_failure() {
        ("#ffebe9", "#cf222e", "normal", "")
    } else if state.is_in_progress() {
        ("#ffffff", "#57606a", "normal", "")
    } else {
        ("#fbefff", "#8250df", "normal", r#" stroke-dasharray="4 3""#)
    };
    let _ = writeln!(
        out,
        r##"<g><rect x="{left:.0}" y="{top:.0}" width="{}" height="{}" rx="8" fill="{fill}" stroke="{stroke}" stroke-width="1.5"{dash}/><text x="{x:.0}" y="{:.0}" text-anchor="middle" font-weight="{weight}">{state}</text></g>"##,
        BOX.0,
        BOX.1,
        y + 4.0
    );
}

fn arrow(
    out: &mut String,
    labels: &mut String,
    from: ProvisionState,
    to: ProvisionState,
    events: &[Event],
) {
    let Some(colour) = events.first().map(|event| colour(*event)) else {
        return;
    };
    let text = events
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let ((x1, y1), (x2, y2)) = (centre(from), centre(to));
    let (dx, dy) = (x2 - x1, y2 - y1);
    let length = dx.hypot(dy).max(1.0);
    // Bent to its left, so that the way there and the way back do not lie on each other; green
    // and violet less than the others.
    let bend = if colour == "#0969da" || colour == "#cf222e" {
        0.15
    } else {
        0.11
    };
    let (cx, cy) = (x1 + dx / 2.0 + dy * bend, y1 + dy / 2.0 - dx * bend);
    let (sx, sy) = edge((x1, y1), (cx, cy));
    let (ex, ey) = edge((x2, y2), (cx, cy));
    let id = colour.trim_start_matches('#');
    let _ = writeln!(
        out,
        r##"<path d="M{sx:.1} {sy:.1}Q{cx:.1} {cy:.1} {ex:.1} {ey:.1}" fill="none" stroke="{colour}" stroke-width="1.2" opacity="0.85" marker-end="url(#m{id})"/>"##
    );
    // The label stands on the curve, nearer to its start on long arrows.
    let t = if length > 300.0 { 0.32 } else { 0.5 };
    let u = 1.0 - t;
    let (lx, ly) = (
        u * u * sx + 2.0 * u * t * cx + t * t * ex,
        u * u * sy + 2.0 * u * t * cy + t * t * ey,
    );
    let _ = writeln!(
        labels,
        r##"<text x="{lx:.1}" y="{:.1}" text-anchor="middle" font-size="10" fill="{colour}" stroke="#ffffff" stroke-width="3" paint-order="stroke">{text}</text>"##,
        ly + 3.0
    );
}

/// Where the line from a box's centre towards `to` leaves the box.
fn edge((x, y): (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (to.0 - x, to.1 - y);
    let scale = (dx.abs() / (BOX.0 / 2.0))
        .max(dy.abs() / (BOX.1 / 2.0))
        .max(1e-9);
    (x + dx / scale, y + dy / scale)
}

#[cfg(test)]
mod tests {
    use super::{ProvisionState, TRANSITIONS, arrows, place, svg};

    #[test]
    fn every_state_and_transition_is_in_the_picture() {
        let svg = svg();
        for state in ProvisionState::ALL {
            assert!(svg.contains(&format!(">{state}</text>")), "{state}");
        }
        let drawn: usize = arrows().iter().map(|(_, _, events)| events.len()).sum();
        assert_eq!(drawn, TRANSITIONS.len());
        assert_eq!(svg.matches("marker-end").count(), arrows().len());
    }

    #[test]
    fn no_two_states_stand_in_one_place() {
        for (n, a) in ProvisionState::ALL.iter().enumerate() {
            for b in ProvisionState::ALL.iter().skip(n + 1) {
                let ((ax, ay), (bx, by)) = (place(*a), place(*b));
                assert!(
                    (ax - bx).abs() > 0.65 || (ay - by).abs() > 0.35,
                    "{a} and {b} overlap"
                );
            }
        }
    }
}
