use super::identity::Identity;

/// Decides what callers may do.
///
/// The API asks by the names of the Bare Metal service's policies, `baremetal:node:get` and the
/// like. [`Policies`](super::Policies) is the default; a host may decide otherwise.
///
/// # Contract
///
/// - It is quick and waits for nothing: one request asks several times, a list for every item.
/// - The same question has the same answer, until an operator changes the rules.
/// - A rule that it does not know allows nothing.
/// - Of who is [trusted](Identity::trusted) it is asked only whether they are shown secrets
///   (`show_password`, `show_instance_secrets`); all else they may do.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether who asks may do to the target what the rule governs.
    fn allows(&self, rule: &str, who: &Identity, target: &Target<'_>) -> bool;

    /// Whether there is a rule of this name. Rules for single steps need not exist: what none
    /// governs is allowed to whoever may ask for steps at all.
    fn governs(&self, rule: &str) -> bool;
}

/// What somebody asks about, as far as policies look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Target<'a> {
    /// What sort of thing it is.
    pub object: Object,
    /// The project that it belongs to.
    pub owner: Option<&'a str>,
    /// The project that it is leased to; only nodes are.
    pub lessee: Option<&'a str>,
}

/// What sort of thing a [`Target`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Object {
    /// Nothing in particular.
    #[default]
    Nothing,
    /// Nothing in particular, by a path that needs no authentication.
    Public,
    /// A node, or what belongs to one.
    Node,
    /// An allocation.
    Allocation,
    /// A runbook.
    Runbook,
}

impl<'a> Target<'a> {
    /// Nothing in particular.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            object: Object::Nothing,
            owner: None,
            lessee: None,
        }
    }

    /// Nothing in particular, by a path that needs no authentication.
    #[must_use]
    pub const fn public() -> Self {
        Self {
            object: Object::Public,
            ..Self::nothing()
        }
    }

    /// A node, or what belongs to one.
    #[must_use]
    pub const fn node(owner: Option<&'a str>, lessee: Option<&'a str>) -> Self {
        Self {
            object: Object::Node,
            owner,
            lessee,
        }
    }

    /// An allocation.
    #[must_use]
    pub const fn allocation(owner: Option<&'a str>) -> Self {
        Self {
            object: Object::Allocation,
            owner,
            lessee: None,
        }
    }

    /// A runbook.
    #[must_use]
    pub const fn runbook(owner: Option<&'a str>) -> Self {
        Self {
            object: Object::Runbook,
            owner,
            lessee: None,
        }
    }

    /// Whether the path needs no authentication.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.object == Object::Public
    }

    /// What checks call by this name: `node.owner`, `node.lessee`, `allocation.owner`,
    /// `runbook.owner`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let (object, field) = name.split_once('.')?;
        let right = match self.object {
            Object::Nothing | Object::Public => false,
            Object::Node => object == "node",
            Object::Allocation => object == "allocation",
            Object::Runbook => object == "runbook",
        };
        match field {
            "owner" if right => self.owner,
            "lessee" if right => self.lessee,
            _ => None,
        }
    }
}
