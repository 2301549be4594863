use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{HashRing, HashRingBuilder, RingError, RouteError};

/// A conductor as the rings see it: its name, its group and what it can look after.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a, T> {
    host: &'a str,
    group: &'a str,
    hardware_types: &'a [T],
}

impl<'a, T: AsRef<str>> Member<'a, T> {
    /// A conductor called `host`, in `group` (empty for none), with its enabled hardware types.
    pub fn new(host: &'a str, group: &'a str, hardware_types: &'a [T]) -> Self {
        Self {
            host,
            group,
            hardware_types,
        }
    }
}

/// Whether conductor groups divide the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Grouping {
    /// One ring for each group and hardware type. Routing to a node's conductor needs this.
    #[default]
    ByGroup,
    /// One ring for each hardware type, whatever the groups: who can answer for a driver as such.
    Ignored,
}

/// Names one ring: `group:hardware_type`, or `hardware_type` where groups are ignored.
///
/// The parts are kept apart, so that a group with a colon in its name is not taken for another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct RingKey {
    group: Option<String>,
    hardware_type: String,
}

impl RingKey {
    /// The ring of a conductor group (empty for conductors in none) and hardware type.
    pub fn new(group: impl Into<String>, hardware_type: impl Into<String>) -> Self {
        Self {
            group: Some(group.into()),
            hardware_type: hardware_type.into(),
        }
    }

    /// The ring of a hardware type where groups are ignored.
    pub fn without_group(hardware_type: impl Into<String>) -> Self {
        Self {
            group: None,
            hardware_type: hardware_type.into(),
        }
    }

    /// The conductor group; empty for conductors in none, `None` where groups are ignored.
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// The hardware type.
    pub fn hardware_type(&self) -> &str {
        &self.hardware_type
    }

    fn parts(&self) -> (Option<&str>, &str) {
        (self.group(), self.hardware_type())
    }
}

impl fmt::Display for RingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{group}:{}", self.hardware_type),
            None => f.write_str(&self.hardware_type),
        }
    }
}

/// The rings of a cluster.
///
/// A clone shares the rings with its original until one of them [changes](Self::update).
///
/// ```
/// use ironic_hashring::{Grouping, HashRing, Member, Rings};
///
/// let members = [
///     Member::new("c1", "", &["ipmi", "redfish"]),
///     Member::new("c2", "rack1", &["redfish"]),
/// ];
/// let rings = Rings::new(Grouping::ByGroup, &HashRing::builder(), members)?;
/// assert_eq!(rings.owner("rack1", "redfish", "any node"), Ok("c2"));
/// // A node of no group goes only to conductors of no group, and the reverse.
/// assert_eq!(rings.owner("", "redfish", "any node"), Ok("c1"));
/// assert!(rings.owner("rack1", "ipmi", "any node").is_err());
/// # Ok::<(), ironic_hashring::RingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rings {
    grouping: Grouping,
    /// What each ring has before a member is in it.
    template: Arc<HashRing>,
    /// Sorted by key.
    rings: Vec<(RingKey, Arc<HashRing>)>,
}

impl Rings {
    /// Builds the rings of the given members, each with the settings (and the hosts, if any) of `template`.
    ///
    /// Pass the conductors that are online: a member is taken to be able to answer.
    ///
    /// # Errors
    ///
    /// Those of [`HashRingBuilder::build`].
    pub fn new<'a, T: AsRef<str> + 'a>(
        grouping: Grouping,
        template: &HashRingBuilder,
        members: impl IntoIterator<Item = Member<'a, T>>,
    ) -> Result<Self, RingError> {
        let mut rings = Self {
            grouping,
            template: Arc::new(template.clone().build()?),
            rings: Vec::new(),
        };
        rings.update(members)?;
        Ok(rings)
    }

    /// Makes these the members, as if the rings were built of them; says whether any ring changed.
    ///
    /// A ring whose hosts are the same stays as it is, and one that changes hashes only the hosts
    /// that are new in it.
    ///
    /// # Errors
    ///
    /// Those of [`HashRingBuilder::build`]; the rings are then as they were.
    pub fn update<'a, T: AsRef<str> + 'a>(
        &mut self,
        members: impl IntoIterator<Item = Member<'a, T>>,
    ) -> Result<bool, RingError> {
        let mut wanted: BTreeMap<RingKey, BTreeMap<String, u32>> = BTreeMap::new();
        for member in members {
            for hardware_type in member.hardware_types {
                let key = RingKey {
                    group: (self.grouping == Grouping::ByGroup).then(|| member.group.to_owned()),
                    hardware_type: hardware_type.as_ref().to_owned(),
                };
                let hosts = wanted.entry(key).or_insert_with(|| self.template.weights());
                hosts.insert(member.host.to_owned(), 1);
            }
        }
        let mut changed = wanted.len() != self.rings.len();
        let mut rings = Vec::with_capacity(wanted.len());
        for (key, hosts) in wanted {
            let before = self.get(key.group(), key.hardware_type());
            let ring = match before {
                Some(ring) if ring.is_of(&hosts) => Arc::clone(ring),
                _ => {
                    changed = true;
                    Arc::new(before.unwrap_or(&self.template).with_hosts(hosts)?)
                }
            };
            rings.push((key, ring));
        }
        self.rings = rings;
        Ok(changed)
    }

    fn get(&self, group: Option<&str>, hardware_type: &str) -> Option<&Arc<HashRing>> {
        let index = self
            .rings
            .binary_search_by(|(key, _)| key.parts().cmp(&(group, hardware_type)))
            .ok()?;
        self.rings.get(index).map(|(_, ring)| ring)
    }

