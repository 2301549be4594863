use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::agent::{AgentAnswer, AgentRequest, AgentTransport};
use serde_json::{Value, json};

/// A ramdisk's agent that does at once what it is told, and can erase disks.
#[derive(Debug)]
pub(crate) struct Agent;

#[async_trait]
impl AgentTransport for Agent {
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
        let body = request.body.unwrap_or_default();
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
        let step = |step: &str, priority: u32| json!({"interface": "deploy", "step": step, "priority": priority});
        let steps = |word: &str, steps: Value| json!({"hardware_manager_version": {"generic": "1"}, word: {"generic": steps}});
        let result = match name.rsplit("get_").next() {
            Some("clean_steps") => {
                let erases = [
                    step("erase_devices_metadata", 99),
                    step("erase_devices", 10),
                ];
                steps("clean_steps", json!(erases))
            }
            Some("deploy_steps") => steps("deploy_steps", json!([])),
            _ => Value::Null,
        };
        let params = body.get("params").cloned().unwrap_or_default();
        Ok(AgentAnswer::new(
            200,
            json!({"id": "1", "command_name": name, "command_status": "SUCCEEDED",
                "command_params": params, "command_result": result}),
        ))
    }
}
