"""Every command of the program `baremetal` (python-ironicclient), on machines through their lives.

    baremetal.py ENDPOINT

The commands are run as the program runs them, but by one interpreter, which takes a second to
start. They are listed from the client itself: one that is not run here has to be in NOT_RUN.
"""
import contextlib
import io
import json
import sys
import tempfile
import time
import urllib.request

from ironicclient import shell

# Commands that are not run, each with why.
NOT_RUN = {
    "complete": "writes the shell's completions, and asks the service nothing",
}

URL = sys.argv[1]
VIF = "11111111-1111-4111-8111-111111111111"
run = set()


def try_it(line, *options):
    """Runs a command; what it says, and whether it failed."""
    argv = line if isinstance(line, list) else line.split()
    app = shell.App()
    commands = app.command_manager.commands
    name = next(" ".join(argv[:n]) for n in range(len(argv), 0, -1) if " ".join(argv[:n]) in commands)
    run.add(name)
    argv = ["--os-auth-type", "none", "--os-endpoint", URL, *options, *argv]
    sys.argv = ["baremetal", *argv]
    out, err = io.StringIO(), io.StringIO()
    app.stdout, app.stderr = out, err
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            failed = app.run(argv)
        except SystemExit as end:
            failed = end.code
    return out.getvalue(), err.getvalue(), bool(failed)


def do(line):
    out, err, failed = try_it(line)
    assert not failed, f"{line}: {err}"
    return out


def ask(line):
    line = line if isinstance(line, list) else line.split()
    out = do([*line, "-f", "json"])
    return json.loads(out)


def refused(line, status):
    # A conflict is tried again for half a minute otherwise.
    out, err, failed = try_it(line, "--max-retries", "0")
    assert failed and f"HTTP {status}" in err, f"{line}: not refused with {status}: {out}{err}"


def same(got, want, what=""):
    assert got == want, f"{what}: {got!r} is not {want!r}"


def has(got, **want):
    """Whatever else there is, these members are as they should be."""
    same({name: got.get(name) for name in want}, want, "members")


def reach(node, **want):
    """Waits until the node is so and nothing is going on with it."""
    ends = time.monotonic() + 30
    while True:
        got = ask(f"node show {node}")
        if all(got[name] == value for name, value in want.items()) and not got["reservation"]:
            return got
        assert time.monotonic() < ends, f"{node} does not reach {want}: {got}"
        time.sleep(0.02)


def state(node, name):
    return reach(node, provision_state=name)


def ramdisk(node, inventory):
    """What a ramdisk sends when it has looked around."""
    body = json.dumps({"inventory": inventory, "boot_interface": "52:54:00:12:34:56"}).encode()
    request = urllib.request.Request(
        f"{URL}/v1/continue_inspection?node_uuid={node}", body,
        {"Content-Type": "application/json", "X-OpenStack-Ironic-API-Version": "1.84"})
    same(urllib.request.urlopen(request).status, 202)


def drivers():
    listed = ask("driver list")
    same([driver["name"] for driver in listed], ["fake-hardware"])
    host = listed[0]["hosts"]
    has(ask("driver show fake-hardware"), default_power_interface="fake",
        enabled_network_interfaces="noop")
    assert any(row["property"] == "B1" for row in ask("driver property list fake-hardware"))
    properties = ask("driver raid property list fake-hardware")
    assert "raid_level" in [row["property"] for row in properties]
    same(ask("driver passthru list fake-hardware"), [])
    refused("driver passthru call fake-hardware nothing", 400)
    conductors = ask("conductor list")
    same([(row["hostname"], row["alive"]) for row in conductors], [(host, True)])
    has(ask(f"conductor show {host}"), hostname=host, alive=True, drivers=["fake-hardware"])


