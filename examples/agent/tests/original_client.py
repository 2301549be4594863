"""Drives an agent with the original conductor's own client; prints what came of each call."""

import json
import sys
import time
import types

try:
    import ironic.conf  # noqa: F401
    from ironic.common import exception
    from ironic.drivers.modules import agent_client
    from oslo_config import cfg
except ImportError as error:
    sys.exit(f"the package ironic from PyPI is needed: {error}")

URL, TOKEN, UUID, INFO = sys.argv[1:]
INFO = json.loads(INFO)


class Node(types.SimpleNamespace):
    def as_dict(self, **_kwargs):
        return {"uuid": UUID, "properties": {}, "instance_info": {},
                "driver_internal_info": {}, "driver_info": {}}


def call(work):
    try:
        return work()["command_status"]
    except exception.IronicException as error:
        return type(error).__name__


def finish():
    while True:
        last = client.get_commands_status(node)[-1]
        if last["command_status"] != "RUNNING":
            return last
        time.sleep(0.05)


cfg.CONF([], project="ironic")
node = Node(uuid=UUID, driver_info={}, driver_internal_info={
    "agent_url": URL, "agent_secret_token": TOKEN})
client = agent_client.AgentClient()
results = {}
steps = client.get_clean_steps(node, [])["command_result"]
results["clean steps"] = [step["step"] for steps_ in steps["clean_steps"].values()
                          for step in steps_]
node.driver_internal_info["hardware_manager_version"] = steps["hardware_manager_version"]
results["deploy steps"] = call(lambda: client.get_deploy_steps(node, []))
results["service steps"] = call(lambda: client.get_service_steps(node, []))
client.execute_clean_step({"step": "erase_devices_metadata", "interface": "deploy"}, node, [])
results["clean"] = finish()["command_status"]
client.execute_deploy_step({"step": "write_image", "interface": "deploy",
                            "args": {"image_info": INFO}}, node, [])
results["while busy"] = call(lambda: client.sync(node))
written = finish()
results["deploy"] = written["command_status"]
results["written"] = (written["command_result"] or {}).get("deploy_result")
results["uuids"] = client.get_partition_uuids(node)["command_result"]
results["boot loader"] = call(lambda: client.install_bootloader(node, None, "bios"))
results["sync"] = call(lambda: client.sync(node))
results["logs"] = call(lambda: client.collect_system_logs(node))
node.driver_internal_info["hardware_manager_version"] = {"other": "1"}
client.execute_clean_step({"step": "erase_devices", "interface": "deploy"}, node, [])
results["other plan"] = finish()["command_status"]
node.driver_internal_info["agent_secret_token"] = "B" * 43
results["wrong token"] = call(lambda: client.sync(node))
node.driver_internal_info["agent_secret_token"] = TOKEN
results["power off"] = call(lambda: client.power_off(node))
print(json.dumps(results))
