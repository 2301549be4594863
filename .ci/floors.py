"""Checks `use crate::…` and `crate::…` paths against the floor table of ARCHITECTURE.md.

usage: floors.py ARCHITECTURE.md SRC

A room (top-level module) may name itself and rooms on floors below its own. Tests may name
whatever they like. Rooms without a floor, and floors without a room, are errors.
"""
import pathlib
import re
import sys

table, src = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2])
floors = {m[2]: int(m[1]) for m in re.finditer(r"^\| *(\d+) *\| *`(\w+)`", table, re.M)}
free = set(re.findall(r"^\| *– *\| *`(\w+)`", table, re.M))
rooms = {p.stem if p.is_file() else p.name for p in src.iterdir()} - {"lib", "macros"}
problems = [f"room {r} has no floor in the table" for r in sorted(rooms - floors.keys() - free)]
problems += [f"the table has a room {r} that does not exist" for r in sorted((floors.keys() | free) - rooms)]

# What lib.rs re-exports at the crate's root.
root = {}
for room, names in re.findall(r"^pub use (\w+)::\{([^}]*)\};", (src / "lib.rs").read_text(), re.M | re.S):
    for name in re.findall(r"\w+", names):
        root[name] = room
for room, name in re.findall(r"^pub use (\w+)::(\w+);", (src / "lib.rs").read_text(), re.M):
    root[name] = room

# Modules that exist only in tests.
only_tests = {path.parent / f"{name}.rs" for path in src.rglob("*.rs")
              for name in re.findall(r"#\[cfg\(test\)\]\s*mod (\w+);", path.read_text())}

edges = set()
for path in sorted(src.rglob("*.rs")):
    room = path.relative_to(src).parts[0].removesuffix(".rs")
    if room in ("lib", "macros") or room in free or path in only_tests:
        continue
    text = path.read_text()
    # Unit tests stand at the end of a file.
    text = re.split(r"#\[cfg\(test\)\]\s*mod tests", text)[0]
    text = re.sub(r"//[^\n]*", "", text)
    named = set(re.findall(r"\bcrate::(\w+)", text))
    for group in re.findall(r"use crate::\{([^;]*)\};", text, re.S):
        named |= set(re.findall(r"(?:^|[,{])\s*(\w+)", group))
    for name in named:
        target = name if name in rooms else root.get(name)
        if target is None or target == room or target in free:
            continue
        edges.add((room, target))
        if floors.get(target, 99) >= floors.get(room, -1):
            problems.append(f"{path}: {room} (floor {floors.get(room)}) names {target} (floor {floors.get(target)})")
for problem in sorted(set(problems)):
    print(problem, file=sys.stderr)
print(f"floors: {len(floors)} rooms, {len(edges)} imports, all downwards" if not problems else f"{len(set(problems))} problems")
sys.exit(bool(problems))
