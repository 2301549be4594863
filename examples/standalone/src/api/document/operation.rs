//! What an operation is for, what it takes, and what it answers.

use http::Method;

use super::super::fields::Fields;
use super::super::version::since;
use super::member::Member;
use super::shape::Shape;

/// An operation of the API.
#[derive(Debug, Clone)]
pub(in super::super) struct Operation {
    pub(super) resource: &'static str,
    pub(super) method: Method,
    /// As the router knows it.
    pub(super) path: String,
    pub(super) about: About,
}

/// What there is to say of an operation.
#[derive(Debug, Clone)]
#[must_use]
pub(in super::super) struct About {
    pub(super) summary: &'static str,
    /// The version that the handler itself asks for; paths have theirs besides.
    pub(super) since: u16,
    /// Whether the handler says of older versions that it is not possible (405).
    pub(super) impossible_before: bool,
    pub(super) arguments: Vec<Member>,
    pub(super) body: Option<Shape>,
    pub(super) answer: Answer,
    /// Whether anybody may ask.
    pub(super) public: bool,
}

/// What an operation answers that has been done.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Answer {
    pub(super) status: u16,
    pub(super) shape: Option<Shape>,
    pub(super) location: bool,
    /// Whether it may also come before all is done.
    pub(super) perhaps_begun: bool,
}

/// It is done, and there is nothing to be said.
pub(in super::super) const DONE: Answer = Answer {
    status: 204,
    shape: None,
    location: false,
    perhaps_begun: false,
};

/// It has begun.
pub(in super::super) const ACCEPTED: Answer = Answer {
    status: 202,
    shape: None,
    location: false,
    perhaps_begun: false,
};

/// What was asked for.
pub(in super::super) const fn shows(shape: Shape) -> Answer {
    Answer {
        status: 200,
        shape: Some(shape),
        location: false,
        perhaps_begun: false,
    }
}

/// What there is now, and where it is.
pub(in super::super) const fn created(shape: Shape) -> Answer {
    Answer {
        status: 201,
        shape: Some(shape),
        location: true,
        perhaps_begun: false,
    }
}

/// A page of items under this name.
pub(in super::super) const fn listed(name: &'static str, item: &'static Shape) -> Answer {
    shows(Shape::Page(name, item))
}

impl Answer {
    /// The answer says where to look.
    pub(in super::super) const fn located(mut self) -> Self {
        self.location = true;
        self
    }

    /// The answer may also come before it is all done.
    pub(in super::super) const fn or_begun(mut self) -> Self {
        self.perhaps_begun = true;
        self
    }

    /// The answer comes before it is all done.
    pub(in super::super) const fn begun(mut self) -> Self {
        self.status = 202;
        self
    }
}

/// An operation that does this, and then answers so.
pub(in super::super) fn about(summary: &'static str, answer: Answer) -> About {
    About {
        summary,
        since: 1,
        impossible_before: false,
        arguments: Vec::new(),
        body: None,
        answer,
        public: false,
    }
}

impl About {
    /// There is such a thing since 1.`since`.
    pub(in super::super) fn since(mut self, since: u16) -> Self {
        self.since = since;
        self
    }

    /// Older versions are told that it is not possible (405).
    pub(in super::super) fn impossible_before(mut self) -> Self {
        self.impossible_before = true;
        self
    }

    /// Its query may have these arguments.
    pub(in super::super) fn query(mut self, arguments: &[Member]) -> Self {
        self.arguments.extend_from_slice(arguments);
        self
    }

    /// `fields=` says what of the resource is shown.
    pub(in super::super) fn selects(self, fields: Fields) -> Self {
        let argument = Member::new("fields", Shape::Names(fields), "Which fields are shown.");
        self.query(&[argument.since(since::FIELDS_QUERY)])
    }

    /// The same, where that has been there from the start.
    pub(in super::super) fn selects_from_the_start(self, fields: Fields) -> Self {
        let argument = Member::new("fields", Shape::Names(fields), "Which fields are shown.");
        self.query(&[argument])
    }

    /// `detail=` says whether everything is shown, since 1.`since`.
    pub(in super::super) fn details(self, since: u16) -> Self {
        let flag = "Whether every field is shown.";
        self.query(&[Member::new("detail", Shape::FLAG, flag).since(since)])
    }

    /// It answers in pages.
    pub(in super::super) fn paged(self, fields: Fields) -> Self {
        let marker = "The uuid of the last item of the page before.";
        self.paged_after(Member::new("marker", Shape::Uuid, marker), fields)
    }

    /// The same, where the last item of the page before is named in this way.
    pub(in super::super) fn paged_after(self, marker: Member, fields: Fields) -> Self {
        self.query(&[
            marker,
            Member::new("limit", Shape::Positive, "How many items a page has."),
            Member::new("sort_key", Shape::SortKey(fields), "What to sort by."),
            Member::new("sort_dir", Shape::Words(&["asc", "desc"]), "Which way."),
        ])
    }

    /// Its body is this.
    pub(in super::super) fn takes(mut self, body: Shape) -> Self {
        self.body = Some(body);
        self
    }

    /// Anybody may ask.
    pub(in super::super) fn public(mut self) -> Self {
        self.public = true;
        self
    }
}

impl Operation {
    pub(super) fn new(resource: &'static str, method: Method, path: &str, about: About) -> Self {
        Self {
            resource,
            method,
            path: path.to_owned(),
            about,
        }
    }

    /// The same beneath another path.
    pub(in super::super) fn beneath(mut self, prefix: &str) -> Self {
        let path = self.path.strip_prefix('/').filter(|path| !path.is_empty());
        self.path = path.map_or_else(|| prefix.to_owned(), |path| format!("{prefix}/{path}"));
        self
    }

    /// The names of the variable segments of its path.
    pub(super) fn segments(&self) -> impl Iterator<Item = &str> {
        let segments = self.path.split('/');
        segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }
}
