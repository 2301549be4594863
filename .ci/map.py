"""Checks the tables of ARCHITECTURE.md that map the original's conductor to this one.

usage: map.py ARCHITECTURE.md SURFACE.json

Every conductor method and every periodic task of the original has a row, once, that says
something; every file that these tables, or CONTRIBUTING.md's page "Where is …?", name exists.
"""
import json
import pathlib
import re
import sys

page, surface = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
root = page.parent
section = page.read_text().split("## From the original to here", 1)[1].split("\n## ", 1)[0]
rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", section, re.M)
names = [name for name, _ in rows]
wanted = list(surface["conductor_rpc"]["methods"]) + [task["name"] for task in surface["periodic_tasks"]]
problems = [f"{name} has no row" for name in wanted if name not in names]
problems += [f"{name} is not of the original" for name in names if name not in wanted]
problems += [f"{name} has {names.count(name)} rows" for name in sorted(set(names)) if names.count(name) > 1]
where = (root / "CONTRIBUTING.md").read_text().split("## Where is", 1)[1]
for text in (section, where):
    for path in re.findall(r"`((?:ironic-|examples/|benches/)[\w./-]+)`", text):
        if not (root / path).exists():
            problems.append(f"{path} does not exist")
for problem in problems:
    print(problem, file=sys.stderr)
print(f"map: {len(rows)} rows, every one of the original's" if not problems else f"{len(problems)} problems")
sys.exit(bool(problems))
