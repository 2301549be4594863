//! What the API knows of the fields of its resources: one table for each resource, from which
//! follows what is shown in which version, what a list shows and can be sorted by, what may be
//! asked for by name, what a body may bring and what a patch may change.

use serde_json::{Map, Value};

use super::document::Shape;
use super::fault::Fault;
use super::schema::Is;
use super::version::{Version, since};

/// What a field that is not set reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    Null,
    Object,
    List,
    False,
    True,
    Text,
    Zero,
}

impl Empty {
    pub(super) fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Object => Value::Object(Map::new()),
            Self::List => Value::Array(Vec::new()),
            Self::False => Value::Bool(false),
            Self::True => Value::Bool(true),
            Self::Text => Value::String(String::new()),
            Self::Zero => Value::from(0),
        }
    }
}

/// A field of a resource. Unless its line says otherwise it is shown from its version on, can be
/// asked for and sorted by, and no client sets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    since: u16,
    named_since: u16,
    empty: Empty,
    taken: Option<Is>,
    reads: Option<Shape>,
    marks: u16,
}

const BRIEF: u16 = 1;
const UNORDERED: u16 = 1 << 1;
const UNSELECTABLE: u16 = 1 << 2;
const PATCHABLE: u16 = 1 << 3;
const REQUIRED: u16 = 1 << 4;
const WRITE_ONLY: u16 = 1 << 5;
const BY_PATCH_ONLY: u16 = 1 << 6;
const UNKNOWN_BEFORE: u16 = 1 << 7;

impl Field {
    /// A field that is there since 1.`since`, and reads so where it is not set.
    pub(super) const fn new(name: &'static str, since: u16, empty: Empty) -> Self {
        Self {
            name,
            since,
            named_since: since,
            empty,
            taken: None,
            reads: None,
            marks: 0,
        }
    }

    const fn marked(mut self, mark: u16) -> Self {
        self.marks |= mark;
        self
    }

    const fn has(&self, mark: u16) -> bool {
        self.marks & mark != 0
    }

    /// A client may set it, to this.
    pub(super) const fn takes(mut self, is: Is) -> Self {
        self.taken = Some(is);
        self
    }

    /// Answers show it so, where that does not follow from what it takes and from what it reads
    /// when it is not set.
    pub(super) const fn reads(mut self, shape: Shape) -> Self {
        self.reads = Some(shape);
        self
    }

    /// Without it nothing is created.
    pub(super) const fn required(self) -> Self {
        self.marked(REQUIRED)
    }

    /// A patch may change it.
    pub(super) const fn patchable(self) -> Self {
        self.marked(PATCHABLE)
    }

    /// Only a patch may set it, no creation.
    pub(super) const fn by_patch_only(self) -> Self {
        self.marked(BY_PATCH_ONLY)
    }

    /// Lists show it unless asked for something else.
    pub(super) const fn brief(self) -> Self {
        self.marked(BRIEF)
    }

    /// Lists cannot be sorted by it: it has no order, or is found out for each item.
    pub(super) const fn unordered(self) -> Self {
        self.marked(UNORDERED)
    }

    /// `fields=` cannot name it.
    pub(super) const fn unselectable(self) -> Self {
        self.marked(UNSELECTABLE)
    }

    /// No answer shows it.
    pub(super) const fn write_only(self) -> Self {
        self.marked(WRITE_ONLY | UNORDERED | UNSELECTABLE)
    }

    /// It may be named, though not be seen, since 1.`since`.
    pub(super) const fn named_since(mut self, since: u16) -> Self {
        self.named_since = since;
        self
    }

    /// An older version does not even know that there is such a field, and says 400 where it
    /// would say 406.
    pub(super) const fn unknown_before(self) -> Self {
        self.marked(UNKNOWN_BEFORE)
    }

    /// What a client may set it to; `None` where no client sets it.
    pub(super) fn taken(&self, patched: bool) -> Option<Is> {
        self.taken.filter(|_| patched || !self.has(BY_PATCH_ONLY))
    }

    /// The version that it is there since.
    pub(super) fn since(&self) -> u16 {
        self.since
    }

    /// What it reads where it is not set.
    pub(super) fn empty(&self) -> Empty {
        self.empty
    }

    /// How answers show it, where that is said.
    pub(super) fn read_as(&self) -> Option<Shape> {
        self.reads
    }

    /// Whether nothing is created without it.
    pub(super) fn is_required(&self) -> bool {
        self.has(REQUIRED)
    }
}