    /// The ring of a group and hardware type; `group` does not matter where groups are ignored.
    ///
    /// Names match exactly, in case too, and no ring stands in for another.
    ///
    /// # Errors
    ///
    /// [`RouteError::NoConductors`] if there are no rings at all, else [`RouteError::NoRing`].
    pub fn ring(&self, group: &str, hardware_type: &str) -> Result<&HashRing, RouteError> {
        let group = (self.grouping == Grouping::ByGroup).then_some(group);
        match self.get(group, hardware_type) {
            Some(ring) => Ok(ring),
            None if self.rings.is_empty() => Err(RouteError::NoConductors),
            None => Err(RouteError::NoRing {
                key: RingKey {
                    group: group.map(str::to_owned),
                    hardware_type: hardware_type.to_owned(),
                },
            }),
        }
    }

    /// The conductor that owns a node, by the node's group, hardware type and id (a uuid as text).
    ///
    /// # Errors
    ///
    /// Those of [`ring`](Self::ring).
    pub fn owner(&self, group: &str, hardware_type: &str, node: &str) -> Result<&str, RouteError> {
        // A ring is there only because a member is, so it has an owner for every key.
        self.ring(group, hardware_type)?
            .owner(node)
            .ok_or(RouteError::NoConductors)
    }

    /// All rings with their keys, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&RingKey, &HashRing)> {
        self.rings.iter().map(|(key, ring)| (key, ring.as_ref()))
    }

    /// Whether no conductor is a member of any ring.
    pub fn is_empty(&self) -> bool {
        self.rings.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_a_group_does_not_make_it_another_group() {
        let members = [
            Member::new("c1", "a:b", &["c"]),
            Member::new("c2", "a", &["b:c"]),
        ];
        let rings = Rings::new(Grouping::ByGroup, &HashRing::builder(), members).expect("rings");
        assert_eq!(rings.owner("a:b", "c", "n"), Ok("c1"));
        assert_eq!(rings.owner("a", "b:c", "n"), Ok("c2"));
    }

    #[test]
    fn keys_can_be_made_and_name_their_rings() {
        let members = [Member::new("c1", "rack1", &["ipmi"])];
        let rings = Rings::new(Grouping::ByGroup, &HashRing::builder(), members).expect("rings");
        let keys: Vec<_> = rings.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(keys, [RingKey::new("rack1", "ipmi")]);
        assert_eq!(keys[0].to_string(), "rack1:ipmi");
        assert_eq!(RingKey::new("", "ipmi").to_string(), ":ipmi");
        assert_eq!(RingKey::without_group("ipmi").to_string(), "ipmi");
        assert_eq!(RingKey::without_group("ipmi").group(), None);
    }

    #[test]
    fn rings_that_an_update_does_not_concern_are_kept() {
        let both = ["ipmi", "redfish"];
        let c1 = Member::new("c1", "", &both);
        let c2 = Member::new("c2", "", &both[1..]);
        let template = HashRing::builder().partition_exponent(3).host("always");
        let built = |members| Rings::new(Grouping::ByGroup, &template, members).expect("rings");
        let first = built(vec![c1]);

        let mut rings = first.clone();
        assert_eq!(rings.update([c1]), Ok(false));
        assert_eq!(rings.update([c1, c2]), Ok(true));
        assert_eq!(rings, built(vec![c2, c1]));
        assert!(Arc::ptr_eq(&rings.rings[0].1, &first.rings[0].1), "ipmi");
        assert_eq!(first, built(vec![c1]), "a clone is another one's");

        assert_eq!(rings.update([c2]), Ok(true));
        assert_eq!(rings, built(vec![c2]));
        assert_eq!(
            rings.ring("", "redfish").expect("ring").weight("always"),
            Some(1)
        );
        assert_eq!(rings.update::<&str>([]), Ok(true));
        assert!(rings.is_empty());
        assert_eq!(rings.update::<&str>([]), Ok(false));
    }

    #[test]
    fn an_update_that_fails_changes_nothing() {
        let types = ["ipmi", "redfish"];
        let name = "n".repeat(HashRing::MAX_NAME_BYTES + 1);
        let c1 = Member::new("c1", "", &types);
        let mut rings = Rings::new(Grouping::ByGroup, &HashRing::builder(), [c1]).expect("rings");
        let before = rings.clone();
        let joining = Member::new(&name, "", &types[1..]);
        assert_eq!(
            rings.update([Member::new("c2", "", &types), joining]),
            Err(RingError::NameTooLong { bytes: name.len() })
        );
        assert_eq!(rings, before);
    }

    #[test]
    fn ignoring_groups_joins_their_conductors() {
        let members = [
            Member::new("c1", "x", &["ipmi"]),
            Member::new("c2", "y", &["ipmi"]),
        ];
        let rings = Rings::new(Grouping::Ignored, &HashRing::builder(), members).expect("rings");
        let ring = rings.ring("whatever", "ipmi").expect("ring");
        assert_eq!(ring.hosts().collect::<Vec<_>>(), ["c1", "c2"]);
        let missing = rings.ring("whatever", "redfish").expect_err("no such ring");
        assert_eq!(
            missing.to_string(),
            "no conductor supports hardware type \"redfish\""
        );
        assert!(!missing.is_retryable());
    }

    #[test]
    fn without_members_the_answer_may_change() {
        let none: [Member<'_, &str>; 0] = [];
        let rings = Rings::new(Grouping::ByGroup, &HashRing::builder(), none).expect("rings");
        let error = rings.owner("", "ipmi", "n").expect_err("nobody there");
        assert_eq!(error, RouteError::NoConductors);
        assert!(error.is_retryable());
    }
}