def chassis():
    made = ask("chassis create --description rack --extra row=a")
    uuid = made["uuid"]
    do(f"chassis set {uuid} --description shelf --extra row=b --extra slot=1")
    do(f"chassis unset {uuid} --extra slot")
    has(ask(f"chassis show {uuid}"), description="shelf", extra={"row": "b"})
    same(ask("chassis list"), [{"uuid": uuid, "description": "shelf"}])
    node = ask(["node", "create", "--driver", "fake-hardware", "--chassis-uuid", uuid])
    refused(f"chassis delete {uuid}", 400)
    do(f"node delete {node['uuid']}")
    do(f"chassis delete {uuid}")
    refused(f"chassis show {uuid}", 404)
    same(ask("chassis list"), [])


def enrol():
    node = ask("node create --driver fake-hardware --name n --property cpus=4 --extra rack=1 "
               "--resource-class gold --shard s1")
    has(node, name="n", provision_state="enroll", power_interface="fake", properties={"cpus": 4},
        resource_class="gold")
    refused("node create --driver fake-hardware --name n", 409)
    refused("node create --driver nothing", 400)
    do("node set n --description first --owner me --extra row=2 --property memory_mb=1024")
    do("node unset n --extra rack --owner")
    has(ask("node show n"), description="first", owner=None, extra={"row": 2},
        properties={"cpus": 4, "memory_mb": 1024})
    listed = ask("node list")
    same([(row["uuid"], row["name"], row["provision_state"], row["maintenance"])
          for row in listed], [(node["uuid"], "n", "enroll", False)])
    same(ask("node list --fields name --resource-class silver"), [])
    same(ask("node list --fields name resource_class"), [{"name": "n", "resource_class": "gold"}])
    same(ask("shard list"), [{"name": "s1", "count": 1}])
    do(["node", "maintenance", "set", "n", "--reason", "bad disk"])
    has(ask("node show n"), maintenance=True, maintenance_reason="bad disk")
    do("node maintenance unset n")
    has(ask("node show n"), maintenance=False, maintenance_reason=None)
    validation = {row["Interface"]: row["Result"] for row in ask("node validate n")}
    same(len(validation), 12)
    assert validation["power"] is True and validation["boot"] is True, validation
    child = ask("node create --driver fake-hardware --name child --parent-node n")
    same(child["parent_node"], node["uuid"])
    children = do("node children list n -f json")
    assert child["uuid"] in children, children
    do("node delete child")
    return node["uuid"]


def traits():
    do("node add trait n CUSTOM_A CUSTOM_OLD")
    do("node remove trait n CUSTOM_OLD")
    do("node trait add n CUSTOM_B HW_CPU_X86_VMX")
    same(sorted(row["traits"] for row in ask("node trait list n")),
         ["CUSTOM_A", "CUSTOM_B", "HW_CPU_X86_VMX"])
    do("node trait remove n CUSTOM_A HW_CPU_X86_VMX")
    same(ask("node show n --fields traits"), {"traits": ["CUSTOM_B"]})
    refused("node trait add n lower_case", 400)


