//! The picture: a ring, and the same ring after one of its hosts has left.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use ironic_hashring::{HashRing, RingError};

const LEAVING: &str = "host-4";

/// Hosts with the colours of their points.
const HOSTS: [(&str, &str); 3] = [
    ("host-2", "#2f6fb7"),
    ("host-3", "#23896b"),
    (LEAVING, "#d9822b"),
];

/// Nodes whose walks are drawn. They and the hosts are chosen so that nothing hides anything else.
const NODES: [&str; 4] = [
    "86e972e4-3296-44a6-ab1a-db1387f37830",
    "aced07b3-65bc-4709-a7d6-a70d35f79ac2",
    "31539587-638a-475c-8e99-00f436566a77",
    "f29f541b-c20a-4d11-bce9-84d6d56d28d4",
];

const INK: &str = "#1f2933";
const FAINT: &str = "#7b8794";

/// Radius of the circle of points, and of the walks outside of it.
const CIRCLE: f64 = 144.0;
const WALK: f64 = 173.0;
const LABEL: f64 = 189.0;

/// A point on the page.
#[derive(Clone, Copy)]
struct Spot {
    x: f64,
    y: f64,
}

impl Spot {
    /// The spot at this distance, on the way to a part of the circle clockwise from the top.
    fn out(self, radius: f64, turn: f64) -> Self {
        let (sin, cos) = (turn * TAU).sin_cos();
        Self {
            x: self.x + radius * sin,
            y: self.y - radius * cos,
        }
    }
}

/// The part of the circle before a position.
fn turn(position: u128) -> f64 {
    position as f64 / 2f64.powi(128)
}

/// An arc clockwise between two turns, as the data of a path.
fn arc(centre: Spot, radius: f64, from: f64, to: f64) -> String {
    let (start, end) = (centre.out(radius, from), centre.out(radius, to));
    let large = u8::from((to - from).rem_euclid(1.0) > 0.5);
    format!(
        "M{:.1} {:.1}A{radius:.0} {radius:.0} 0 {large} 1 {:.1} {:.1}",
        start.x, start.y, end.x, end.y
    )
}

fn colour(host: &str) -> &'static str {
    let found = HOSTS.iter().find(|(name, _)| *name == host);
    found.map_or(FAINT, |(_, colour)| colour)
}

/// What stands in the disc of a point: the number in the host's name.
fn number(host: &str) -> &str {
    host.rsplit('-').next().unwrap_or(host)
}

/// Draws both rings.
///
/// # Errors
///
/// None: the hosts make a ring.
pub(crate) fn placement() -> Result<String, RingError> {
    let before = HashRing::builder()
        .partition_exponent(2)
        .hosts(HOSTS.map(|(host, _)| host))
        .build()?;
    let mut after = before.clone();
    after.remove_host(LEAVING);

    let mut svg = String::new();
    open(&mut svg);
    let (left, right) = (Spot { x: 255.0, y: 292.0 }, Spot { x: 745.0, y: 292.0 });
    let leaves = format!("{LEAVING} leaves: its arcs alone change hands");
    text_line(
        &mut svg,
        left.x,
        46.0,
        HEADING,
        "A key belongs to the first point clockwise of it",
    );
    text_line(&mut svg, right.x, 46.0, HEADING, &leaves);
    ring(&mut svg, left, &before, &before);
    ring(&mut svg, right, &after, &before);
    let points = "◆ the hash of a node's id   ● a point of the host of that number";
    let bold = "bold: what went to the next host clockwise   faint: what stayed";
    text_line(&mut svg, left.x, 524.0, NOTE, points);
    text_line(&mut svg, right.x, 524.0, NOTE, bold);
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// The page, the head of the arrows and the text that stands for the picture where it is not seen.
fn open(svg: &mut String) {
    svg.push_str(concat!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1000 552\" role=\"img\" ",
        "aria-label=\"Two hash rings: three hosts with four points each, and the same without host-4\" ",
        "font-family=\"system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif\">\n",
        "<rect x=\"1\" y=\"1\" width=\"998\" height=\"550\" rx=\"14\" fill=\"#ffffff\" stroke=\"#d5dbe1\"/>\n",
        "<line x1=\"500\" y1=\"28\" x2=\"500\" y2=\"528\" stroke=\"#e4e8ec\"/>\n",
    ));
}

/// How a line of text looks.
const HEADING: &str = "font-size=\"17\" font-weight=\"600\" fill=\"#1f2933\"";
const NOTE: &str = "font-size=\"13\" fill=\"#616e7c\"";

fn text_line(svg: &mut String, x: f64, y: f64, look: &str, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(
        svg,
        "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"middle\" xml:space=\"preserve\" {look}>{text}</text>",
    );
}

/// One ring; what is as it was in the ring `before` is faint, unless it is that ring.
fn ring(svg: &mut String, centre: Spot, ring: &HashRing, before: &HashRing) {
    let changed = ring != before;
    arcs(svg, centre, ring, before);
    let top = centre.out(CIRCLE, 0.0);
    let _ = writeln!(
        svg,
        "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"{INK}\" stroke-width=\"2\"/>\n<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"13\" text-anchor=\"middle\" fill=\"{INK}\">0</text>",
        top.y - 13.0,
        top.y + 13.0,
        top.y + 30.0,
        x = top.x,
    );
    for node in NODES {
        let moved = changed && ring.owner(node) != before.owner(node);
        walk(
            svg,
            centre,
            ring,
            node,
            if changed && !moved { 0.35 } else { 1.0 },
        );
    }
    for (position, host) in before.partitions() {
        let gone = ring.weight(host).is_none();
        point(svg, centre.out(CIRCLE, turn(position)), host, gone);
    }
    legend(svg, centre, ring, before);
}

