//! The toy's lights: one that can be set, and one to look at.

use std::collections::BTreeMap;

use ironic_core::Error;
use ironic_core::driver::{
    Component, Indicator, IndicatorState, Indicators, SharedTask, find_indicator,
};

use super::{Fault, ToyDriver};

const SWITCHED: [IndicatorState; 2] = [IndicatorState::On, IndicatorState::Off];

impl ToyDriver {
    pub(super) fn lights(&self) -> Indicators {
        let known: &[IndicatorState] = match self.has(Fault::DarkLight) {
            true => &[],
            false => &SWITCHED,
        };
        let on = |name: &str, light| BTreeMap::from([(name.to_owned(), light)]);
        Indicators::from([
            (Component::System, on("led", Indicator::new(false, known))),
            (Component::Power, on("supply", Indicator::new(true, known))),
        ])
    }

    /// Whether there is such a light.
    fn find(&self, component: Component, name: &str) -> Result<(), Error> {
        let found = find_indicator(&self.lights(), component, name).map(drop);
        found.map_err(|error| match self.has(Fault::CallsAMissingLightAFailure) {
            true => Error::driver("toy", error.to_string()),
            false => error,
        })
    }

    pub(super) async fn read_light(
        &self,
        task: &SharedTask,
        component: Component,
        name: &str,
    ) -> Result<IndicatorState, Error> {
        if !self.has(Fault::ReadsAnyLight) {
            self.find(component, name)?;
        }
        let lit = self.ask(task, "light?").await? == "on";
        Ok(if lit { SWITCHED[0] } else { SWITCHED[1] })
    }

    pub(super) async fn set_light(
        &self,
        task: &SharedTask,
        component: Component,
        name: &str,
        state: IndicatorState,
    ) -> Result<(), Error> {
        if !self.has(Fault::SetsAnyLight) {
            self.find(component, name)?;
        }
        if self.has(Fault::KeepsItDark) {
            return Ok(());
        }
        self.ask(task, &format!("light {state}")).await.map(drop)
    }
}
