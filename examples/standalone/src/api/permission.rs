//! What callers may do: the questions that handlers put to the policies.

use http::StatusCode;
use ironic_core::Error;
use ironic_core::model::Node;

use crate::access::Target;

use super::caller::Caller;
use super::fault::Fault;

/// Whoever may see a node may know that there is one.
pub(super) const SEE_NODE: &str = "baremetal:node:get";

/// What policies look at of a node.
pub(super) fn of_node(node: &Node) -> Target<'_> {
    Target::node(node.owner.as_deref(), node.lessee.as_deref())
}

/// The refusal of what a policy does not allow (403).
fn forbidden(rule: &str) -> Fault {
    Fault::new(
        StatusCode::FORBIDDEN,
        format!("this is not allowed: the policy {rule} forbids it"),
    )
}

impl Caller {
    /// Whether the policy allows this, whatever it is done to.
    pub(super) fn may(&self, rule: &str) -> bool {
        self.may_to(rule, &Target::nothing())
    }

    /// Whether the policy allows this to be done to the target.
    pub(super) fn may_to(&self, rule: &str, target: &Target<'_>) -> bool {
        self.identity.trusted || self.api.authorizer.allows(rule, &self.identity, target)
    }

    /// Whether the policy shows secrets. It is asked even where nothing else is: nobody is shown
    /// any just because nobody has to say who they are.
    pub(super) fn is_shown(&self, rule: &str) -> bool {
        let target = Target::nothing();
        self.api.authorizer.allows(rule, &self.identity, &target)
    }

    /// Refuses what the policy does not allow, whatever it is done to.
    ///
    /// # Errors
    /// 403.
    pub(super) fn need(&self, rule: &str) -> Result<(), Fault> {
        self.need_to(rule, &Target::nothing())
    }

    /// Refuses what the policy does not allow to be done to the target.
    ///
    /// # Errors
    /// 403.
    pub(super) fn need_to(&self, rule: &str, target: &Target<'_>) -> Result<(), Fault> {
        match self.may_to(rule, target) {
            true => Ok(()),
            false => Err(forbidden(rule)),
        }
    }

    /// Refuses what the policy does not allow to be done to the target, nor the other one where
    /// projects look after their nodes themselves.
    ///
    /// # Errors
    /// 403.
    pub(super) fn need_either(
        &self,
        rule: &str,
        own: &str,
        target: &Target<'_>,
    ) -> Result<(), Fault> {
        if self.api.settings.projects_manage_own_nodes && self.may_to(own, target) {
            return Ok(());
        }
        self.need_to(rule, target)
    }

    /// The node of this uuid or name, to do to it what the rule governs.
    ///
    /// # Errors
    /// 404 when there is none that the caller may see, 403 when they may not do this to it.
    pub(super) async fn node(&self, rule: &str, ident: &str) -> Result<Node, Fault> {
        let node = self.visible_node(ident).await?;
        if rule != SEE_NODE {
            self.need_to(rule, &of_node(&node))?;
        }
        Ok(node)
    }

    /// The node of this uuid or name.
    ///
    /// # Errors
    /// 404 when there is none that the caller may see.
    pub(super) async fn visible_node(&self, ident: &str) -> Result<Node, Fault> {
        let node = self.any_node(ident).await?;
        match self.may_to(SEE_NODE, &of_node(&node)) {
            true => Ok(node),
            false => Err(Error::not_found("node", ident).into()),
        }
    }

    /// The node that something else refers to, if the caller may see it: a missing one is a
    /// wrong request.
    ///
    /// # Errors
    /// 400 when there is none that the caller may see.
    pub(super) async fn node_referred_to(&self, ident: &str) -> Result<Node, Fault> {
        let node = self.visible_node(ident).await;
        node.map_err(Fault::of_something_else)
    }

    /// The node that something is to be added to.
    ///
    /// # Errors
    /// 403 when the caller may not do what the rule governs, 400 when there is no such node.
    pub(super) async fn node_to_add_to(&self, rule: &str, ident: &str) -> Result<Node, Fault> {
        let node = self.any_node(ident).await;
        let target = node
            .as_ref()
            .map_or_else(|_| Target::node(None, None), of_node);
        // Whether there is the node is told only to those who may add to nodes that nobody owns.
        self.need_to(rule, &target)?;
        node.map_err(Fault::of_something_else)
    }

    /// Whose things a list is to have: those of every project, or of the one that this returns.
    /// `asked` is the project that the query asks for.
    ///
    /// # Errors
    /// 403 when not even their own may be listed, or somebody else's are asked for.
    pub(super) fn listed_project(
        &self,
        what: &str,
        asked: Option<&str>,
    ) -> Result<Option<String>, Fault> {
        let all = format!("baremetal:{what}:list_all");
        if self.may(&all) {
            return Ok(asked.map(str::to_owned));
        }
        let own = self.identity.project_id.as_deref();
        let own = own.filter(|own| asked.is_none_or(|asked| asked == *own));
        let own = own.ok_or_else(|| forbidden(&all))?;
        self.need(&format!("baremetal:{what}:list"))?;
        Ok(Some(own.to_owned()))
    }

    /// Refuses steps that a policy of their own keeps from the caller.
    ///
    /// # Errors
    /// 403, with the steps.
    pub(super) fn need_steps<'a>(
        &self,
        steps: impl IntoIterator<Item = (&'a str, &'a str)>,
        target: &Target<'_>,
    ) -> Result<(), Fault> {
        if self.identity.trusted {
            return Ok(());
        }
        let mut kept = Vec::new();
        for (interface, step) in steps {
            let rule = format!("baremetal:step:execute:{interface}.{step}");
            if self.api.authorizer.governs(&rule) && !self.may_to(&rule, target) {
                kept.push(rule);
            }
        }
        match kept.is_empty() {
            true => Ok(()),
            false => Err(forbidden(&kept.join(", "))),
        }
    }

    /// Whether the caller acts for the whole system rather than for a project.
    pub(super) fn is_of_system(&self) -> bool {
        self.identity.system_scope.as_deref() == Some("all")
    }

    /// On behalf of which project the caller asks.
    pub(super) fn project(&self) -> Option<&str> {
        self.identity.project_id.as_deref()
    }
}
