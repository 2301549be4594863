use uuid::Uuid;

use super::Kind;

/// A value that fields are compared with. Values of different types never match.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// Any JSON number; compared as a 64-bit float.
    Number(f64),
    /// A string; compared by its UTF-8 bytes.
    String(String),
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// Equal.
    Eq,
    /// Of the same type and not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

/// Which records: an expression over members of their bodies.
///
/// A field is named by its path, members joined by `.`. A member whose own name has a dot cannot
/// be named, and one whose name has a U+0000 not in every store. An absent field is null. A comparison is false unless the field is of the scalar's
/// type; so null is matched by `Null` alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// Every record.
    All,
    /// The field compares so with the scalar.
    Is(String, Compare, Scalar),
    /// The field is null or absent.
    Null(String),
    /// The field equals one of the scalars.
    In(String, Vec<Scalar>),
    /// The field is an array with an element that equals the scalar, or an object with a member
    /// of that name (a string scalar).
    Contains(String, Scalar),
    /// The field is a string that has this within it, compared without regard to ASCII case.
    Like(String, String),
    /// Every one of these.
    And(Vec<Filter>),
    /// Any of these.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
}

impl Filter {
    /// The field is this string.
    pub fn text(field: &str, value: impl Into<String>) -> Self {
        Self::Is(field.to_owned(), Compare::Eq, Scalar::String(value.into()))
    }

    /// The field is this boolean; false matches an absent field too, as bodies leave defaults out.
    pub fn flag(field: &str, value: bool) -> Self {
        let set = Self::Is(field.to_owned(), Compare::Eq, Scalar::Bool(true));
        if value { set } else { Self::Not(Box::new(set)) }
    }

    /// Both this and `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, one) | (one, Self::All) => one,
            (Self::And(mut all), one) => {
                all.push(one);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }
}

/// A field to sort by. The order of types is null, bool, number, string; within a type false,
/// then true; by value; by UTF-8 bytes. Arrays and objects sort as null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The path of the field.
    pub field: String,
    /// Whether the order is reversed.
    pub descending: bool,
}

/// Which records, in which order, which part of them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Query {
    /// What sort of record.
    pub kind: Kind,
    /// Which ones.
    pub filter: Filter,
    /// In which order; ties, and everything when empty, by creation.
    pub sort: Vec<Sort>,
    /// Start after this record in that order, whether or not it matches the filter.
    pub marker: Option<Uuid>,
    /// At most this many.
    pub limit: Option<u32>,
    /// Only these top-level members of the bodies; `None` for all. A store may give more.
    pub fields: Option<Vec<String>>,
}

impl Query {
    /// All records of a kind, in the order of their creation.
    #[must_use]
    pub fn all(kind: Kind) -> Self {
        Self {
            kind,
            filter: Filter::All,
            sort: Vec::new(),
            marker: None,
            limit: None,
            fields: None,
        }
    }

    /// The same query, of matching records only.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }

    /// The same query, sorted by a further field.
    #[must_use]
    pub fn sort_by(mut self, field: impl Into<String>, descending: bool) -> Self {
        self.sort.push(Sort {
            field: field.into(),
            descending,
        });
        self
    }

    /// The same query, from behind this record on.
    #[must_use]
    pub fn after(mut self, marker: Uuid) -> Self {
        self.marker = Some(marker);
        self
    }

    /// The same query, of at most `limit` records.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same query, of these members only.
    #[must_use]
    pub fn fields(mut self, fields: Vec<String>) -> Self {
        self.fields = Some(fields);
        self
    }
}
