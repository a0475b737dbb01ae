#!/usr/bin/env python3
"""Runs the conformance suite against every mutant: it must fail on each, in the cases aimed at it.

usage: mutants.py BUILD_DIR [--whole] [--table FILE] [NAME…]
--whole runs the whole suite on each, --table writes which cases caught which mutant.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "conformance" / "mutants")]

import broker  # noqa: E402
import table  # noqa: E402

# Cases that the good broker fails: no mutant is caught by them.
KNOWN = {line.split()[0] for line in (Path(__file__).resolve().parent / "expected-failures.txt").read_text().splitlines()
         if not line.startswith("#")}

HEAD = """# Mutants

Written by `tests/conformance/mutants.py --table`. Each is the broker with one line broken on purpose;
[`mutants.txt`](../../conformance/mutants/mutants.txt) has the lines. The suite must fail on every one.

| mutant | file | caught by |
|---|---|---|
"""


def hunt(programs, mutant, whole):
    """The names of the cases that failed on the mutant."""
    suite = programs / "sealwire-conformance"
    environment = dict(os.environ, SEALWIRE_MUTANT=mutant.name)
    with tempfile.TemporaryDirectory(prefix="sealwire-mutant-") as folder:
        target = broker.started(folder, programs / "sealwired-mutants", suite, environment)
        try:
            # The whole suite waits for clocks of 5 s: its patience is its own.
            only = [] if whole else ["--patience=2500", *(f"--only={case}" for case in mutant.cases)]
            report = Path(folder) / "report.json"
            run = subprocess.run(
                [suite, "run", *target.run_arguments(), *only, "--threads=4",
                 f"--json={report}"], capture_output=True, text=True, env=environment)
            if not report.exists():
                raise SystemExit(f"{mutant.name}: {run.stdout[-500:]}{run.stderr[-500:]}")
            cases = json.loads(report.read_text())["cases"]
            return [c["name"] for c in cases if c["verdict"] == "fail" and c["name"] not in KNOWN]
        finally:
            target.stop(patience=5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--table")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    programs = Path(options.build).resolve() / "bin"
    mutants = [m for m in table.read() if not options.names or m.name in options.names]

    rows, escaped = [], []
    with ThreadPoolExecutor(4) as pool:
        for mutant, failed in zip(mutants, pool.map(lambda m: hunt(programs, m, options.whole), mutants)):
            print(f"{'caught ' if failed else 'ESCAPED'} {mutant.name}  {' '.join(failed[:3])}", flush=True)
            if not failed:
                escaped.append(mutant.name)
                print(f"failed: the suite takes the mutant {mutant.name}")
            cases = sorted({name.split("@")[0] for name in failed})
            rows.append(f"| {mutant.name} | `{mutant.file}` | {', '.join(f'`{c}`' for c in cases[:4])} |\n")
    if options.table:
        Path(options.table).write_text(HEAD + "".join(rows))
    print(f"{len(mutants) - len(escaped)} passed, {len(escaped)} failed")
    return 1 if escaped or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
