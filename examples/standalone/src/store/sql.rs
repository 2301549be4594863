use std::borrow::Cow;
use std::fmt;

use ironic_core::store::Kind;

/// What stands for a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arg {
    Text(Cow<'static, str>),
    Real(f64),
    Whole(i64),
}

impl From<&'static str> for Arg {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<f64> for Arg {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

/// A statement and what stands for its placeholders. Those are numbered (`$1`), which both
/// databases read alike.
#[derive(Debug, Clone)]
pub(super) struct Sql {
    text: Cow<'static, str>,
    args: Vec<Arg>,
    /// The kind of record that it asks for, if that matters to it.
    pub(super) kind: Option<Kind>,
    /// Where a further table can be joined.
    joints: Vec<usize>,
    /// Whether it looks into bodies, for a database that has to join what is in them.
    pub(super) opens_bodies: bool,
}

impl Sql {
    /// A statement whose text does not change.
    pub(super) fn fixed(text: &'static str, args: impl Into<Vec<Arg>>) -> Self {
        Self {
            text: Cow::Borrowed(text),
            args: args.into(),
            kind: None,
            joints: Vec::new(),
            opens_bodies: false,
        }
    }

    /// The beginning of a statement about records of this kind.
    pub(super) fn of(kind: Kind) -> Self {
        let mut sql = Self::fixed("", []);
        sql.kind = Some(kind);
        sql
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.to_mut().push_str(text);
    }

    pub(super) fn push_args(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = fmt::Write::write_fmt(self.text.to_mut(), text);
    }

    pub(super) fn bind(&mut self, arg: impl Into<Arg>) {
        self.args.push(arg.into());
        let number = self.args.len();
        self.push_args(format_args!("${number}"));
    }

    /// Here a further table can be joined.
    pub(super) fn joint(&mut self) {
        self.joints.push(self.text.len());
    }

    /// Joins a further table wherever that can be done.
    pub(super) fn join(&mut self, table: &str) {
        let text = self.text.to_mut();
        while let Some(at) = self.joints.pop() {
            text.insert_str(at, table);
        }
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_parts(self) -> (Cow<'static, str>, Vec<Arg>) {
        (self.text, self.args)
    }
}
