//! The picture of the transition table.

/// Draws the transition table as an SVG document.
pub fn svg() -> String {
    String::new()
}
