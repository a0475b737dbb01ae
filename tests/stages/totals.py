#!/usr/bin/env python3
"""Sums up a ctest run by test cases.

usage: totals.py RESULTS IMPOSSIBLE

RESULTS holds ctest.xml (from ctest) and PROGRAM.xml (from each GoogleTest program). A program
without a report of its own counts as one case. A case may be skipped only if IMPOSSIBLE lists it.
"""
import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def impossible_names(path):
    lines = path.read_text().splitlines()
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def cases(report):
    """Yields (name, verdict) of a GoogleTest report."""
    for case in ET.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None:
            yield name, "failed"
        elif case.get("result") == "skipped":
            yield name, "skipped"
        elif case.get("status") == "run":
            yield name, "passed"
        else:
            yield name, "disabled"


def main(results, impossible_file):
    impossible = impossible_names(impossible_file)
    passed = failed = 0
    ctest = results / "ctest.xml"
    programs = ET.parse(ctest).getroot().iter("testcase") if ctest.exists() else []
    for program in programs:
        name, ran = program.get("name"), program.get("status") == "run"
        report = results / f"{name}.xml"
        verdicts = []
        if report.exists():
            try:
                verdicts = list(cases(report))
            except ET.ParseError:
                pass  # the program died while writing it
        program_failed = 0
        for case, verdict in verdicts:
            if verdict == "passed":
                passed += 1
            elif verdict == "skipped" and case in impossible:
                print(f"impossible: {case}")
            else:
                program_failed += 1
                print(f"{verdict}: {case} ({name})")
        if not verdicts and ran:
            passed += 1
        elif not ran and program_failed == 0:
            program_failed = 1
            print(f"failed: {name} (outside its cases: it crashed, timed out or is missing)")
        failed += program_failed
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
