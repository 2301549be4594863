"""What openstacksdk does with bare metal (`Connection.baremetal`), on machines through their lives.

    sdk.py ENDPOINT

It takes a machine half a second to change its power, and the service waits for no node in use.
The calls are listed from the SDK itself: one that is not made here has to be in NOT_CALLED.
"""
import json
import sys
import time
import urllib.request

import openstack
from openstack import exceptions
from openstack.baremetal.v1 import _proxy

# Calls that are not made, each with why.
NOT_CALLED = {
    "wait_for_status": "of every service; bare metal has its own",
    "wait_for_delete": "of every service; nothing is deleted later here",
}

URL = sys.argv[1]
VIF = "11111111-1111-4111-8111-111111111111"
MAC = "52:54:00:12:34:56"
called = set()


class Recorded:
    """The proxy, and which calls of it are made."""

    def __init__(self, proxy):
        self._proxy = proxy

    def __getattr__(self, name):
        called.add(name)
        return getattr(self._proxy, name)


sdk = Recorded(openstack.connection.Connection(
    auth_type="none", baremetal_endpoint_override=URL, endpoint=URL).baremetal)


def same(got, want, what=""):
    assert got == want, f"{what}: {got!r} is not {want!r}"


def has(got, **want):
    """Whatever else there is, these members are as they should be."""
    same({name: getattr(got, name) for name in want}, want, "members")


