use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Properties, SharedTask, Task, Vendor, VendorMethod};
use crate::flow::{Forecast, Outlook, Part, Progress, Wait};
use crate::model::JsonMap;
use crate::states::{FlowKind, InterfaceKind};
use crate::steps::{Impact, Replay, Step, StepDef};

stepped_fake_interface! {
    /// `fake`: three methods that each know a secret word, one that writes to the log, and two
    /// steps: the original's `FakeVendorB`.
    FakeVendor, ValidateVendor, keys, foresee
}

/// The methods that tell whether `bar` is the word, with the word.
const WORDS: &[(&str, &str)] = &[
    ("second_method", "kazoo"),
    ("third_method_sync", "meow"),
    ("fourth_method_shared_lock", "woof"),
];

/// What the original's interface says that it reads.
fn keys() -> Properties {
    let key = |name: &str| (name.to_owned(), format!("{name} description. Required."));
    [key("B1"), key("B2")].into()
}

/// One of its steps waits, as if for the agent.
fn foresee(outlook: &Outlook<'_>) -> Forecast {
    match outlook.part {
        Part::Step(step) if step.step == "trigger_servicewait" => {
            Forecast::default().wait(Wait::for_agent(step.to_string()))
        }
        _ => Forecast::default(),
    }
}

impl FakeVendor {
    fn offered(flow: FlowKind) -> Vec<StepDef> {
        let step = |name, priority| {
            let kind = InterfaceKind::Vendor;
            StepDef::new(kind, name, priority, Replay::Idempotent, Impact::NONE)
        };
        match flow {
            FlowKind::Clean => vec![step("log_passthrough", 1)],
            FlowKind::Service => vec![
                step("log_passthrough", 0).without_ramdisk(),
                step("trigger_servicewait", 0),
            ],
            _ => Vec::new(),
        }
    }

    async fn carry_out(
        &self,
        task: &mut Task,
        operation: FakeOperation,
        step: &Step,
    ) -> Result<Progress, Error> {
        let progress = self.behaviour.run_step(task, operation, step).await?;
        match operation {
            FakeOperation::TriggerServiceWait if progress == Progress::Done => {
                Ok(Progress::Wait(Wait::for_agent(step.to_string())))
            }
            FakeOperation::LogPassthrough => {
                tracing::debug!(node = %task.node_id(), %step, "asked to write this line");
                Ok(progress)
            }
            _ => Ok(progress),
        }
    }
}

#[async_trait]
impl Vendor for FakeVendor {
    fn methods(&self) -> BTreeMap<String, VendorMethod> {
        let asynchronous = |description| {
            let mut method = VendorMethod::new(&["POST"], description);
            method.asynchronous = true;
            method
        };
        let mut shared = asynchronous("Tells whether bar is woof.");
        shared.read_only = true;
        let sync = VendorMethod::new(&["POST"], "Tells whether bar is meow.");
        let second = asynchronous("Tells whether bar is kazoo.");
        let log = asynchronous("Writes a line to the log.");
        [
            ("second_method", second),
            ("third_method_sync", sync),
            ("fourth_method_shared_lock", shared),
            ("log_passthrough", log),
        ]
        .into_iter()
        .map(|(name, method)| (name.to_owned(), method))
        .collect()
    }

    async fn validate_call(
        &self,
        _task: &SharedTask,
        method: &str,
        _http_method: &str,
        args: &JsonMap,
    ) -> Result<(), Error> {
        let asks = WORDS.iter().any(|(name, _)| *name == method);
        if asks && args.get("bar").is_none_or(is_empty) {
            return Err(Error::missing(format!(
                "vendor method {method} requires the parameter bar"
            )));
        }
        Ok(())
    }

    async fn call(
        &self,
        task: &mut Task,
        method: &str,
        http_method: &str,
        args: &JsonMap,
    ) -> Result<Value, Error> {
        self.read(task, method, http_method, args).await
    }

    async fn read(
        &self,
        task: &SharedTask,
        method: &str,
        http_method: &str,
        args: &JsonMap,
    ) -> Result<Value, Error> {
        let word = WORDS.iter().find(|(name, _)| *name == method);
        if word.is_none() && method != "log_passthrough" {
            return Err(Error::Unsupported {
                driver: task.node().driver.clone(),
                extension: method.to_owned(),
            });
        }
        self.validate_call(task, method, http_method, args).await?;
        let operation = FakeOperation::CallVendor;
        self.behaviour.perform(task, operation, &method).await?;
        match word {
            Some((_, word)) => Ok(Value::Bool(args.get("bar").is_some_and(|bar| bar == word))),
            None => {
                tracing::debug!(node = %task.node().uuid, method, "asked to write this line");
                Ok(Value::Null)
            }
        }
    }
}

/// Whether the original takes a value for none.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}
