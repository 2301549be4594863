//! A terminal's screen as a picture.

use std::fmt::Write as _;

use anstyle_svg::{Term, WIN10_CONSOLE};

/// The most screens that a picture shows one after the other.
const SCREENS: usize = 40;

/// How long each is shown, in milliseconds; and the last one.
const EACH: usize = 150;
const LAST: usize = 6000;

/// The background: dark, and not so dark that it is lost on a dark page.
const BACKGROUND: &str = "#161b22";

/// Draws what a command has printed, and the command. A carriage return within a line leads back
/// to its beginning: then the picture has a screen for each such state, one after the other.
pub(crate) fn drawn(command: &str, output: &str) -> String {
    let screens = screens(command, output);
    let pictures: Vec<_> = screens.iter().map(|screen| picture(screen)).collect();
    let Some(last) = pictures.last() else {
        return String::new();
    };
    // The last screen has everything, so it is the largest.
    let (head, _) = last.split_once('>').unwrap_or((last, ""));
    let mut svg =
        format!("{head}>\n<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n");
    if let [only] = &pictures[..] {
        svg += only;
        return svg + "</svg>\n";
    }
    let shown = (pictures.len() - 1) * EACH;
    let whole = shown + LAST;
    let at = |time: usize| time as f64 / whole as f64;
    for (n, picture) in pictures.iter().enumerate() {
        let begins = at(n * EACH);
        let is_last = n + 1 == pictures.len();
        // Where nothing moves, the last screen is seen.
        let still = if is_last { "visible" } else { "hidden" };
        let (values, times) = match n {
            0 => ("visible;hidden".to_owned(), format!("0;{:.4}", at(EACH))),
            _ if is_last => ("hidden;visible".to_owned(), format!("0;{begins:.4}")),
            _ => (
                "hidden;visible;hidden".to_owned(),
                format!("0;{begins:.4};{:.4}", at((n + 1) * EACH)),
            ),
        };
        let _ = write!(
            svg,
            "<g visibility=\"{still}\"><animate attributeName=\"visibility\" calcMode=\"discrete\" \
             values=\"{values}\" keyTimes=\"{times}\" dur=\"{whole}ms\" repeatCount=\"indefinite\"/>\n{picture}</g>\n"
        );
    }
    svg + "</svg>\n"
}

/// What is on the screen at each moment that is shown; the last is how it ends.
fn screens(command: &str, output: &str) -> Vec<String> {
    let mut above = match command {
        "" => String::new(),
        command => format!("\x1b[92m$\x1b[0m \x1b[1m{command}\x1b[0m\n"),
    };
    let mut moments = Vec::new();
    for line in output.replace("\r\n", "\n").lines() {
        let mut states = line
            .split('\r')
            .filter(|state| !state.is_empty())
            .peekable();
        let mut last = "";
        while let Some(state) = states.next() {
            last = state;
            if states.peek().is_some() {
                moments.push(format!("{above}{state}\n"));
            }
        }
        above += last.trim_end();
        above.push('\n');
    }
    let every = moments.len().div_ceil(SCREENS).max(1);
    let mut screens: Vec<_> = moments.into_iter().step_by(every).collect();
    screens.push(above.trim_end().to_owned());
    screens
}

fn picture(screen: &str) -> String {
    Term::new()
        .palette(WIN10_CONSOLE)
        .background(false)
        .render_svg(screen)
}

#[cfg(test)]
mod tests {
    use super::{drawn, screens};

    #[test]
    fn a_line_that_is_written_over_is_a_screen_for_each_state() {
        let output = "begins\r\n\r1 of 2\r2 of 2\r\ndone: 2\r\n";
        let shown = screens("count", output);
        let [first, last] = &shown[..] else {
            panic!("{shown:?}")
        };
        assert!(first.ends_with("begins\n1 of 2\n"), "{first}");
        assert!(last.ends_with("begins\n2 of 2\ndone: 2"), "{last}");
    }

    #[test]
    fn only_what_moves_is_animated_and_the_end_is_what_is_seen_without() {
        assert!(!drawn("", "one line\n").contains("<animate"));
        let moving = drawn("", "1 of 2\r2 of 2\n");
        assert_eq!(moving.matches("<animate").count(), 2);
        let (_, last) = moving.rsplit_once("<g visibility=").unwrap();
        assert!(last.starts_with("\"visible\"") && last.contains("2 of 2"));
    }
}
