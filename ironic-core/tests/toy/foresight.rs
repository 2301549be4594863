//! What takes the machine's power, a step and an inspection, and what is foreseen of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use ironic_core::Error;
use ironic_core::driver::{Inspect, SharedTask, Task};
use ironic_core::flow::{Forecast, Outlook, Part, Progress, Wait};
use ironic_core::states::{InterfaceKind, PowerState, PowerTarget};
use tokio::time::Instant;

use super::{Fault, PASSWORD, ToyDriver};

#[async_trait]
impl Inspect for ToyDriver {
    /// Counts the lights that come on as the machine starts.
    async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error> {
        self.cold_boot(task, "inspection").await
    }
}

impl ToyDriver {
    pub(super) async fn cold_boot(&self, task: &SharedTask, step: &str) -> Result<Progress, Error> {
        let by = Instant::now() + Duration::from_secs(1);
        self.reach(task, PowerState::Off, by).await?;
        self.reach(task, PowerState::On, by).await?;
        Ok(match self.fault() {
            Fault::WaitsUnforeseen => Progress::Wait(Wait::for_step(step, Duration::ZERO)),
            _ => Progress::Done,
        })
    }

    pub(super) fn foresee(&self, outlook: &Outlook<'_>) -> Forecast {
        let inspects = self.kind == InterfaceKind::Inspect;
        let (step, cold_boots) = match outlook.part {
            Part::Step(step) => (step.to_string(), step.step == "cold_boot"),
            Part::Prepare => ("inspection".to_owned(), inspects),
            _ => return Forecast::default(),
        };
        let forecast = match cold_boots {
            true => Forecast::default().power(PowerTarget::Reboot),
            false => Forecast::default(),
        };
        match self.fault() {
            Fault::AsksToForesee => {
                let _ = self.toy.exchange(PASSWORD, "power?").now_or_never();
                forecast
            }
            Fault::ForeseesThisAndThat => {
                let odd = self.memory.busy.fetch_xor(true, Ordering::SeqCst);
                let target = if odd {
                    PowerTarget::On
                } else {
                    PowerTarget::Off
                };
                forecast.power(target)
            }
            Fault::ForeseesNothing => Forecast::default(),
            Fault::ForeseesTheWorst => forecast.power(PowerTarget::Off),
            Fault::ForeseesAWait => forecast.wait(Wait::for_step(step, Duration::ZERO)),
            _ => forecast,
        }
    }
}
