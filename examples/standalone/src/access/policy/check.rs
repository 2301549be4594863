//! A check, once read.

use std::fmt;

/// What has to be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Check {
    /// `@`: it always is.
    Always,
    /// `!`: it never is.
    Never,
    Not(Box<Check>),
    All(Vec<Check>),
    Any(Vec<Check>),
    /// `rule:NAME`: what another rule says.
    Rule(String),
    /// `role:NAME`: who asks has the role.
    Role(Template),
    /// `LEFT:RIGHT`: both are the same.
    Same(Left, Template),
}

/// What stands before the colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    /// A text, a number, `True`, `False` or `None`, as it stands there, and its value.
    Literal(String, String),
    /// What is known of who asks.
    Credential(String),
}

/// What stands behind the colon: texts, and names of what is known of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Piece>);

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// `%(NAME)s`.
    Target(String),
}

/// Why the rules that a rule refers to lead nowhere.
#[derive(Debug)]
pub(super) enum Undefined {
    Missing(String),
    Endless(Vec<String>),
    TooLong,
    TooMuch,
}

impl Check {
    /// Collects the rules that this refers to, each as often as it does.
    pub(super) fn references<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Self::Rule(name) => into.push(name),
            Self::Not(inner) => inner.references(into),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.references(into);
                }
            }
            Self::Always | Self::Never | Self::Role(_) | Self::Same(..) => {}
        }
    }

    /// How many single checks this is made of.
    pub(super) fn single_checks(&self) -> u64 {
        match self {
            Self::Not(inner) => inner.single_checks(),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::single_checks).sum(),
            _ => 1,
        }
    }

    /// How tightly this binds where it is part of another.
    const fn rank(&self) -> u8 {
        match self {
            Self::Any(_) => 0,
            Self::All(_) => 1,
            _ => 2,
        }
    }

    fn write_within(&self, rank: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rank() < rank {
            write!(f, "({self})")
        } else {
            write!(f, "{self}")
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = |parts: &[Self], word: &str, rank, f: &mut fmt::Formatter<'_>| {
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    write!(f, " {word} ")?;
                }
                part.write_within(rank, f)?;
            }
            Ok(())
        };
        match self {
            Self::Always => f.write_str("@"),
            Self::Never => f.write_str("!"),
            Self::Not(inner) => {
                f.write_str("not ")?;
                inner.write_within(2, f)
            }
            Self::All(all) => parts(all, "and", 2, f),
            Self::Any(any) => parts(any, "or", 1, f),
            Self::Rule(name) => write!(f, "rule:{name}"),
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Same(left, right) => write!(f, "{left}:{right}"),
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text, _) | Self::Credential(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(&text.replace('%', "%%"))?,
                Piece::Target(name) => write!(f, "%({name})s")?,
            }
        }
        Ok(())
    }
}
