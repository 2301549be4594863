//! What a verb would do: the engine's plan, from what the node's interfaces foresee.

use uuid::Uuid;

use super::Inner;
use super::verbs::{refusal, used_by};
use crate::Error;
use crate::driver::BareDriver;
use crate::engine::{self, Catalogs, Forecasts, PlanProblem, View};
use crate::flow::{Deed, Effect, Flow, Forecast, Part};
use crate::model::Node;
use crate::states::{FlowKind, InterfaceKind, Verb};
use crate::transport::{ProvisionArgs, RequestContext, Response};

impl Inner {
    /// Says what a verb would do.
    pub(super) async fn plan(
        &self,
        node: Uuid,
        verb: Verb,
        args: ProvisionArgs,
        context: &RequestContext,
    ) -> Result<Response, Error> {
        let mut task = self.manager.shared(node, "plan").await?;
        let (args, input) = self.input_for(task.node(), verb, args, context).await?;
        self.leave_on(&mut task.core.node, verb, &args, context)?;
        let driver = task.driver();
        let catalogs = |node: &Node, kind| driver.steps(node, kind);
        let view = View::new(
            task.node(),
            task.flow(),
            task.interfaces(),
            Catalogs::new(&catalogs),
        );
        let now = self.manager.context().clock.now();
        let forecasts =
            |node: &Node, flow: &Flow, effect: &Effect| forecast(&driver, node, flow, effect);
        let forecasts = Forecasts::new(&forecasts);
        let policy = &self.config.policy;
        let mut plan = engine::plan(&view, forecasts, &input, policy, now).map_err(refusal)?;
        if let Err(error) = self.check_boot_mode(task.node(), verb) {
            plan.problems
                .push(PlanProblem::new(None, error.to_string()));
        }
        for kind in used_by(verb, args.disable_ramdisk) {
            if let Err(error) = driver.interface(*kind).validate(&task).await {
                let problem = PlanProblem::new(Some(*kind), error.to_string());
                plan.problems.push(problem);
            }
        }
        Ok(Response::Plan {
            plan: Box::new(plan),
        })
    }
}

/// What the interface foresees that would carry the effect out.
fn forecast(driver: &BareDriver, node: &Node, flow: &Flow, effect: &Effect) -> Forecast {
    let (by, part) = match effect {
        Effect::Prepare | Effect::Finish if flow.disable_ramdisk => return Forecast::default(),
        Effect::Prepare => match prepared_by(flow.kind) {
            Some(by) => (by, Part::Prepare),
            None => return Forecast::default(),
        },
        Effect::Finish => match finished_by(flow.kind) {
            Some(by) => (by, Part::Finish),
            None => return Forecast::default(),
        },
        Effect::RunStep { index } => match flow.plan.get(*index) {
            Some(step) => match step.reserved().and_then(|reserved| reserved.power()) {
                Some(target) => return Forecast::default().power(target),
                // What a step on child nodes does, it does to them.
                None if step.children.is_some() || step.reserved().is_some() => {
                    return Forecast::default();
                }
                None => (step.interface, Part::Step(step)),
            },
            None => return Forecast::default(),
        },
        _ => return Forecast::default(),
    };
    let mut forecast = driver.interface(by).forecast(node, flow.kind, part);
    if !driver.network.switches() {
        let moves = |deed: &Deed| matches!(deed, Deed::Connect { .. } | Deed::Disconnect { .. });
        forecast.deeds.retain(|deed| !moves(deed));
    }
    forecast
}

/// Whose method `Prepare` is, by the kind of the flow.
fn prepared_by(kind: FlowKind) -> Option<InterfaceKind> {
    match kind {
        FlowKind::Inspect => Some(InterfaceKind::Inspect),
        FlowKind::Rescue | FlowKind::Unrescue => Some(InterfaceKind::Rescue),
        FlowKind::Clean
        | FlowKind::Service
        | FlowKind::Deploy
        | FlowKind::TearDown
        | FlowKind::Adopt => Some(InterfaceKind::Deploy),
        FlowKind::Verify | FlowKind::Power => None,
    }
}

/// Whose method `Finish` is, by the kind of the flow.
fn finished_by(kind: FlowKind) -> Option<InterfaceKind> {
    match kind {
        FlowKind::Inspect => Some(InterfaceKind::Inspect),
        FlowKind::Clean | FlowKind::Service => Some(InterfaceKind::Deploy),
        FlowKind::Rescue => Some(InterfaceKind::Rescue),
        _ => None,
    }
}