/// The arcs that end at each point, in the colour of its host.
fn arcs(svg: &mut String, centre: Spot, ring: &HashRing, before: &HashRing) {
    // All points that there ever were divide the arcs: each part has one host, before and after.
    let marks: Vec<u128> = before.partitions().map(|(position, _)| position).collect();
    let mut from = marks.last().copied().unwrap_or_default();
    for to in marks {
        let (now, then) = (host_before(ring, to), host_before(before, to));
        let faint = ring != before && now == then;
        let _ = writeln!(
            svg,
            "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{}\"/>",
            arc(centre, CIRCLE, turn(from), turn(to)),
            colour(now),
            if faint { 6 } else { 12 },
            if faint { 0.3 } else { 0.55 },
        );
        from = to;
    }
}

/// The host of the first point at or clockwise of a position.
fn host_before(ring: &HashRing, position: u128) -> &str {
    let mut points = ring.partitions();
    let first = ring.partitions().next();
    let found = points.find(|(point, _)| *point >= position).or(first);
    found.map_or("", |(_, host)| host)
}

/// A key, and its way to the point of its owner.
fn walk(svg: &mut String, centre: Spot, ring: &HashRing, node: &str, opacity: f64) {
    let position = ring.position(node);
    let mut points = ring.partitions();
    let first = ring.partitions().next();
    let Some((end, host)) = points.find(|(point, _)| *point > position).or(first) else {
        return;
    };
    let (from, to) = (turn(position), turn(end));
    let start = centre.out(WALK, from);
    // The arrow bends in to the point; its head is drawn along the last part of the way.
    let target = centre.out(CIRCLE + 13.0, to);
    let bend = centre.out(WALK, to);
    let wing = |side: f64| {
        let back = centre.out(CIRCLE + 22.0, to + side / (CIRCLE + 22.0) / TAU);
        format!("{:.1} {:.1}", back.x, back.y)
    };
    let label = centre.out(LABEL, from);
    let anchor = match from {
        x if (0.03..0.47).contains(&x) => "start",
        x if (0.53..0.97).contains(&x) => "end",
        _ => "middle",
    };
    let ink = colour(host);
    let _ = writeln!(
        svg,
        "<g opacity=\"{opacity}\"><path d=\"{}L{:.1} {:.1}\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"2.5\" stroke-linejoin=\"round\"/><path d=\"M{:.1} {:.1}L{}L{}Z\" fill=\"{ink}\"/><rect x=\"{:.1}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{ink}\" transform=\"rotate(45 {:.1} {:.1})\"/><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"14\" font-family=\"ui-monospace,'DejaVu Sans Mono',monospace\" text-anchor=\"{anchor}\" fill=\"{INK}\">{}…</text></g>",
        arc(centre, WALK, from, to),
        bend.x + (target.x - bend.x) * 0.6,
        bend.y + (target.y - bend.y) * 0.6,
        target.x,
        target.y,
        wing(5.0),
        wing(-5.0),
        start.x - 6.0,
        start.y - 6.0,
        start.x,
        start.y,
        label.x,
        label.y + 5.0,
        node.get(..4).unwrap_or(node),
    );
}

fn point(svg: &mut String, spot: Spot, host: &str, gone: bool) {
    let (fill, stroke, dash, ink) = if gone {
        ("#ffffff", FAINT, " stroke-dasharray=\"3 3\"", FAINT)
    } else {
        (colour(host), "#ffffff", "", "#ffffff")
    };
    let _ = writeln!(
        svg,
        "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"12\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"2\"{dash}/><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\" fill=\"{ink}\">{}</text>",
        spot.x,
        spot.y,
        spot.x,
        spot.y + 4.6,
        number(host),
    );
}

/// The part of the circle that a host owns.
fn share(ring: &HashRing, host: &str) -> f64 {
    let mut before = ring.partitions().last().map_or(0, |(position, _)| position);
    let mut share = 0.0;
    for (position, owner) in ring.partitions() {
        if owner == host {
            share += turn(position.wrapping_sub(before));
        }
        before = position;
    }
    share
}

/// The hosts and their shares, in the middle of the circle.
fn legend(svg: &mut String, centre: Spot, ring: &HashRing, before: &HashRing) {
    for (line, (host, colour)) in (0u8..).zip(HOSTS) {
        let y = centre.y + 30.0 * (f64::from(line) - 1.0);
        let (now, then) = (share(ring, host), share(before, host));
        let (ink, text) = match ring.weight(host) {
            None => (FAINT, "gone".to_owned()),
            Some(_) if now > then => (INK, format!("{:.0}% → {:.0}%", then * 100.0, now * 100.0)),
            Some(_) => (INK, format!("{:.0}%", now * 100.0)),
        };
        let dot = if ring.weight(host).is_some() {
            colour
        } else {
            "#cbd2d9"
        };
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{dot}\"/><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"14\" fill=\"{ink}\">{host}</text><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"14\" text-anchor=\"end\" fill=\"{ink}\">{text}</text>",
            centre.x - 88.0,
            centre.x - 74.0,
            y + 5.0,
            centre.x + 92.0,
            y + 5.0,
        );
    }
}
