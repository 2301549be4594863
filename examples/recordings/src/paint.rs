//! Colours for what the engine says in plain text.

/// The most characters of a line.
const WIDTH: usize = 100;

/// What was asked of the engine.
pub(crate) fn asked(call: &str) -> String {
    format!("\x1b[1m» {call}\x1b[0m\n")
}

/// A plan, line by line in the colour of what the line is about: what loses data is red.
pub(crate) fn painted(plan: &str) -> String {
    let painted = plan.lines().map(|line| {
        let colour = match line.trim_start() {
            _ if line.contains("erases data") || line.contains("data lost by") => "1;91",
            _ if line.starts_with('→') => "1;94",
            _ if line.starts_with("refused") => "91",
            text if text.starts_with("power") || text.starts_with("reboot") => "93",
            text if text.contains(" network") && line.starts_with("    ") => "96",
            text if text.starts_with("waits for") || text.contains(" is running") => "90",
            _ => "0",
        };
        format!("\x1b[{colour}m{line}\x1b[0m\n")
    });
    painted.chain(["\n".to_owned()]).collect()
}

/// A text in lines of at most [`WIDTH`] characters.
pub(crate) fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let more = word.chars().count() + 1;
        if length > 0 && length + more > WIDTH {
            lines += "\n  ";
            length = 2;
        } else if length > 0 {
            lines.push(' ');
        }
        lines += word;
        length += more;
    }
    lines + "\n\n"
}

/// The same text, whose beginning stands out: `what`, wherever it was broken into lines.
pub(crate) fn with_emphasis(text: &str, what: &str) -> String {
    let mut left = what.chars().filter(|char| !char.is_whitespace()).count();
    let mut shown = String::from("\x1b[93m");
    for char in text.chars() {
        shown.push(char);
        if left > 0 && !char.is_whitespace() {
            left -= 1;
            if left == 0 {
                shown += "\x1b[0m";
            }
        }
    }
    shown
}
