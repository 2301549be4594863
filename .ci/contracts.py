"""Fails when a public trait of a crate has no `# Contract`, or one that names what does not exist.

usage: contracts.py SRC

A contract says by whom it is checked: a suite (`store_conformance!`, …) or none. Names of cases in
it, such as `keys_swap_within_a_batch`, have to be names of functions in SRC/testing.
"""
import pathlib
import re
import sys

src = pathlib.Path(sys.argv[1])
TRAIT = re.compile(r"((?:[ \t]*(?:///|#\[)[^\n]*\n)*)[ \t]*pub (?:unsafe )?trait (\w+)")
suites = set(re.findall(r"macro_rules! (\w+_conformance)", "".join(
    path.read_text() for path in (src / "testing").rglob("*.rs"))))
rooms = {path.stem for path in (src / "testing").rglob("*.rs")}
cases = {name for path in (src / "testing").rglob("*.rs")
         for name in re.findall(r"\bfn (\w+)", path.read_text())}

problems, seen = [], 0
for path in sorted(src.rglob("*.rs")):
    for head, name in TRAIT.findall(path.read_text()):
        seen += 1
        lines = [line.strip()[3:].removeprefix(" ") for line in head.splitlines() if line.strip().startswith("///")]
        where = f"{path}: {name}"
        if "# Contract" not in lines:
            problems.append(f"{where} has no `# Contract`")
            continue
        contract = "\n".join(lines[lines.index("# Contract") + 1:])
        if "testing" in path.parts:
            continue
        checked = re.search(r"\*\*Checked by\*\*(.*?)\n\n", contract + "\n\n", re.S)
        if not checked:
            problems.append(f"{where}: its contract does not say by what it is checked")
            continue
        if "no suite" not in checked[1] and not re.search(r"`\w+_conformance!`", checked[1]):
            problems.append(f"{where} is checked by nothing, and does not say so")
        named = re.sub(r"feature `\w+`", "", checked[1])
        for word in re.findall(r"`(\w+)!?`", named):
            if word not in suites | rooms | cases:
                problems.append(f"{where} is said to be checked by `{word}`, which does not exist")
        if "```" not in contract:
            problems.append(f"{where}: its contract has no example")
for problem in problems:
    print(problem, file=sys.stderr)
if not seen:
    sys.exit("no public traits found")
print(f"contracts: {seen} public traits" if not problems else f"{len(problems)} problems")
sys.exit(bool(problems))
