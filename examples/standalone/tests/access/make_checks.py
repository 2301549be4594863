#!/usr/bin/env python3
"""Makes checks.json: checks at random, and whether oslo.policy lets somebody through by each.

Usage: make_checks.py > checks.json, with oslo.policy installed. A case is
[check, who, node, holds]: the check as a text or as lists of texts; what is known of who asks;
owner and lessee of the node, where set.
"""
import json
import random

from oslo_policy import _parser

RULES = {
    "admin_api": "role:admin or role:administrator",
    "is_node_owner": "project_id:%(node.owner)s",
    "is_node_lessee": "project_id:%(node.lessee)s",
}
SINGLE = [
    "@", "!", "role:admin", "role:Member", "role:%(node.owner)s", "role:x%%", "rule:admin_api",
    "rule:is_node_owner", "rule:is_node_lessee", "project_id:%(node.owner)s",
    "project_id:%(node.lessee)s", "project_id:p1", "project_id:None", "system_scope:all",
    "user_id:%(user_id)s", "project_id:%(project_id)s", "project_id:%(nosuch)s", "nosuch:x",
    "roles:admin", "roles:member", "'p1':%(node.owner)s", "\"p1\":%(node.lessee)s", "None:None",
    "True:True", "False:True", "5:5", "-5:-5", "project_id:p%(node.owner)s",
    "is_admin_project:True", "project_name:a:b", "domain_id:None",
]
FIELDS = ["user_id", "user_domain_id", "project_id", "project_name", "project_domain_id",
          "domain_id", "system_scope"]


class Enforcer:
    rules = {name: _parser.parse_rule(text) for name, text in RULES.items()}


def check(chance, deep):
    kind = chance.random()
    if deep <= 0 or kind < 0.3:
        return chance.choice(SINGLE)
    if kind < 0.45:
        return "not " + grouped(chance, deep)
    word = chance.choice([" and ", " or ", " AND ", " Or "])
    parts = [chance.choice([check, grouped])(chance, deep - 1)
             for _ in range(chance.randint(2, 3))]
    return word.join(parts)


def grouped(chance, deep):
    space = chance.choice(["", " "])
    return f"({space}{check(chance, deep - 1)}{space})"


def main():
    chance = random.Random(20260)
    cases = []
    while len(cases) < 1000:
        if chance.random() < 0.1:
            text = [[chance.choice(SINGLE) for _ in range(chance.randint(0, 2))]
                    for _ in range(chance.randint(0, 3))]
        else:
            text = check(chance, 3)
        who = {"roles": chance.sample(["admin", "MEMBER", "p1", "x%"], chance.randint(0, 2))}
        for field in FIELDS:
            if chance.random() < 0.5:
                who[field] = "all" if field == "system_scope" else chance.choice(["p1", "p2"])
        node = {field: chance.choice(["p1", "p2"])
                for field in ("owner", "lessee") if chance.random() < 0.6}
        # What is not set is None among credentials, and is not there in the target.
        creds = {field: None for field in FIELDS} | who | {"is_admin_project": True}
        target = {field: value for field, value in who.items() if field != "roles"}
        target |= {f"node.{field}": value for field, value in node.items()}
        holds = bool(_parser.parse_rule(text)(target, creds, Enforcer()))
        cases.append([text, who, node, holds])
    print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")


main()
