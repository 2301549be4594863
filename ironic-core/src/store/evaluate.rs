//! Queries answered by looking at every record: for stores without a query language of their own.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::record::corrupt;
use super::{Compare, Filter, Query, Record, Revision, Scalar, StoreError};

impl Filter {
    /// Whether a record with this body matches.
    ///
    /// # Errors
    /// When the body is no JSON object.
    pub fn matches(&self, body: &RawValue) -> Result<bool, serde_json::Error> {
        Matcher::new(self).matches(body)
    }

    /// Adds the top-level members that the filter looks at.
    fn members<'a>(&'a self, into: &mut BTreeSet<&'a str>) {
        match self {
            Self::All => {}
            Self::Is(path, ..)
            | Self::Null(path)
            | Self::In(path, _)
            | Self::Contains(path, _)
            | Self::Like(path, _) => {
                into.insert(first_member(path));
            }
            Self::And(filters) | Self::Or(filters) => {
                filters.iter().for_each(|filter| filter.members(into));
            }
            Self::Not(filter) => filter.members(into),
        }
    }

    fn holds(&self, members: &Members) -> bool {
        match self {
            Self::All => true,
            Self::Is(path, compare, scalar) => members
                .at(path)
                .is_some_and(|value| compares(value, *compare, scalar)),
            Self::Null(path) => members.at(path).is_none_or(Value::is_null),
            Self::In(path, scalars) => members
                .at(path)
                .is_some_and(|value| scalars.iter().any(|s| compares(value, Compare::Eq, s))),
            Self::Contains(path, scalar) => members
                .at(path)
                .is_some_and(|value| contains(value, scalar)),
            Self::Like(path, part) => members
                .at(path)
                .and_then(Value::as_str)
                .is_some_and(|text| has_within(text, part)),
            Self::And(filters) => filters.iter().all(|filter| filter.holds(members)),
            Self::Or(filters) => filters.iter().any(|filter| filter.holds(members)),
            Self::Not(filter) => !filter.holds(members),
        }
    }
}

impl Query {
    /// Answers this query from all the records of its kind, in whatever order they come.
    ///
    /// # Errors
    /// [`StoreError::NoMarker`] when the marker is not among them, [`StoreError::Corrupt`] for a
    /// body that is no JSON object.
    pub fn select<R: Borrow<Record>>(&self, mut records: Vec<R>) -> Result<Vec<R>, StoreError> {
        if self.sort.is_empty() {
            records.sort_by_key(|record| creation(record.borrow()));
            return self.page(records.into_iter());
        }
        let fields = self.sort.iter().map(|sort| first_member(&sort.field));
        let fields = fields.collect();
        let mut keyed = Vec::with_capacity(records.len());
        for record in records {
            keyed.push((self.sort_key(record.borrow(), &fields)?, record));
        }
        keyed.sort_by(|(a_key, a), (b_key, b)| {
            self.in_order(a_key, b_key)
                .then_with(|| creation(a.borrow()).cmp(&creation(b.borrow())))
        });
        self.page(keyed.into_iter().map(|(_, record)| record))
    }

    /// What follows the marker in these sorted records and matches, up to the limit.
    fn page<R: Borrow<Record>>(
        &self,
        mut sorted: impl Iterator<Item = R>,
    ) -> Result<Vec<R>, StoreError> {
        if let Some(id) = self.marker
            && !sorted.any(|record| record.borrow().id == id)
        {
            return Err(StoreError::NoMarker {
                kind: self.kind,
                id,
            });
        }
        let matcher = Matcher::new(&self.filter);
        let limit = self.limit.map_or(usize::MAX, |n| n as usize);
        let mut page = Vec::new();
        while page.len() < limit
            && let Some(record) = sorted.next()
        {
            if matcher.matches_record(record.borrow())? {
                page.push(record);
            }
        }
        Ok(page)
    }

    fn sort_key(
        &self,
        record: &Record,
        fields: &BTreeSet<&str>,
    ) -> Result<Vec<SortKey>, StoreError> {
        let members =
            Members::read(&record.body, fields).map_err(|e| corrupt(record.kind, record.id, &e))?;
        let keys = self.sort.iter();
        Ok(keys
            .map(|sort| SortKey::of(members.at(&sort.field)))
            .collect())
    }