/// Writes a table of fields: each with the version that it is there since, what it reads where it
/// is not set, and what more there is to it.
macro_rules! fields {
    ($($name:literal since $since:expr, $empty:ident
        $(, $mark:ident $(($argument:expr))?)*;)+) => {
        $crate::api::fields::Fields(&[$(
            $crate::api::fields::Field::new($name, $since, $crate::api::fields::Empty::$empty)
                $(.$mark($($argument)?))*
        ),+])
    };
}
pub(super) use fields;

/// The fields of a resource, without its links.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields(pub(super) &'static [Field]);

impl Fields {
    /// The field of this name.
    pub(super) fn find(&self, name: &str) -> Option<&'static Field> {
        self.0.iter().find(|field| field.name == name)
    }

    /// Refuses (406) fields that this version does not have; those that none has are left to
    /// whoever knows them.
    pub(super) fn check_version<'a>(
        &self,
        version: Version,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Fault> {
        names
            .into_iter()
            .filter_map(|name| self.find(name))
            .filter(|field| !field.has(UNKNOWN_BEFORE))
            .try_for_each(|field| version.need(field.named_since))
    }

    /// Refuses names that a request may not ask for: those that are no field (400), and those
    /// that this version does not have (406).
    pub(super) fn check_asked(
        &self,
        version: Version,
        asked: Option<&[String]>,
    ) -> Result<(), Fault> {
        let asked = asked.unwrap_or_default();
        self.check_version(version, asked.iter().map(String::as_str))?;
        let known = |name: &&String| match self.find(name) {
            None => *name == "links",
            Some(field) => {
                let unknown = field.has(UNKNOWN_BEFORE) && !version.has(field.since);
                !field.has(UNSELECTABLE) && !unknown
            }
        };
        match asked.iter().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let shown: String = name.chars().take(80).collect();
                Err(Fault::bad(format!("there is no field {shown:?}")))
            }
        }
    }

    /// Whether a list can be sorted by it; `id` is the order of creation.
    ///
    /// # Errors
    /// 406 for a field that this version does not have, 400 for what has no order.
    pub(super) fn check_sort_key(&self, version: Version, key: &str) -> Result<(), Fault> {
        self.check_version(version, [key])?;
        let sortable = self.find(key).is_some_and(|field| !field.has(UNORDERED));
        if sortable || key == "id" {
            return Ok(());
        }
        let known = self.0.iter().filter(|field| !field.has(UNORDERED));
        let known: Vec<_> = known.map(|field| field.name).collect();
        Err(Fault::bad(format!(
            "sort_key must be id or one of {}",
            known.join(", ")
        )))
    }

    /// The fields that answers show, in one version or another.
    pub(super) fn shown_in_some_version(&self) -> impl Iterator<Item = &'static Field> {
        self.0.iter().filter(|field| !field.has(WRITE_ONLY))
    }

    /// The names that `fields=` may have.
    pub(super) fn selectable(&self) -> Vec<&'static str> {
        let fields = self.0.iter().filter(|field| !field.has(UNSELECTABLE));
        let names = fields.map(|field| field.name);
        names.chain(std::iter::once("links")).collect()
    }

    /// The names that `sort_key=` may have.
    pub(super) fn sortable(&self) -> Vec<&'static str> {
        let fields = self.0.iter().filter(|field| !field.has(UNORDERED));
        let names = fields.map(|field| field.name);
        std::iter::once("id").chain(names).collect()
    }

    /// What a list shows unless asked for something else.
    pub(super) fn brief(&self) -> Vec<String> {
        let brief = self.0.iter().filter(|field| field.has(BRIEF));
        brief.map(|field| field.name.to_owned()).collect()
    }

    /// The fields that a patch may change.
    pub(super) fn patchable(&self) -> impl Iterator<Item = &'static Field> {
        self.0.iter().filter(|field| field.has(PATCHABLE))
    }

    /// Their names, of those that this version has.
    pub(super) fn patchable_in(&self, version: Version) -> Vec<&'static str> {
        let known = self.patchable().filter(|field| version.has(field.since));
        known.map(|field| field.name).collect()
    }

    /// What of a resource a patch may change.
    pub(super) fn only_patchable(&self, mut document: Map<String, Value>) -> Map<String, Value> {
        document.retain(|name, _| self.find(name).is_some_and(|field| field.has(PATCHABLE)));
        document
    }

    /// A resource with every field, the missing ones as they read when not set.
    pub(super) fn complete(&self, mut document: Map<String, Value>) -> Map<String, Value> {
        for field in self.0 {
            if !document.contains_key(field.name) {
                document.insert(field.name.to_owned(), field.empty.value());
            }
        }
        document
    }

    /// What of a resource is shown: the fields that this version has, of those asked for.
    pub(super) fn shown(
        &self,
        version: Version,
        asked: Option<&[String]>,
        document: Map<String, Value>,
    ) -> Map<String, Value> {
        self.shown_if(asked, document, |field| version.has(field.since))
    }

    /// These fields, in the order of their names.
    pub(super) fn in_order(
        &self,
        version: Version,
        asked: Option<&[String]>,
    ) -> Vec<&'static Field> {
        let shown = self.0.iter().filter(|field| {
            let wanted = asked.is_none_or(|asked| asked.iter().any(|name| name == field.name));
            wanted && !field.has(WRITE_ONLY) && version.has(field.since)
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort_unstable_by_key(|field| field.name);
        shown
    }

    /// The same in any version.
    pub(super) fn shown_always(
        &self,
        asked: Option<&[String]>,
        document: Map<String, Value>,
    ) -> Map<String, Value> {
        self.shown_if(asked, document, |_| true)
    }

    fn shown_if(
        &self,
        asked: Option<&[String]>,
        mut document: Map<String, Value>,
        has: impl Fn(&Field) -> bool,
    ) -> Map<String, Value> {
        document.retain(|name, _| {
            let wanted = asked.is_none_or(|asked| asked.iter().any(|field| field == name));
            let field = self.find(name).filter(|field| !field.has(WRITE_ONLY));
            wanted && field.is_some_and(&has)
        });
        document
    }

    /// The fields that a list shows: those asked for; all with `detail`, which there is since
    /// 1.43; a few otherwise.
    pub(super) fn requested(
        &self,
        version: Version,
        asked: Option<Vec<String>>,
        detail: Option<bool>,
    ) -> Result<Option<Vec<String>>, Fault> {
        if detail.is_some() && !version.has(since::DETAIL_QUERY) {
            return Err(Fault::bad(format!(
                "detail needs at least version 1.{} of the API",
                since::DETAIL_QUERY
            )));
        }
        self.few_or_asked(asked, detail)
    }

    /// The same where `detail` has been there from the start.
    pub(super) fn few_or_asked(
        &self,
        asked: Option<Vec<String>>,
        detail: Option<bool>,
    ) -> Result<Option<Vec<String>>, Fault> {
        match (asked, detail.unwrap_or(false)) {
            (Some(_), true) => Err(Fault::bad("fields and detail exclude each other")),
            (Some(asked), false) => Ok(Some(asked)),
            (None, true) => Ok(None),
            (None, false) => Ok(Some(self.brief())),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::{Value, json};

    use super::super::schema::Is;
    use super::{Fields, Version};

    const TABLE: Fields = fields! {
        "name" since 5, Null, takes(Is::Text(0, 9)), patchable, brief;
        "extra" since 1, Object, unordered;
        "inner" since 18, Null, named_since(1);
        "owner" since 60, Null, unknown_before;
        "secret" since 1, Null, takes(Is::Object), patchable, write_only;
    };

    fn version(minor: u16) -> Version {
        Version::new(minor).unwrap()
    }

    fn shown(minor: u16, asked: Option<&[&str]>) -> Value {
        let asked: Option<Vec<_>> =
            asked.map(|asked| asked.iter().map(|name| (*name).to_owned()).collect());
        let document = TABLE.complete(serde_json::Map::new());
        TABLE
            .shown(version(minor), asked.as_deref(), document)
            .into()
    }

    #[test]
    fn what_is_shown_follows_from_the_table() {
        assert_eq!(shown(1, None), json!({"extra": {}}));
        assert_eq!(
            shown(60, None),
            json!({"extra": {}, "inner": null, "name": null, "owner": null})
        );
        assert_eq!(shown(60, Some(&["name", "secret"])), json!({"name": null}));
        assert_eq!(TABLE.brief(), ["name"]);
        assert_eq!(TABLE.patchable_in(version(4)), ["secret"]);
    }

    #[test]
    fn a_name_is_unknown_or_too_new_or_right() {
        let status = |minor, name: &str| {
            let asked = [name.to_owned()];
            let asked = TABLE.check_asked(version(minor), Some(&asked));
            asked.err().map(|fault| fault.status())
        };
        assert_eq!(status(4, "name"), Some(StatusCode::NOT_ACCEPTABLE));
        assert_eq!(status(5, "name"), None);
        assert_eq!(status(1, "inner"), None);
        assert_eq!(status(59, "owner"), Some(StatusCode::BAD_REQUEST));
        assert_eq!(status(60, "owner"), None);
        assert_eq!(status(60, "nosuch"), Some(StatusCode::BAD_REQUEST));
        assert_eq!(status(60, "secret"), Some(StatusCode::BAD_REQUEST));
        assert!(TABLE.check_sort_key(version(5), "id").is_ok());
        assert!(TABLE.check_sort_key(version(5), "extra").is_err());
    }
}
