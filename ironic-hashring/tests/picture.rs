//! The picture in the documentation is the one that the code draws.

#[path = "../examples/placement/draw.rs"]
mod draw;

#[test]
fn the_picture_is_the_one_that_is_drawn() {
    let drawn = draw::placement();
    assert!(
        drawn.as_deref() == Ok(include_str!("../placement.svg")),
        "placement.svg is another one: make diagram"
    );
}

#[test]
fn it_can_stand_in_the_documentation_as_it_is() {
    let svg = include_str!("../placement.svg");
    // HTML in Markdown begins with a tag alone on its line, and ends with the first empty line.
    assert!(
        svg.lines()
            .next()
            .is_some_and(|line| line.starts_with("<svg ") && line.ends_with('>'))
    );
    assert!(svg.lines().all(|line| !line.trim().is_empty()));
    // Styles would apply to the whole page.
    assert!(!svg.contains("<style"));
}
