use super::Event;
use crate::error::UnknownName;

/// What a caller can ask of a node's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// Put an instance on the machine (`active`, `deploy`).
    Deploy,
    /// Put the instance on again, from its recorded image (`rebuild`).
    Rebuild,
    /// Remove the instance (`deleted`, `undeploy`).
    Undeploy,
    /// Verify the machine, or take it back from deployment (`manage`).
    Manage,
    /// Offer the machine for deployment (`provide`).
    Provide,
    /// Find out what the machine is made of (`inspect`).
    Inspect,
    /// Stop what is going on (`abort`).
    Abort,
    /// Run the given clean steps (`clean`).
    Clean,
    /// Take in a machine that already runs an instance (`adopt`).
    Adopt,
    /// Boot the rescue ramdisk (`rescue`).
    Rescue,
    /// Boot the instance again (`unrescue`).
    Unrescue,
    /// Go on after a hold (`unhold`).
    Unhold,
    /// Run the given service steps on an instance (`service`).
    Service,
}

impl Verb {
    /// Every verb.
    pub const ALL: &'static [Self] = &[
        Self::Deploy,
        Self::Rebuild,
        Self::Undeploy,
        Self::Manage,
        Self::Provide,
        Self::Inspect,
        Self::Abort,
        Self::Clean,
        Self::Adopt,
        Self::Rescue,
        Self::Unrescue,
        Self::Unhold,
        Self::Service,
    ];

    /// The word that the REST API takes as `target`; the first of those that mean the same.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "active",
            Self::Rebuild => "rebuild",
            Self::Undeploy => "deleted",
            Self::Manage => "manage",
            Self::Provide => "provide",
            Self::Inspect => "inspect",
            Self::Abort => "abort",
            Self::Clean => "clean",
            Self::Adopt => "adopt",
            Self::Rescue => "rescue",
            Self::Unrescue => "unrescue",
            Self::Unhold => "unhold",
            Self::Service => "service",
        }
    }

    /// The event that the verb causes in the transition table.
    pub const fn event(self) -> Event {
        match self {
            Self::Deploy => Event::Deploy,
            Self::Rebuild => Event::Rebuild,
            Self::Undeploy => Event::Delete,
            Self::Manage => Event::Manage,
            Self::Provide => Event::Provide,
            Self::Inspect => Event::Inspect,
            Self::Abort => Event::Abort,
            Self::Clean => Event::Clean,
            Self::Adopt => Event::Adopt,
            Self::Rescue => Event::Rescue,
            Self::Unrescue => Event::Unrescue,
            Self::Unhold => Event::Unhold,
            Self::Service => Event::Service,
        }
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Verb {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "deploy" => Ok(Self::Deploy),
            "undeploy" => Ok(Self::Undeploy),
            _ => Self::ALL
                .iter()
                .copied()
                .find(|verb| verb.as_str() == text)
                .ok_or_else(|| UnknownName::new("provision target", text)),
        }
    }
}

impl serde::Serialize for Verb {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Verb {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
