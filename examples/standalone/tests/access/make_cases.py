#!/usr/bin/env python3
"""Makes cases.json: who asks for what, and what the original answers them.

The facts are those of the original's own tables of role tests. Usage:

    make_cases.py SYSTEM.yaml PROJECT.yaml LEGACY.yaml > cases.json

which are test_rbac_system_scoped.yaml, test_rbac_project_scoped.yaml and test_rbac_legacy.yaml of
its tests. Needs PyYAML.

A case is [who, method, path, body, status] and, where there is more to it, an object:
  "lengths": how many items the lists of the answer have; "shows": members of the answer, `null`
  for one that is kept back; "own_nodes": false where projects do not manage nodes of their own;
  "services": the project whose services have elevated access.
"""
import json
import sys

import yaml

# What the tables name by a placeholder, and which of the test's records that is.
IDS = {
    "system": {
        "node_ident": "1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
        "allocated_node_ident": "22e26c0b-03f2-4d2e-ae87-c02d7f33c000",
        "port_ident": "1be26c0b-03f2-4d2e-ae87-c02d7f33c781",
        "portgroup_ident": "6eb02b44-18a3-4659-8c0b-8d2802581ae4",
        "chassis_ident": "e74c40e0-d825-11e2-a28f-0800200c9a66",
        "deploy_template_ident": "00000000-0000-4000-8000-000000000001",
        "allocation_ident": "00000000-0000-4000-8000-000000000002",
        "runbook_ident": "00000000-0000-4000-8000-000000000003",
        "volume_target_ident": "00000000-0000-4000-8000-000000000004",
        "volume_connector_ident": "00000000-0000-4000-8000-000000000005",
        "history_ident": "6f8a5d5c-0f2d-4b2c-a62a-a38e300e3f31",
        "conductor_ident": "test-conductor-node",
        "vif_ident": "ee21d58f-5de2-4956-85ff-33935ea1ca00",
        "driver_name": "no-such-driver",
        "bios_setting": "FAKE_SETTING",
        "trait": "CUSTOM_TRAIT1",
        # Filled with nothing in the tables either.
        "component": "component",
        "ind_ident": "magic_light",
        "lessee_history_ident": "6f8a5d5c-0f2d-4b2c-a62a-a38e300e3f31",
    },
    "project": {
        "node_ident": "00000000-0000-4000-8000-000000000010",
        "owner_node_ident": "1ab63b9e-66d7-4cd7-8618-dddd0f9f7881",
        "lessee_node_ident": "38d5abed-c585-4fce-a57e-a2ffc2a2ec6f",
        "allocated_node_ident": "38d5abed-c585-4fce-a57e-a2ffc2a2ec6f",
        "volume_target_ident": "00000000-0000-4000-8000-000000000011",
        "volume_connector_ident": "00000000-0000-4000-8000-000000000012",
        "lessee_port_ident": "00000000-0000-4000-8000-000000000013",
        "lessee_portgroup_ident": "00000000-0000-4000-8000-000000000014",
        "runbook_ident": "00000000-0000-4000-8000-000000000015",
        "owner_port_ident": "ebe30f19-358d-41e1-8d28-fd7357a0164c",
        "other_port_ident": "abfd8dbb-1732-449a-b760-2224035c6b99",
        "owner_portgroup_ident": "b16efcf3-2990-41a1-bc1d-5e2c16f3d5fc",
        "other_portgroup_ident": "5810f41c-6585-41fc-b9c9-a94f50d421b5",
        "owner_allocation": "00000000-0000-4000-8000-000000000016",
        "lessee_allocation": "00000000-0000-4000-8000-000000000017",
        "owned_history_ident": "00000000-0000-4000-8000-000000000018",
        "lessee_history_ident": "00000000-0000-4000-8000-000000000019",
        "vif_ident": "0e21d58f-5de2-4956-85ff-33935ea1ca01",
        "trait": "CUSTOM_MEOW",
        "ind_component": "component",
        "ind_ident": "magic_light",
        "driver_name": "no-such-driver",
    },
}


def person(headers):
    """Who sends these headers, as far as policies look at it."""
    headers = {name.lower(): value for name, value in headers.items()}
    who = {"roles": [r.strip() for r in headers.get("x-roles", "").split(",") if r.strip()]}
    for name, field in (("x-project-id", "project_id"), ("x-project-name", "project_name"),
                        ("openstack-system-scope", "system_scope")):
        if name in headers:
            who[field] = headers[name]
    return who


def label(who):
    """A short name for them: their strongest role and where they have it."""
    where = who.get("system_scope") and "system" or who.get("project_name")
    where = where or (who.get("project_id") or "nowhere")[:8]
    return f"{who['roles'][0]} of {where}" if who["roles"] else "nobody"


def filled(value, ids):
    """The value with the records' identifiers for the tables' placeholders."""
    if isinstance(value, dict):
        return {name: filled(member, ids) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(item, ids) for item in value]
    if isinstance(value, str):
        for name, ident in ids.items():
            value = value.replace("{%s}" % name, ident)
        # Both name a light of a component, the tables in a form that clients do not send.
        value = value.replace("/component/magic_light", "/magic_light@chassis")
        return "fake-hardware" if value in ("fake", "fake-driverz") else value
    return value


def shown(members):
    """Members of an answer; `null` for those that say no more than that they are kept back."""
    kept_back = lambda value: "redacted" in json.dumps(value).lower()
    return {name: None if kept_back(value) else value for name, value in members.items()}


def cases(table, world, legacy, people):
    made = []
    for entry in table.values():
        if not isinstance(entry, dict) or "path" not in entry or "skip_reason" in entry:
            continue
        who = person(entry.get("headers") or {})
        name = label(who)
        assert people.setdefault(name, who) == who, name
        ids = IDS[world]
        case = [name, entry["method"].upper(), filled(entry["path"], ids),
                filled(entry.get("body"), ids), entry["assert_status"]]
        if case[1] == "PUT" and "/indicators/" in case[2]:
            # The tables leave out what the light is to do.
            case[3] = {"state": "on"}
        more = {}
        if legacy and entry.get("deprecated"):
            more["legacy"] = True
        if "assert_list_length" in entry:
            more["lengths"] = entry["assert_list_length"]
        if "assert_dict_contains" in entry:
            more["shows"] = filled(shown(entry["assert_dict_contains"]), ids)
        if entry.get("self_manage_nodes") is False:
            more["own_nodes"] = False
        if entry.get("enable_service_project"):
            more["services"] = entry.get("service_project", "service")
        made.append(case + [more] if more else case)
    return made


def main():
    system, project, legacy = (yaml.safe_load(open(path)) for path in sys.argv[1:4])
    people = {}
    tables = {
        "system": cases(system, "system", False, people),
        "project": cases(project, "project", False, people),
        "legacy": cases(legacy, "system", True, people),
    }
    lines = ['{"people": {']
    lines.append(",\n".join(f"  {json.dumps(name)}: {json.dumps(who)}"
                            for name, who in people.items()))
    lines.append("}")
    for name, made in tables.items():
        lines.append(f', "{name}": [')
        lines.append(",\n".join("  " + json.dumps(case) for case in made))
        lines.append("]")
    print("\n".join(lines) + "}")


main()
