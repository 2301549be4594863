//! A named value: an argument, a member of a body or of an answer.

use super::super::fields::Fields;
use super::shape::Shape;

/// A named value of a query or an object.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(in super::super) struct Member {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) about: &'static str,
    pub(super) since: u16,
    pub(super) required: bool,
}

impl Member {
    /// One that may be there, with what it says.
    pub(in super::super) const fn new(
        name: &'static str,
        shape: Shape,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            shape,
            about,
            since: 1,
            required: false,
        }
    }

    /// There is such a thing since 1.`since`.
    pub(in super::super) const fn since(mut self, since: u16) -> Self {
        self.since = since;
        self
    }

    /// It has to be there.
    pub(in super::super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// A resource as answers show it.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Record {
    /// What it is called.
    pub(super) what: &'static str,
    pub(super) fields: Fields,
    /// What answers show besides its fields.
    pub(super) besides: &'static [Member],
}

/// The links of a resource to itself.
const LINKS: &[Member] = &[Member::new("links", Shape::Links, "Where it is.").required()];

impl Record {
    /// One of these fields, with its links.
    pub(in super::super) const fn new(what: &'static str, fields: Fields) -> Self {
        Self {
            what,
            fields,
            besides: LINKS,
        }
    }

    /// What answers show besides the fields, in place of links.
    pub(in super::super) const fn besides(mut self, members: &'static [Member]) -> Self {
        self.besides = members;
        self
    }
}