def refused(error, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except error as refusal:
        return refusal
    raise AssertionError(f"{call}{arguments}: not refused")


def conflicts(call, *arguments):
    """It is refused, however often it is tried; it is tried once."""
    codes, sdk._proxy.retriable_status_codes = sdk._proxy.retriable_status_codes, None
    try:
        refused(exceptions.ConflictException, call, *arguments)
    finally:
        sdk._proxy.retriable_status_codes = codes


def until(what, look):
    ends = time.monotonic() + 30
    while not look():
        assert time.monotonic() < ends, f"{what}: it does not come to that"
        time.sleep(0.02)


def ids(found):
    return [one.id for one in found]


def told(node, target, state, **options):
    """Leads nodes on by a verb, and looks whether they are there."""
    sdk.set_node_provision_state(node, target, **options)
    sdk.wait_for_nodes_provision_state([node], state, timeout=60)
    same(sdk.get_node(node).provision_state, state)


def drivers():
    same([driver.name for driver in sdk.drivers(details=True)], ["fake-hardware"])
    driver = sdk.get_driver("fake-hardware")
    has(driver, default_power_interface="fake", enabled_network_interfaces=["noop"])
    same(sdk.list_driver_vendor_passthru(driver), {})
    refused(exceptions.BadRequestException, sdk.call_driver_vendor_passthru, driver, "POST", "no")
    conductor, = sdk.conductors(details=True)
    has(sdk.get_conductor(conductor.hostname), hostname=conductor.hostname, alive=True,
        drivers=["fake-hardware"])


def life_of(one, make, get, find, listed, update, patch, delete, change, patched):
    """A record made, found, listed, changed twice and removed; what changed is what was to."""
    made = make(**one)
    same(get(made.id).id, made.id)
    if find:
        same(find(made.name if one.get("name") else made.id).id, made.id)
        same(find("nothing"), None)
    assert made.id in ids(listed()), one
    has(update(made, **change), **change)
    shown = get(patch(made, patched).id)
    has(shown, **change, extra={"b": 2})
    delete(made)
    refused(exceptions.NotFoundException, get, made.id)
    same(delete(made, ignore_missing=True), None)
    assert made.id not in ids(listed()), one


EXTRA = [{"op": "add", "path": "/extra/b", "value": 2}, {"op": "remove", "path": "/extra/a"}]


def records(node):
    """Everything that is kept besides nodes."""
    a = {"extra": {"a": 1}}
    life_of({"description": "rack", **a}, sdk.create_chassis, sdk.get_chassis, sdk.find_chassis,
            lambda: sdk.chassis(details=True), sdk.update_chassis, sdk.patch_chassis,
            sdk.delete_chassis, {"description": "shelf"}, EXTRA)
    life_of({"address": MAC, "node_id": node.id, **a}, sdk.create_port, sdk.get_port, sdk.find_port,
            lambda: sdk.ports(node_id=node.id, details=True), sdk.update_port, sdk.patch_port,
            sdk.delete_port, {"is_pxe_enabled": False}, EXTRA)
    life_of({"name": "bond0", "node_id": node.id, "mode": "802.3ad", **a}, sdk.create_port_group,
            sdk.get_port_group, sdk.find_port_group, lambda: sdk.port_groups(node=node.id),
            sdk.update_port_group, sdk.patch_port_group, sdk.delete_port_group,
            {"address": "52:54:00:12:34:99"}, EXTRA)
    step = {"interface": "bios", "step": "factory_reset", "args": {}}
    life_of({"name": "CUSTOM_T", "steps": [{**step, "priority": 10}], **a},
            sdk.create_deploy_template, sdk.get_deploy_template, sdk.find_deploy_template,
            lambda: sdk.deploy_templates(details=True), sdk.update_deploy_template,
            sdk.patch_deploy_template, sdk.delete_deploy_template,
            {"steps": [{**step, "priority": 20}]}, EXTRA)
    life_of({"name": "CUSTOM_R", "steps": [{**step, "order": 1}], **a}, sdk.create_runbook,
            sdk.get_runbook, None, lambda: sdk.runbooks(details=True), sdk.update_runbook,
            sdk.patch_runbook, sdk.delete_runbook, {"name": "CUSTOM_S"}, EXTRA)
    set_attribute = {"op": "set-attribute", "args": {"path": "/extra/seen", "value": "yes"}}
    rule = sdk.create_inspection_rule(actions=[set_attribute], conditions=[], description="r")
    has(sdk.get_inspection_rule(rule.id), actions=[set_attribute], priority=0)
    same(ids(sdk.inspection_rules()), [rule.id])
    sdk.update_inspection_rule(rule, description="s")
    sdk.patch_inspection_rule(rule, [{"op": "replace", "path": "/priority", "value": 7}])
    has(sdk.get_inspection_rule(rule.id), description="s", priority=7)
    sdk.delete_inspection_rule(rule)
    same(ids(sdk.inspection_rules()), [])


def volumes(node):
    """What of a node's volumes can only be changed while it is off."""
    sdk.set_node_power_state(node, "power off", wait=True, timeout=60)
    same(sdk.wait_for_node_power_state(node, "power off", timeout=60).power_state, "power off")
    a = {"extra": {"a": 1}, "node_id": node.id}
    life_of({"type": "iqn", "connector_id": "iqn.x", **a}, sdk.create_volume_connector,
            sdk.get_volume_connector, sdk.find_volume_connector,
            lambda: sdk.volume_connectors(node=node.id), sdk.update_volume_connector,
            sdk.patch_volume_connector, sdk.delete_volume_connector, {"connector_id": "iqn.y"},
            EXTRA)
    life_of({"volume_type": "iscsi", "volume_id": "v", "boot_index": 0, **a},
            sdk.create_volume_target, sdk.get_volume_target, sdk.find_volume_target,
            lambda: sdk.volume_targets(node=node.id), sdk.update_volume_target,
            sdk.patch_volume_target, sdk.delete_volume_target, {"volume_id": "w"}, EXTRA)


def enrol():
    node = sdk.create_node(driver="fake-hardware", name="n", resource_class="gold",
                           properties={"cpus": 4})
    has(sdk.get_node(node), name="n", provision_state="enroll", resource_class="gold")
    told(node, "manage", "manageable")
    conflicts(lambda: sdk.create_node(driver="fake-hardware", name="n"))
    same(sdk.find_node("n").id, node.id)
    same(sdk.find_node("nobody"), None)
    refused(exceptions.NotFoundException, sdk.get_node, "nobody")
    same(ids(sdk.nodes(resource_class="gold", provision_state="manageable")), [node.id])
    same(ids(sdk.nodes(resource_class="silver")), [])
    same(sdk.get_node(node, fields=["name"]).name, "n")
    has(sdk.update_node(node, description="first"), description="first")
    for at in range(3):
        sdk.create_node(driver="fake-hardware", name=f"page-{at}")
    names = [one.name for one in sdk.nodes(limit=1, details=True)]
    same(names, ["n", "page-0", "page-1", "page-2"], "pages")
    for at in range(3):
        sdk.delete_node(f"page-{at}")
    child = sdk.create_node(driver="fake-hardware", parent_node=node.id)
    same(child.parent_node, node.id)
    sdk.delete_node(child)
    return node


def machine(node):
    """What is asked of the machine itself."""
    assert all(sdk.validate_node(node)[name].result for name in ("boot", "deploy", "power"))
    sdk.set_node_maintenance(node, reason="bad disk")
    has(sdk.get_node(node), is_maintenance=True, maintenance_reason="bad disk")
    sdk.unset_node_maintenance(node)
    has(sdk.get_node(node), is_maintenance=False, maintenance_reason=None)
    sdk.add_node_trait(node, "CUSTOM_A")
    sdk.set_node_traits(node, ["CUSTOM_B", "CUSTOM_C"])
    sdk.remove_node_trait(node, "CUSTOM_C")
    same(sdk.get_node(node).traits, ["CUSTOM_B"])
    sdk.set_node_boot_device(node, "pxe", persistent=True)
    same(sdk.get_node_boot_device(node)["boot_device"], "pxe")
    same(sdk.get_node_supported_boot_devices(node), {"supported_boot_devices": ["pxe"]})
    refused(exceptions.BadRequestException, sdk.set_node_boot_device, node, "disk")
    # These a machine that is not there does not have.
    sdk.set_node_boot_mode(node, "uefi")
    until("a boot mode", lambda: "boot mode" in (sdk.get_node(node).last_error or ""))
    sdk.set_node_secure_boot(node, True)
    until("secure boot", lambda: "secure boot" in (sdk.get_node(node).last_error or ""))
    refused(exceptions.BadRequestException, sdk.inject_nmi_to_node, node)
    sdk.enable_node_console(node)
    until("a console", lambda: sdk.get_node(node).is_console_enabled)
    same(sdk.get_node_console(node)["console_enabled"], True)
    sdk.disable_node_console(node)
    until("no console", lambda: not sdk.get_node(node).is_console_enabled)
    assert "third_method_sync" in sdk.list_node_vendor_passthru(node)
    answer = sdk.call_node_vendor_passthru(node, "POST", "third_method_sync", {"bar": "meow"})
    same(answer.json(), True)
    same(sdk.list_node_firmware(node), {"firmware": []})
    sdk.attach_vif_to_node(node, VIF)
    same(sdk.list_node_vifs(node), [])
    sdk.detach_vif_from_node(node, VIF)
    sdk.attach_vmedia_to_node(node, "cdrom", "http://192.0.2.1/image.iso")
    sdk.detach_vmedia_from_node(node)


def in_use(node):
    """A node that something is being done to is waited for."""
    sdk.set_node_power_state(node, "power on")
    patch = [{"op": "add", "path": "/extra/patched", "value": True}]
    refused(exceptions.ConflictException, sdk.patch_node, node, patch, retry_on_conflict=False)
    same(sdk.patch_node(node, patch).extra, {"patched": True})
    sdk.wait_for_node_reservation(node, timeout=60)
    same(sdk.get_node(node).power_state, "power on")


def cleaning(node):
    """Steps by a runbook and by themselves, one that fails, and what is said of it."""
    settings = {"settings": [{"name": "virt", "value": "on"}]}
    step = {"interface": "bios", "step": "apply_configuration", "args": settings}
    runbook = sdk.create_runbook(name="CUSTOM_B", steps=[{**step, "order": 1}])
    sdk.add_runbook_trait(runbook, "CUSTOM_A")
    sdk.set_runbook_traits(runbook, ["CUSTOM_B", "CUSTOM_C"])
    sdk.remove_runbook_trait(runbook, "CUSTOM_C")
    same(sdk.get_runbook(runbook).traits, ["CUSTOM_B"])
    # The proxy does not pass runbooks on, the node does.
    sdk.get_node(node).set_provision_state(sdk._proxy, "clean", runbook=runbook.id)
    sdk.wait_for_nodes_provision_state([node], "manageable", timeout=60)
    sdk.delete_runbook(runbook)
    told(node, "clean", "manageable",
         clean_steps=[{"interface": "bios", "step": "factory_reset", "args": {}}])
    steps = [{"interface": "deploy", "step": "no_such_step", "args": {}}]
    sdk.set_node_provision_state(node, "clean", clean_steps=steps)
    error = refused(exceptions.ResourceFailure, sdk.wait_for_nodes_provision_state, [node],
                    "manageable", timeout=60)
    assert "clean failed" in str(error), error
    failed = sdk.wait_for_nodes_provision_state([node], "manageable", timeout=60, fail=False)
    same((ids(failed.success), ids(failed.failure)), ([], [node.id]))
    assert sdk.get_node(node).last_error
    sdk.unset_node_maintenance(node)
    told(node, "manage", "manageable")


def inspection(node):
    """By a ramdisk, whose report this is."""
    sdk.patch_node(node, [{"op": "replace", "path": "/inspect_interface", "value": "agent"}])
    told(node, "inspect", "inspect wait")
    inventory = {
        "interfaces": [{"name": "eth0", "mac_address": MAC, "ipv4_address": "192.0.2.5"}],
        "cpu": {"count": 8, "architecture": "x86_64"}, "memory": {"physical_mb": 2048},
        "disks": [], "boot": {"current_boot_mode": "uefi", "pxe_interface": MAC}}
    request = urllib.request.Request(
        f"{URL}/v1/continue_inspection?node_uuid={node.id}",
        json.dumps({"inventory": inventory, "boot_interface": MAC}).encode(),
        {"Content-Type": "application/json", "X-OpenStack-Ironic-API-Version": "1.84"})
    same(urllib.request.urlopen(request).status, 202)
    sdk.wait_for_nodes_provision_state([node], "manageable", timeout=60)
    same(sdk.get_node_inventory(node)["inventory"], inventory)
    same(sdk.get_node(node).properties["cpu_arch"], "x86_64")
    same([port.address for port in sdk.ports(node=node.id)], [MAC])


def allocation(node):
    made = sdk.create_allocation(name="a", resource_class="gold", traits=["CUSTOM_B"])
    made = sdk.wait_for_allocation(made, timeout=60)
    has(made, state="active", node_id=node.id)
    same(sdk.get_node(node).allocation_id, made.id)
    same(ids(sdk.allocations(state="active")), [made.id])
    sdk.update_allocation(made, extra={"a": 1})
    has(sdk.patch_allocation(made, EXTRA), extra={"b": 2})
    has(sdk.get_allocation("a"), id=made.id, extra={"b": 2})
    none = sdk.create_allocation(name="none", resource_class="gold")
    refused(exceptions.ResourceFailure, sdk.wait_for_allocation, none, timeout=60)
    none = sdk.wait_for_allocation(none, timeout=60, ignore_error=True)
    same(none.state, "error")
    for one in (made, none):
        sdk.delete_allocation(one)
    refused(exceptions.NotFoundException, sdk.get_allocation, "a")
    same(sdk.get_node(node).instance_id, None)


def instance(node):
    """Deployed, rescued, serviced, rebuilt, taken down."""
    sdk.update_node(node, instance_info={"image_source": "http://192.0.2.1/image"})
    deploy = {"config_drive": {"meta_data": {"hostname": "h"}}, "wait": True, "timeout": 60}
    has(sdk.set_node_provision_state(node, "active", **deploy), provision_state="active")
    refused(exceptions.BadRequestException, sdk.set_node_provision_state, node, "manage")
    conflicts(sdk.delete_node, node)
    told(node, "rescue", "rescue", rescue_password="secret-pass")
    told(node, "unrescue", "active")
    # As with runbooks.
    steps = [{"interface": "vendor", "step": "log_passthrough", "args": {}}]
    sdk.get_node(node).set_provision_state(sdk._proxy, "service", service_steps=steps)
    sdk.wait_for_nodes_provision_state([node], "active", timeout=60)
    told(node, "rebuild", "active")
    told(node, "deleted", "available")
    same(sdk.get_node(node).instance_info, {})


def main():
    drivers()
    node = enrol()
    records(node)
    machine(node)
    volumes(node)
    in_use(node)
    cleaning(node)
    inspection(node)
    told(node, "provide", "available")
    allocation(node)
    instance(node)
    sdk.delete_node(node)
    refused(exceptions.NotFoundException, sdk.get_node, node.id)
    same(ids(sdk.nodes()) + ids(sdk.ports()), [])
    calls = {name for name in vars(_proxy.Proxy) if name[0] != "_"
             and callable(getattr(_proxy.Proxy, name))}
    missed = calls - called - set(NOT_CALLED)
    assert not missed, f"calls that are not made: {sorted(missed)}"
    stale = set(NOT_CALLED) & called | set(NOT_CALLED) - calls
    assert not stale, f"calls that are made, or are none: {sorted(stale)}"
    print(f"openstacksdk: {len(calls & called)} of {len(calls)} calls")


main()
