//! Finding records by what stands in their fields, without looking at all others.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::{fmt, slice};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Compare, Filter, Kind, Op, Record, Revision, Scalar};

impl Kind {
    /// The members of a body by whose text or truth records of this kind are looked up, over and
    /// over: a store for many nodes keeps an index over each. What a query asks for by the value
    /// of another member is rare enough to be looked for in every record.
    pub fn indexed_fields(self) -> &'static [&'static str] {
        match self {
            Self::Node => &[
                "provision_state",
                "driver",
                "resource_class",
                "conductor_group",
                "owner",
                "lessee",
                "shard",
                "name",
                "parent_node",
                "maintenance",
                "console_enabled",
            ],
            Self::Lock => &["holder"],
            Self::Port | Self::Portgroup => &["node_uuid", "address", "name"],
            Self::Allocation => &["state", "node_uuid", "resource_class", "owner", "name"],
            Self::Trait => &["node_uuid", "name"],
            Self::VolumeConnector
            | Self::VolumeTarget
            | Self::BiosSetting
            | Self::FirmwareComponent
            | Self::History => &["node_uuid"],
            Self::DeployTemplate | Self::Runbook => &["name"],
            Self::Flow
            | Self::Chassis
            | Self::InspectionRule
            | Self::Inventory
            | Self::Conductor => &[],
        }
    }
}

/// What an index finds records by. Numbers are in none: what equals one may be spelt differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    Flag(bool),
    Text(Arc<str>),
}

impl Term {
    fn of(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Bool(flag) => Some(Self::Flag(*flag)),
            Scalar::String(text) => Some(Self::Text(text.as_str().into())),
            Scalar::Number(_) => None,
        }
    }

    fn read(json: &RawValue) -> Option<Self> {
        match json.get() {
            "true" => Some(Self::Flag(true)),
            "false" => Some(Self::Flag(false)),
            text => {
                let text: Cow<'_, str> = serde_json::from_str(text).ok()?;
                Some(Self::Text(text.into()))
            }
        }
    }
}

/// Where a record stands in the order of creation.
pub(super) type Place = (Revision, Uuid);

/// A record's indexed members: each by its position among the fields of its kind.
#[derive(Debug, Default)]
pub(super) struct Terms(Vec<(u8, Term)>);

impl Terms {
    /// Those of what an operation writes.
    pub(super) fn written(op: &Op) -> Self {
        match op {
            Op::Put { record, .. } => Self::of(record),
            Op::Delete { .. } => Self::default(),
        }
    }

    /// Those of a record. A body that is no object has no members.
    fn of(record: &Record) -> Self {
        let fields = record.kind.indexed_fields();
        if fields.is_empty() {
            return Self::default();
        }
        let mut body = serde_json::Deserializer::from_str(record.body.get());
        let mut terms = body.deserialize_map(Reader(fields)).unwrap_or_default();
        terms.0.shrink_to_fit();
        terms
    }
}

struct Reader(&'static [&'static str]);

impl<'de> Visitor<'de> for Reader {
    type Value = Terms;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Terms, A::Error> {
        let mut terms = Terms::default();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let Some(field) = position(self.0, &name.0) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            // Of members of one name the last counts.
            terms.0.retain(|(other, _)| *other != field);
            let term = Term::read(map.next_value()?);
            terms.0.extend(term.map(|term| (field, term)));
        }
        Ok(terms)
    }
}

/// A name, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn position(fields: &[&str], field: &str) -> Option<u8> {
    let position = fields.iter().position(|known| *known == field)?;
    u8::try_from(position).ok()
}

/// What an index says to a filter.
#[derive(Debug)]
pub(super) enum Found {
    /// All that match are among these.
    Among(BTreeSet<Place>),
    /// They are among more than were asked for.
    Many,
    /// Nothing.
    Unknown,
}

/// How many places a conjunction is content with at first.
const FEW: usize = 16;

/// The places of the records of one kind, by what stands in their indexed members.
#[derive(Debug)]
pub(super) struct Index {
    fields: &'static [&'static str],
    places: BTreeSet<(u8, Term, Revision, Uuid)>,
}

impl Index {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            fields: kind.indexed_fields(),
            places: BTreeSet::new(),
        }
    }

    pub(super) fn insert(&mut self, (created, id): Place, terms: &Terms) {
        for (field, term) in &terms.0 {
            self.places.insert((*field, term.clone(), created, id));
        }
    }

    pub(super) fn remove(&mut self, (created, id): Place, terms: Terms) {
        for (field, term) in terms.0 {
            self.places.remove(&(field, term, created, id));
        }
    }

    /// Where all that match are, if that is known and they are not more than `most`.
    pub(super) fn find(&self, filter: &Filter, most: usize) -> Found {
        match filter {
            Filter::Is(field, Compare::Eq, scalar) => {
                self.equal(field, slice::from_ref(scalar), most)
            }
            Filter::In(field, scalars) => self.equal(field, scalars, most),
            Filter::And(filters) => self.narrowest(filters, most),
            Filter::Or(filters) => self.any(filters, most),
            _ => Found::Unknown,
        }
    }

    /// How many records match, where the index alone says so.
    pub(super) fn count(&self, filter: &Filter) -> Option<u64> {
        let (field, scalars) = match filter {
            Filter::Is(field, Compare::Eq, scalar) => (field, slice::from_ref(scalar)),
            Filter::In(field, scalars) => (field, scalars.as_slice()),
            _ => return None,
        };
        let field = position(self.fields, field)?;
        // A record has one term of a field, so that it is counted once.
        let terms: Option<BTreeSet<_>> = scalars.iter().map(Term::of).collect();
        let places = terms?.into_iter().map(|term| {
            let first = (field, term.clone(), Revision(0), Uuid::nil());
            let last = (field, term, Revision(u64::MAX), Uuid::max());
            self.places.range(first..=last).count() as u64
        });
        Some(places.sum())
    }

    fn equal(&self, field: &str, scalars: &[Scalar], most: usize) -> Found {
        let Some(field) = position(self.fields, field) else {
            return Found::Unknown;
        };
        let mut found = BTreeSet::new();
        for scalar in scalars {
            let Some(term) = Term::of(scalar) else {
                return Found::Unknown;
            };
            let first = (field, term.clone(), Revision(0), Uuid::nil());
            let last = (field, term, Revision(u64::MAX), Uuid::max());
            for (_, _, created, id) in self.places.range(first..=last) {
                found.insert((*created, *id));
                if found.len() > most {
                    return Found::Many;
                }
            }
        }
        Found::Among(found)
    }

    /// The condition of a conjunction that fewest meet; it costs little more than those few,
    /// however many meet the others.
    fn narrowest(&self, filters: &[Filter], most: usize) -> Found {
        let mut enough = FEW.min(most);
        loop {
            let mut known = false;
            for filter in filters {
                match self.find(filter, enough) {
                    Found::Among(places) => return Found::Among(places),
                    Found::Many => known = true,
                    Found::Unknown => {}
                }
            }
            if !known {
                return Found::Unknown;
            }
            if enough == most {
                return Found::Many;
            }
            enough = enough.saturating_mul(4).min(most);
        }
    }

    fn any(&self, filters: &[Filter], most: usize) -> Found {
        let mut found = BTreeSet::new();
        for filter in filters {
            match self.find(filter, most) {
                Found::Among(places) => found.extend(places),
                other => return other,
            }
            if found.len() > most {
                return Found::Many;
            }
        }
        Found::Among(found)
    }
}
