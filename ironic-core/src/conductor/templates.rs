//! The steps that deploy templates and runbooks stand for, once a verb is asked for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Inner;
use crate::Error;
use crate::model::Node;
use crate::states::{FlowKind, Verb};
use crate::steps::{DeployTemplate, Runbook, UserStep};
use crate::store::{Filter, Kind, Persistent as _, Query, Scalar};
use crate::transport::{ProvisionArgs, RequestContext};

impl Inner {
    /// The arguments of a verb with every step by its own name: those of the runbook that is
    /// named, or those of the deploy templates that the instance's traits call for. What the
    /// operator has disallowed is left out, as nobody has asked for it by name.
    pub(super) async fn expanded(
        &self,
        node: &Node,
        verb: Verb,
        mut args: ProvisionArgs,
        context: &RequestContext,
    ) -> Result<ProvisionArgs, Error> {
        // A refusal by state comes first, and needs no steps.
        if node.provision_state.on(verb.event()).is_err() {
            return Ok(args);
        }
        let runbook = match args.runbook.take() {
            Some(ident) => Some(self.open_runbook(&ident, context).await?),
            None => None,
        };
        match (verb, runbook) {
            (Verb::Clean, Some(book)) => self.run(&book, node, FlowKind::Clean, args).await,
            (Verb::Service, Some(book)) => self.run(&book, node, FlowKind::Service, args).await,
            (_, Some(_)) => Err(Error::invalid(
                "runbook goes with the verbs clean and service only",
            )),
            (Verb::Deploy | Verb::Rebuild, None) => {
                let steps = self.steps_by_traits(node).await?;
                let named: BTreeSet<_> = args.steps.iter().map(UserStep::name).collect();
                // The caller's win over those of templates.
                let further = steps.into_iter().filter(|one| !named.contains(&one.name()));
                args.steps.extend(further);
                Ok(args)
            }
            (_, None) => Ok(args),
        }
    }

    /// The runbook of this uuid or name; one that is not the caller's is, to the caller, none.
    async fn open_runbook(&self, ident: &str, context: &RequestContext) -> Result<Runbook, Error> {
        let repository = &self.manager.context().repository;
        let runbook = repository.load_by_ident::<Runbook>(ident).await?.value;
        if runbook.is_open_to(context.project.as_deref()) {
            return Ok(runbook);
        }
        Err(Error::not_found(Runbook::WHAT, ident))
    }

    async fn run(
        &self,
        runbook: &Runbook,
        node: &Node,
        flow: FlowKind,
        mut args: ProvisionArgs,
    ) -> Result<ProvisionArgs, Error> {
        if !args.steps.is_empty() {
            return Err(Error::invalid(format!(
                "{flow}_steps and runbook exclude each other"
            )));
        }
        self.check_meant_for(runbook, node).await?;
        args.steps = self.allowed(flow, runbook.ordered());
        args.disable_ramdisk = runbook.disable_ramdisk;
        Ok(args)
    }

    /// A runbook is for nodes that have one of its traits.
    pub(super) async fn check_meant_for(
        &self,
        runbook: &Runbook,
        node: &Node,
    ) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let traits = repository.trait_names(node.uuid).await?;
        if runbook.is_meant_for(&traits) {
            return Ok(());
        }
        let wanted = match runbook.traits.as_slice() {
            [] => "it has no traits, so it is meant for none".to_owned(),
            some => format!("the node has none of its traits {}", some.join(", ")),
        };
        Err(Error::invalid(format!(
            "runbook {} is not meant for node {}: {wanted}",
            runbook.name,
            node.label()
        )))
    }

    /// The steps of the templates whose traits the instance has.
    async fn steps_by_traits(&self, node: &Node) -> Result<Vec<UserStep>, Error> {
        let traits = self.instance_traits(node).await?;
        if traits.is_empty() {
            return Ok(Vec::new());
        }
        let names = traits.into_iter().map(Scalar::String).collect();
        let query = Query::all(Kind::DeployTemplate).filter(Filter::In("name".to_owned(), names));
        let repository = &self.manager.context().repository;
        let templates = repository.list::<DeployTemplate>(&query).await?;
        let steps: Vec<_> = templates.iter().flat_map(|t| t.steps.clone()).collect();
        let mut names = BTreeSet::new();
        for step in steps.iter().filter(|step| step.reserved().is_none()) {
            if !names.insert(step.name()) {
                let named: Vec<_> = templates.iter().map(|one| one.name.as_str()).collect();
                return Err(Error::invalid(format!(
                    "the deploy templates {} together have the step {} more than once",
                    named.join(", "),
                    step.name()
                )));
            }
        }
        Ok(self.allowed(FlowKind::Deploy, steps))
    }

    /// The traits that the instance asks for, each of which the node has.
    async fn instance_traits(&self, node: &Node) -> Result<BTreeSet<String>, Error> {
        let wanted = match node.instance_info.get("traits") {
            None | Some(Value::Null) => return Ok(BTreeSet::new()),
            Some(Value::Array(wanted)) => wanted,
            Some(_) => return Err(no_list(node)),
        };
        let wanted = wanted.iter().map(|name| name.as_str().map(str::to_owned));
        let wanted: Option<BTreeSet<_>> = wanted.collect();
        let wanted = wanted.ok_or_else(|| no_list(node))?;
        if wanted.is_empty() {
            return Ok(wanted);
        }
        let own = self
            .manager
            .context()
            .repository
            .trait_names(node.uuid)
            .await?;
        let missing: Vec<_> = wanted.difference(&own).cloned().collect();
        if missing.is_empty() {
            return Ok(wanted);
        }
        Err(Error::invalid(format!(
            "instance_info/traits of node {} asks for traits that the node lacks: {}",
            node.label(),
            missing.join(", ")
        )))
    }

    /// The steps without those that the operator has disallowed.
    pub(super) fn allowed(&self, flow: FlowKind, mut steps: Vec<UserStep>) -> Vec<UserStep> {
        if let Some(disallowed) = self.config.policy.disallowed_steps(flow) {
            steps.retain(|step| !disallowed.contains(&step.name()));
        }
        steps
    }
}

fn no_list(node: &Node) -> Error {
    Error::invalid(format!(
        "instance_info/traits of node {} must be a list of strings",
        node.label()
    ))
}