    fn in_order(&self, a: &[SortKey], b: &[SortKey]) -> Ordering {
        let pairs = self.sort.iter().zip(a.iter().zip(b));
        pairs.fold(Ordering::Equal, |so_far, (sort, (a, b))| {
            so_far.then_with(|| {
                let ascending = a.compare(b);
                if sort.descending {
                    ascending.reverse()
                } else {
                    ascending
                }
            })
        })
    }
}

/// A filter with the names of the top-level members that it looks at.
pub(super) struct Matcher<'a> {
    filter: &'a Filter,
    members: BTreeSet<&'a str>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(filter: &'a Filter) -> Self {
        let mut members = BTreeSet::new();
        filter.members(&mut members);
        Self { filter, members }
    }

    fn matches(&self, body: &RawValue) -> Result<bool, serde_json::Error> {
        if self.members.is_empty() {
            return Ok(self.filter.holds(&Members::default()));
        }
        Ok(self.filter.holds(&Members::read(body, &self.members)?))
    }

    /// Whether a record matches; an error names it.
    pub(super) fn matches_record(&self, record: &Record) -> Result<bool, StoreError> {
        self.matches(&record.body)
            .map_err(|e| corrupt(record.kind, record.id, &e))
    }
}

fn creation(record: &Record) -> (Revision, uuid::Uuid) {
    (record.created, record.id)
}

fn first_member(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

fn compares(value: &Value, compare: Compare, scalar: &Scalar) -> bool {
    let order = match (value, scalar) {
        (Value::Bool(value), Scalar::Bool(scalar)) => Some(value.cmp(scalar)),
        (Value::Number(value), Scalar::Number(scalar)) => {
            value.as_f64().and_then(|value| value.partial_cmp(scalar))
        }
        (Value::String(value), Scalar::String(scalar)) => Some(value.as_str().cmp(scalar)),
        _ => return false,
    };
    match compare {
        Compare::Eq => order == Some(Ordering::Equal),
        Compare::Ne => order != Some(Ordering::Equal),
        Compare::Lt => order == Some(Ordering::Less),
        Compare::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Compare::Gt => order == Some(Ordering::Greater),
        Compare::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn contains(value: &Value, scalar: &Scalar) -> bool {
    match (value, scalar) {
        (Value::Array(items), scalar) => {
            items.iter().any(|item| compares(item, Compare::Eq, scalar))
        }
        (Value::Object(members), Scalar::String(name)) => members.contains_key(name),
        _ => false,
    }
}

fn has_within(text: &str, part: &str) -> bool {
    // Folding ASCII leaves every byte above 0x7f alone, so both stay UTF-8.
    text.to_ascii_lowercase()
        .contains(&part.to_ascii_lowercase())
}

/// What a field sorts as.
enum SortKey {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
}

impl SortKey {
    fn of(value: Option<&Value>) -> Self {
        match value {
            Some(Value::Bool(value)) => Self::Bool(*value),
            Some(Value::Number(value)) => value.as_f64().map_or(Self::Null, Self::Number),
            Some(Value::String(value)) => Self::String(value.clone()),
            _ => Self::Null,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::String(_) => 3,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            // JSON has no NaN, so numbers always compare; -0 equals 0.
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// Some top-level members of a body; the others are skipped over, not kept.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn read(body: &RawValue, wanted: &BTreeSet<&str>) -> Result<Self, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(body.get());
        json.deserialize_map(Wanted(wanted)).map(Self)
    }

    /// The value at a path of members joined by dots.
    fn at(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.as_object()?.get(name))
    }
}

struct Wanted<'a>(&'a BTreeSet<&'a str>);

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = map.next_key_seed(WantedName(self.0))? {
            match name {
                Some(name) => {
                    kept.insert(name, map.next_value()?);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(kept)
    }
}

/// Reads a member's name, and copies it only if it is wanted.
struct WantedName<'a>(&'a BTreeSet<&'a str>);

impl<'de> DeserializeSeed<'de> for WantedName<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for WantedName<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.contains(name).then(|| name.to_owned()))
    }
}