def ports(node):
    port = ask(f"port create --node {node} 52:54:00:12:34:56 --local-link-connection "
               "switch_id=0a:1b:2c:3d:4e:5f --local-link-connection port_id=Eth1 --extra a=b")
    has(port, node_uuid=node, address="52:54:00:12:34:56", pxe_enabled=True)
    same(port["local_link_connection"], {"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "Eth1"})
    refused(f"port create --node {node} 52:54:00:12:34:56", 409)
    group = ask(f"port group create --node {node} --name bond0 --mode 802.3ad --property a=1 "
                "--address 52:54:00:12:34:99")
    has(group, name="bond0", mode="802.3ad", properties={"a": 1}, node_uuid=node)
    do("port group set bond0 --name bond1 --mode active-backup --extra a=b")
    do("port group unset bond1 --extra a --address")
    has(ask("port group show bond1"), mode="active-backup", extra={}, address=None)
    same([row["name"] for row in ask(f"port group list --node {node}")], ["bond1"])
    uuid = port["uuid"]
    do(f"port set {uuid} --pxe-disabled --physical-network net1 --name eth0 --port-group "
       f"{group['uuid']}")
    has(ask(f"port show {uuid}"), pxe_enabled=False, physical_network="net1", name="eth0",
        portgroup_uuid=group["uuid"])
    do(f"port unset {uuid} --physical-network --extra a --port-group")
    has(ask(f"port show {uuid}"), physical_network=None, extra={}, portgroup_uuid=None)
    same([(row["uuid"], row["address"]) for row in ask(f"port list --node {node}")],
         [(uuid, "52:54:00:12:34:56")])
    do("port group delete bond1")
    refused("port group show bond1", 404)
    second = ask(f"port create --node {node} 52:54:00:12:34:57")
    do(f"port delete {second['uuid']}")
    refused(f"port show {second['uuid']}", 404)
    same(ask("node vif list n"), [])
    do(f"node vif attach n {VIF}")
    do(f"node vif detach n {VIF}")


def volumes(node):
    connector = ask(f"volume connector create --node {node} --type iqn "
                    "--connector-id iqn.2026-11.org.example:n")
    uuid = connector["uuid"]
    has(connector, type="iqn", connector_id="iqn.2026-11.org.example:n", node_uuid=node)
    refused(f"volume connector create --node {node} --type iqn "
            "--connector-id iqn.2026-11.org.example:n", 409)
    target = ask(f"volume target create --node {node} --type iscsi --volume-id v1 --boot-index 0 "
                 "--property target_iqn=iqn.x")
    has(target, volume_type="iscsi", boot_index=0, properties={"target_iqn": "iqn.x"})
    refused(f"volume connector set {uuid} --extra a=b", 400)
    do("node power off n")
    reach("n", power_state="power off")
    do(f"volume connector set {uuid} --extra a=b --connector-id iqn.y")
    do(f"volume connector unset {uuid} --extra a")
    has(ask(f"volume connector show {uuid}"), connector_id="iqn.y", extra={})
    same([row["connector_id"] for row in ask(f"volume connector list --node {node}")], ["iqn.y"])
    do(f"volume target set {target['uuid']} --volume-id v2 --extra a=b --property lun=1")
    do(f"volume target unset {target['uuid']} --extra a --property target_iqn")
    has(ask(f"volume target show {target['uuid']}"), volume_id="v2", properties={"lun": 1},
        extra={})
    same([row["volume_id"] for row in ask("volume target list")], ["v2"])
    do(f"volume target delete {target['uuid']}")
    do(f"volume connector delete {uuid}")
    same(ask("volume connector list") + ask("volume target list"), [])


def machine():
    """What is asked of the machine itself."""
    do("node power on n")
    reach("n", power_state="power on")
    do("node reboot n")
    reach("n", power_state="power on", target_power_state=None)
    do("node boot device set n pxe --persistent")
    has(ask("node boot device show n"), boot_device="pxe")
    has(ask("node boot device show n --supported"), supported_boot_devices="pxe")
    refused("node boot device set n disk", 400)
    # Machines that are not there have no firmware that boots one way or another.
    for command, what in (("boot mode set n uefi", "boot mode"), ("secure boot on n", "secure boot"),
                          ("secure boot off n", "secure boot")):
        do(f"node {command}")
        ends = time.monotonic() + 30
        while what not in (ask("node show n")["last_error"] or ""):
            assert time.monotonic() < ends, f"{command}: nobody says that it cannot be done"
    refused("node inject nmi n", 400)
    do("node console enable n")
    reach("n", console_enabled=True)
    same(ask("node console show n")["console_enabled"], True)
    do("node console disable n")
    reach("n", console_enabled=False)
    methods = [row["Name"] for row in ask("node passthru list n")]
    assert "third_method_sync" in methods, methods
    do("node passthru call n second_method --arg bar=kazoo")
    refused("node passthru call n nothing", 400)


def templates():
    steps = '[{"interface":"bios","step":"apply","args":{"password":"p"},"priority":"10"}]'
    made = ask(["deploy", "template", "create", "CUSTOM_A", "--steps", steps])
    masked = {"interface": "bios", "step": "apply", "args": {"password": "******"}, "priority": 10}
    same(made["steps"], [masked])
    do("deploy template set CUSTOM_A --name CUSTOM_B --extra a=b --extra c=d")
    do("deploy template unset CUSTOM_B --extra a")
    has(ask(f"deploy template show {made['uuid']}"), name="CUSTOM_B", extra={"c": "d"})
    refused(["deploy", "template", "create", "CUSTOM_B", "--steps", steps], 409)
    same(ask("deploy template list"), [{"uuid": made["uuid"], "name": "CUSTOM_B"}])
    do("deploy template delete CUSTOM_B")
    same(ask("deploy template list"), [])


def runbooks():
    """A runbook's life, and a cleaning by it, which changes the machine."""
    settings = '{"settings":[{"name":"virt","value":"on"}]}'
    step = '{"interface":"bios","step":"apply_configuration","args":%s,"order":1}' % settings
    make = ["runbook", "create", "--steps", f"[{step}]", "--name"]
    same(ask([*make, "CUSTOM_B"])["steps"][0]["order"], 1)
    ask([*make, "CUSTOM_OTHER"])
    do("runbook trait add CUSTOM_B CUSTOM_B CUSTOM_OLD")
    do("runbook trait remove CUSTOM_B CUSTOM_OLD")
    same([row["traits"] for row in ask("runbook trait list CUSTOM_B")], ["CUSTOM_B"])
    refused("node clean n --runbook CUSTOM_OTHER", 400)
    do("node clean n --runbook CUSTOM_B")
    state("n", "manageable")
    same([(row["name"], row["value"]) for row in ask("node bios setting list n")], [("virt", "on")])
    has(ask("node bios setting show n virt"), name="virt", value="on")
    do("runbook set CUSTOM_OTHER --name CUSTOM_LAST --extra a=b --extra c=d")
    do("runbook unset CUSTOM_LAST --extra a")
    has(ask("runbook show CUSTOM_LAST"), name="CUSTOM_LAST", extra={"c": "d"})
    same([row["name"] for row in ask("runbook list")], ["CUSTOM_B", "CUSTOM_LAST"])
    do("runbook delete CUSTOM_LAST CUSTOM_B")
    same(ask("runbook list"), [])


def failures():
    """A cleaning that fails leaves its history."""
    do(["node", "clean", "n", "--clean-steps", '[{"interface":"deploy","step":"no_such_step"}]'])
    assert state("n", "clean failed")["last_error"], "no word of what is wrong"
    events = ask("node history list n")
    assert events and events[0]["severity"] == "ERROR", events
    event = ask(f"node history get n {events[0]['uuid']}")
    has(event, uuid=events[0]["uuid"], severity="ERROR")
    assert event["event"], event
    do("node maintenance unset n")
    do("node manage n")
    state("n", "manageable")
    do(["node", "clean", "n", "--clean-steps",
        '[{"interface":"deploy","step":"hold"},{"interface":"bios","step":"factory_reset"}]'])
    state("n", "clean hold")
    do("node unhold n")
    state("n", "manageable")
    same(ask("node bios setting list n"), [], "reset settings")
    same(ask("node firmware list n"), [])


def rules():
    made = ask(["inspection", "rule", "create", "--description", "seen", "--actions",
                '[{"op":"set-attribute","args":{"path":"/extra/seen","value":"yes"}}]',
                "--conditions",
                '[{"op":"eq","args":{"values":["{inventory[cpu][architecture]}","x86_64"]}}]'])
    uuid = made["uuid"]
    do(f"inspection rule set {uuid} --priority 7")
    do(f"inspection rule unset {uuid} --description")
    has(ask(f"inspection rule show {uuid}"), priority=7, description=None)
    same([row["uuid"] for row in ask("inspection rule list")], [uuid])
    do(f"inspection rule delete {uuid}")
    same(ask("inspection rule list"), [])


def inspect(node):
    """Inspection by a ramdisk: its inventory is kept, its interface a port."""
    do("node set n --inspect-interface agent")
    do("node inspect n")
    state("n", "inspect wait")
    do("node abort n")
    state("n", "inspect failed")
    do("node inspect n")
    state("n", "inspect wait")
    cpu = {"count": 8, "architecture": "x86_64", "model_name": "m"}
    interface = {"name": "eth0", "mac_address": "52:54:00:12:34:60", "ipv4_address": "192.0.2.5"}
    ramdisk(node, {"interfaces": [interface], "cpu": cpu, "memory": {"physical_mb": 2048},
                   "disks": [], "hostname": "h", "boot": {"current_boot_mode": "uefi"}})
    shown = state("n", "manageable")
    same(shown["properties"]["cpu_arch"], "x86_64")
    addresses = [row["address"] for row in ask("port list")]
    assert "52:54:00:12:34:60" in addresses, addresses
    inventory = json.loads(do("node inventory save n"))
    same(inventory["inventory"]["cpu"], cpu)


def allocations(node):
    made = ask("allocation create --resource-class gold --name a --trait CUSTOM_B --extra x=y")
    ends = time.monotonic() + 30
    while (made := ask("allocation show a"))["state"] == "allocating":
        assert time.monotonic() < ends, made
    has(made, state="active", node_uuid=node, resource_class="gold", extra={"x": "y"})
    has(ask("node show n"), instance_uuid=made["uuid"], allocation_uuid=made["uuid"])
    do("allocation set a --name b --extra z=w")
    do("allocation unset b --extra x")
    has(ask("allocation show b"), name="b", extra={"z": "w"})
    same([(row["name"], row["state"]) for row in ask("allocation list --node n")],
         [("b", "active")])
    do("allocation delete b")
    refused("allocation show b", 404)
    has(ask("node show n"), instance_uuid=None, allocation_uuid=None)


def deploy():
    do("node set n --instance-info image_source=http://192.0.2.1/image")
    do("node deploy n --wait 30")
    has(state("n", "active"), properties={"cpus": 4, "memory_mb": 1024, "cpu_arch": "x86_64"})
    refused("node manage n", 400)
    refused("node delete n", 409)
    do("node rescue n --rescue-password secret-pass")
    state("n", "rescue")
    do("node unrescue n")
    state("n", "active")
    do(["node", "service", "n", "--service-steps",
        '[{"interface":"vendor","step":"log_passthrough"}]'])
    state("n", "active")
    do("node rebuild n")
    state("n", "active")
    do("node undeploy n")
    has(state("n", "available"), instance_info={})
    do("node manage n")
    state("n", "manageable")
    do("node adopt n")
    state("n", "active")
    do("node undeploy n")
    state("n", "available")


def files():
    """Resources from a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"nodes": [{"name": "filed", "driver": "fake-hardware",
                              "ports": [{"address": "52:54:00:00:00:01"}]}]}, file)
        file.flush()
        do(["create", file.name])
    node = ask("node show filed")["uuid"]
    same([row["address"] for row in ask("port list --node filed")], ["52:54:00:00:00:01"])
    do(f"node delete {node}")


def main():
    drivers()
    chassis()
    node = enrol()
    traits()
    ports(node)
    volumes(node)
    machine()
    templates()
    do("node manage n --wait 30")
    runbooks()
    failures()
    rules()
    inspect(node)
    do("node provide n")
    state("n", "available")
    allocations(node)
    deploy()
    do("node delete n")
    refused("node show n", 404)
    files()
    same(ask("node list"), [])
    same(ask("port list"), [])
    assert "Show baremetal node details" in do("help node show")
    commands = set(shell.App().command_manager.commands)
    missed = commands - run - set(NOT_RUN)
    assert not missed, f"commands that are not run: {sorted(missed)}"
    stale = set(NOT_RUN) & run | set(NOT_RUN) - commands
    assert not stale, f"commands that are run, or are none: {sorted(stale)}"
    print(f"baremetal: {len(run)} of {len(commands)} commands")


main()
