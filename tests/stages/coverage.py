#!/usr/bin/env python3
"""Sums up llvm-cov's summary for protocol/ and broker/, and holds it to the floors.

usage: coverage.py SUMMARY
"""
import json
import sys
from pathlib import Path

FLOORS = {"lines": 90, "branches": 80}


def ratio(counts):
    covered, count = counts
    return 100 * covered / count if count else 100


def main(path):
    root = Path.cwd()
    failed = 0
    files = json.loads(path.read_text())["data"][0]["files"]
    for part in ("protocol", "broker"):
        totals = {measure: [0, 0] for measure in FLOORS}
        for entry in files:
            file = Path(entry["filename"]).resolve()
            if root / part not in file.parents or file.name == "main.cpp":
                continue
            shares = []
            for measure, total in totals.items():
                summary = entry["summary"][measure]
                total[0] += summary["covered"]
                total[1] += summary["count"]
                shares.append(f"{measure} {ratio((summary['covered'], summary['count'])):5.1f} %")
            print(f"{file.relative_to(root)!s:50} {'  '.join(shares)}")
        for measure, floor in FLOORS.items():
            share = ratio(totals[measure])
            held = totals[measure][1] > 0 and share >= floor
            failed += not held
            print(f"note: {part}: {share:.1f} % of {totals[measure][1]} {measure}"
                  f"{'' if held else f', below the floor of {floor} %'}")
    passed = 2 * len(FLOORS) - failed
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
