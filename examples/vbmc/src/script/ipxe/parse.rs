use crate::script::ScriptError;

const MAGIC: &str = "#!ipxe";
const MOST_LINES: usize = 10_000;
/// Connectors in one line; each is a state to come back to.
const MOST_COMMANDS: usize = 64;

/// When a command of a line is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Always,
    /// The command before it succeeded.
    And,
    /// The command before it failed.
    Or,
}

/// A command, whose settings are not filled in yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) join: Join,
    pub(super) words: Vec<String>,
}

/// A line of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Label(String),
    Commands(Vec<Command>),
}

/// Whether a file is a script rather than an image.
pub(crate) fn is_script(content: &[u8]) -> bool {
    content
        .strip_prefix(MAGIC.as_bytes())
        .is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

/// Reads a script.
pub(super) fn parse(content: &[u8]) -> Result<Vec<Line>, ScriptError> {
    let text = std::str::from_utf8(content)
        .ok()
        .filter(|_| is_script(content))
        .ok_or(ScriptError::Not("an iPXE script"))?;
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .take(MOST_LINES + 1)
        .collect();
    if lines.len() > MOST_LINES {
        return Err(ScriptError::TooLong("the script"));
    }
    lines.into_iter().map(line).collect()
}

fn line(text: &str) -> Result<Line, ScriptError> {
    if let Some(label) = text.strip_prefix(':') {
        let label = label.split_whitespace().next().unwrap_or_default();
        return Ok(Line::Label(label.to_owned()));
    }
    let mut commands = Vec::new();
    let mut join = Join::Always;
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let next = match word {
            "&&" => Join::And,
            "||" => Join::Or,
            word => {
                words.push(word.to_owned());
                continue;
            }
        };
        commands.push(Command {
            join,
            words: std::mem::take(&mut words),
        });
        join = next;
    }
    commands.push(Command { join, words });
    if commands.len() > MOST_COMMANDS {
        return Err(ScriptError::TooLong("a line"));
    }
    Ok(Line::Commands(commands))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectors_part_commands() {
        let lines = parse(b"#!ipxe\n\n# no\n  :a \niseq 1 2 && goto b ||\n").unwrap();
        let of = |join, words: &[&str]| Command {
            join,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        let expected = [
            Line::Label("a".to_owned()),
            Line::Commands(vec![
                of(Join::Always, &["iseq", "1", "2"]),
                of(Join::And, &["goto", "b"]),
                of(Join::Or, &[]),
            ]),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn other_files_are_no_scripts() {
        for content in [&b""[..], b"MZ", b"#!ipxescript", b"#!ipxe\n\xff"] {
            assert!(parse(content).is_err(), "{content:?}");
        }
        assert!(parse("#!ipxe\nx\n".repeat(MOST_LINES).as_bytes()).is_ok());
        assert!(parse(format!("#!ipxe\n{}", "x\n".repeat(MOST_LINES + 1)).as_bytes()).is_err());
        assert!(parse(format!("#!ipxe\n{}", "|| ".repeat(100)).as_bytes()).is_err());
    }
}
