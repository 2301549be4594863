use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::Uuid;
use ironic_core::agent::{AgentAnswer, AgentRequest, AgentTransport};
use ironic_core::driver::fake::FakeBehaviour;
use ironic_core::states::PowerState;
use serde_json::{Value, json};

/// An agent that does at once whatever it is told, and switches its machine off when told to.
#[derive(Debug)]
pub(crate) struct Agent(pub(crate) FakeBehaviour);

#[async_trait]
impl AgentTransport for Agent {
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
        let body = request
            .body
            .expect("every step ends at once, so none is asked about");
        let name = body["name"].as_str().unwrap();
        let result = match name {
            "clean.get_clean_steps" | "deploy.get_deploy_steps" => {
                let key = name.rsplit("get_").next().unwrap();
                let step = json!({"interface": "deploy", "step": "erase_devices_metadata", "priority": 10});
                let steps = if key == "clean_steps" {
                    json!([step])
                } else {
                    json!([])
                };
                json!({"hardware_manager_version": {"test": "1"}, key: {"test": steps}})
            }
            "standby.power_off" => {
                let node: Uuid = request.url.split('/').nth(3).unwrap().parse().unwrap();
                self.0.set_power_state(node, PowerState::Off);
                Value::Null
            }
            _ => Value::Null,
        };
        Ok(AgentAnswer::new(
            200,
            json!({
                "id": "1",
                "command_name": name,
                "command_status": "SUCCEEDED",
                "command_params": body["params"],
                "command_result": result,
            }),
        ))
    }
}
