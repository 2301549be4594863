use std::collections::BTreeMap;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{Interface, Properties, SharedTask, Task, Vendor, VendorMethod};
use ironic_core::flow::Progress;
use ironic_core::model::lenient::{is_truthy, truth};
use ironic_core::model::{JsonMap, Node};
use ironic_core::states::{FlowKind, InterfaceKind};
use ironic_core::steps::{Impact, Replay, Step, StepDef};
use serde_json::Value;

use super::IpmiDriver;
use super::connection::properties;
use crate::codec::NetFn;
use crate::console::Request;

/// The network function of an application's commands (IPMI 2.0 table 5-1).
const APP: NetFn = NetFn::new(0x06);
/// Cold Reset (IPMI 2.0 §20.2).
const COLD_RESET: u8 = 0x02;
/// Warm Reset (IPMI 2.0 §20.3).
const WARM_RESET: u8 = 0x03;
/// The method, and the step, that sends any command.
const SEND_RAW: &str = "send_raw";
/// The longest command that is sent: what fits into a message of LAN (IPMI 2.0 §6.10).
const MOST_BYTES: usize = 255;

/// The vendor interface `ipmitool`: any command, as a step too, and restarting the BMC.
#[derive(Debug, Clone)]
pub struct IpmiVendor {
    driver: IpmiDriver,
}

impl IpmiVendor {
    /// A vendor interface over this driver.
    pub fn new(driver: IpmiDriver) -> Self {
        Self { driver }
    }

    async fn send(&self, task: &SharedTask, method: &str, request: Request) -> Result<(), Error> {
        let answer = self
            .driver
            .ask(task, async |bmc| bmc.execute(request).await)
            .await?;
        tracing::debug!(node = %task.node().uuid, method, bytes = answer.len(), "the BMC has answered");
        Ok(())
    }
}

/// Reads a command from its bytes as text: numbers, decimal or after `0x` hexadecimal, separated
/// by blanks; the first is the network function, the second the command.
fn raw(args: &JsonMap) -> Result<Request, Error> {
    let given = args.get("raw_bytes").filter(|given| is_truthy(given));
    let given = given.ok_or_else(|| Error::missing("the argument raw_bytes is missing"))?;
    let wrong = || {
        Error::invalid(
            "raw_bytes must be a string of 2 to 255 bytes, such as \"0x06 0x01\": network function, command, data",
        )
    };
    let text = given.as_str().ok_or_else(wrong)?;
    let bytes: Option<Vec<u8>> = text.split_ascii_whitespace().map(byte).collect();
    match bytes.as_deref() {
        Some([net_fn, command, data @ ..])
            if net_fn % 2 == 0 && *net_fn < 0x40 && data.len() <= MOST_BYTES - 2 =>
        {
            Ok(Request::raw(NetFn::new(*net_fn), *command, data))
        }
        _ => Err(wrong()),
    }
}

fn byte(word: &str) -> Option<u8> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    match digits {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u8::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => word.parse().ok(),
    }
}

#[async_trait]
impl Interface for IpmiVendor {
    fn properties(&self) -> Properties {
        properties()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        IpmiDriver::validate(task)
    }

    fn steps(&self, _node: &Node, flow: FlowKind) -> Vec<StepDef> {
        // Nobody knows what the command does, nor whether it may be sent twice.
        let step = StepDef::new(
            InterfaceKind::Vendor,
            SEND_RAW,
            0,
            Replay::Never,
            Impact::POWER,
        );
        let step = step.arg("raw_bytes", true);
        match flow {
            FlowKind::Clean => vec![step.without_ramdisk()],
            FlowKind::Deploy => vec![step.abortable()],
            FlowKind::Service => vec![step],
            _ => Vec::new(),
        }
    }

    async fn execute_step(
        &self,
        task: &mut Task,
        flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        let offered = self.steps(task.node(), flow);
        if !offered.iter().any(|def| def.step == step.step) {
            return Err(Error::Unsupported {
                driver: task.node().driver.clone(),
                extension: format!("{flow} step {step}"),
            });
        }
        self.send(task, SEND_RAW, raw(&step.args)?).await?;
        Ok(Progress::Done)
    }
}

#[async_trait]
impl Vendor for IpmiVendor {
    fn methods(&self) -> BTreeMap<String, VendorMethod> {
        let method = |description| VendorMethod::new(&["POST"], description).asynchronous();
        let send_raw = method(
            "Sends a command to the BMC. Required argument: raw_bytes, its bytes as text, such as \"0x06 0x01\".",
        );
        let bmc_reset = method(
            "Restarts the BMC. Argument: warm, true (unless told) for a warm restart, false for a cold one.",
        );
        [(SEND_RAW, send_raw), ("bmc_reset", bmc_reset)]
            .map(|(name, method)| (name.to_owned(), method))
            .into()
    }

    async fn validate_call(
        &self,
        task: &SharedTask,
        method: &str,
        _http_method: &str,
        args: &JsonMap,
    ) -> Result<(), Error> {
        if method == SEND_RAW {
            raw(args)?;
        }
        self.validate(task).await
    }

    async fn call(
        &self,
        task: &mut Task,
        method: &str,
        _http_method: &str,
        args: &JsonMap,
    ) -> Result<Value, Error> {
        let request = match method {
            SEND_RAW => raw(args)?,
            "bmc_reset" => {
                let warm = args
                    .get("warm")
                    .is_none_or(|warm| truth(warm).unwrap_or(false));
                let command = if warm { WARM_RESET } else { COLD_RESET };
                Request::raw(APP, command, &[])
            }
            other => {
                return Err(Error::Unsupported {
                    driver: task.node().driver.clone(),
                    extension: other.to_owned(),
                });
            }
        };
        self.send(task, method, request).await?;
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use ironic_core::model::JsonMap;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Request, raw};
    use crate::codec::NetFn;

    fn read(value: Value) -> Option<Request> {
        raw(&JsonMap::from_iter([("raw_bytes".to_owned(), value)])).ok()
    }

    #[test]
    fn commands_as_text() {
        for (text, expected) in [
            ("0x06 0x01", Some((6, 1, vec![]))),
            (" 0X2e 10\t0xfF ", Some((0x2e, 10, vec![255]))),
            ("0x06", None),
            ("0x07 0x01", None),
            ("0x40 0x01", None),
            ("0x06 0x100", None),
            ("6 1 +1", Some((6, 1, vec![1]))),
            ("6 1 0x+1", None),
            ("6 1 -1", None),
            ("6 1; chassis power off", None),
        ] {
            let expected = expected
                .map(|(net_fn, command, data)| Request::raw(NetFn::new(net_fn), command, &data));
            assert_eq!(read(json!(text)), expected, "{text}");
        }
        let longest = |count: usize| "0 ".repeat(count);
        assert!(read(json!(longest(255))).is_some() && read(json!(longest(256))).is_none());
        assert!(read(json!([6, 1])).is_none() && read(Value::Null).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_a_command_or_an_error(text: String) {
            let _ = read(json!(text));
        }
    }
}
