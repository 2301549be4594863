"""Fails when a Rust file has more than 800 lines."""
import pathlib
import subprocess
import sys

LIMIT = 800
files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.rs"],
                       capture_output=True, text=True, check=True).stdout.split()
counts = sorted((len(pathlib.Path(f).read_text().splitlines()), f) for f in files if pathlib.Path(f).exists())
long = [(n, f) for n, f in counts if n > LIMIT]
for n, f in long:
    print(f"{f}: {n} lines, {LIMIT} at most", file=sys.stderr)
if not counts:
    sys.exit("no Rust files found")
print(f"sizes: {len(counts)} files, median {counts[len(counts) // 2][0]} lines, longest {counts[-1][0]} ({counts[-1][1]})")
sys.exit(bool(long))
