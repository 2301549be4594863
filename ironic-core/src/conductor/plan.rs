//! What a verb would do: the engine's plan, from what the node's interfaces foresee.

use uuid::Uuid;

use super::Inner;
use super::duty::{Duty, Runner, in_ramdisk};
use super::verbs::{refusal, used_by};
use crate::Error;
use crate::driver::{BareDriver, Interface};
use crate::engine::{self, Catalogs, Forecasts, PlanProblem, View, fast_track};
use crate::flow::{Deed, Effect, Flow, Forecast, Outlook, Part};
use crate::model::Node;
use crate::runtime::Timestamp;
use crate::states::{PowerTarget, Verb};
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
        let policy = &self.config.policy;
        let writes_image = driver.storage.should_write_image(&task);
        let switches_off = driver
            .power
            .supported_targets(&task)
            .contains(&PowerTarget::On);
        let forecasts = |node: &Node, flow: &Flow, effect: &Effect, now: Timestamp| {
            let look = |part| {
                let mut outlook = Outlook::new(node, flow.kind, part);
                outlook.ramdisk_runs = writes_image && fast_track::expected(node, policy, now);
                outlook.ramdisk_stays = matches!(fast_track::enabled(node, policy), Ok(true));
                outlook.switches_off = switches_off;
                outlook
            };
            forecast(&driver, flow, effect, look)
        };
        let forecasts = Forecasts::new(&forecasts);
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

/// What whoever would carry the effect out foresees.
fn forecast<'a>(
    driver: &BareDriver,
    flow: &'a Flow,
    effect: &Effect,
    look: impl Fn(Part<'a>) -> Outlook<'a>,
) -> Forecast {
    let in_ramdisk = in_ramdisk(Some(flow));
    let by_interface = |by: &dyn Interface, part| {
        let mut forecast = by.forecast(&look(part));
        if !driver.network.switches() {
            forecast.deeds.retain(|deed| !moves(deed));
        }
        forecast
    };
    let foreseen = match effect {
        Effect::Prepare => Duty::to_prepare(driver, flow.kind, in_ramdisk)
            .interface()
            .map(|by| by_interface(by, Part::Prepare)),
        Effect::Finish => Duty::to_finish(driver, flow.kind, in_ramdisk)
            .interface()
            .map(|by| by_interface(by, Part::Finish)),
        Effect::RunStep { index } => flow.plan.get(*index).and_then(|step| {
            match Runner::of(driver, step) {
                // What it does, it does to them.
                Runner::Children(_) => None,
                Runner::Conductor(reserved) => {
                    reserved.power().map(|to| Forecast::default().power(to))
                }
                Runner::Interface(by) => Some(by_interface(&*by, Part::Step(step))),
            }
        }),
        _ => None,
    };
    foreseen.unwrap_or_default()
}

/// Whether it is about the machine's networks.
fn moves(deed: &Deed) -> bool {
    matches!(deed, Deed::Connect { .. } | Deed::Disconnect { .. })
}
