#!/usr/bin/env python3
"""The table of attacks in docs/SECURITY.md, made of tests/security/attacks.txt and the tests.

usage: table.py [--write]   without --write: fails where the page is stale or a line lacks tests
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/SECURITY.md"
BEGIN, END = "<!-- attacks: made by tests/security/table.py -->", "<!-- end of attacks -->"
VARIANTS = 3
HOMES = {"sdk": "agent", "bridges": "bridge", "telegram": "bridge", "adapters": "ws"}  # the first that fits
CHECK = re.compile(r'check\(f?"Atk(\d\d)([a-z]): ')  # of Python
TEST = re.compile(r"\bTEST(?:_[FP])?\(\s*(\w+),\s*Atk(\d\d)([a-z])_(\w+)\)")


def transports(text):
    """For each suite of a source file, the transports on which its tests run."""
    all_of_them = re.findall(r'"(\w+)"', re.search(
        r"kTransports\{([^}]*)\}", (ROOT / "tests/security/attack.h").read_text())[1])
    found = {suite: all_of_them for suite in re.findall(r"SEALWIRE_ATTACKS\((\w+)\)", text)}
    for suite, values in re.findall(
            r"INSTANTIATE_TEST_SUITE_P\(\s*\w+,\s*(\w+),\s*(.*?),\s*\[\]", text, re.S):
        found[suite] = re.findall(r'"(\w+)"', values) or all_of_them
    return found


def home(file):
    """Where tests run that do not name their transports."""
    return [next((where for part, where in HOMES.items() if part in file.parts), "library")]


def tests():
    """attack -> [(variant, file, transports)]"""
    found = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("*_test.cpp")):
        text = file.read_text()
        on = transports(text)
        for suite, number, variant, _ in TEST.findall(text):
            where = on.get(suite, home(file))
            found[f"ATK-{number}"].append((variant, file.relative_to(ROOT), where))
    for file in sorted((ROOT / "tests").glob("*/*.py")):
        for number, variant in CHECK.findall(file.read_text()):
            found[f"ATK-{number}"].append((variant, file.relative_to(ROOT), home(file)))
    return found


def table():
    """The table, and what is missing of it."""
    problems, chapters, seen = [], defaultdict(list), tests()
    for line in (ROOT / "tests/security/attacks.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        attack, chapter, what, defence = (part.strip() for part in line.split("|"))
        mine = seen.pop(attack, [])
        if len(mine) < VARIANTS:
            problems.append(f"{attack} has {len(mine)} tests, not {VARIANTS}")
        letters = sorted(variant for variant, _, _ in mine)
        if len(set(letters)) != len(letters):
            problems.append(f"{attack}: a letter is used twice: {''.join(letters)}")
        on = sorted({transport for _, _, where in mine for transport in where})
        files = sorted({file.name for _, file, _ in mine})
        chapters[chapter].append(
            f"| {attack} | {what} | {defence} | {len(mine)} | {', '.join(on)} "
            f"| {', '.join(f'`{name}`' for name in files)} |")
    problems += [f"{attack} is tested and not listed" for attack in sorted(seen)]
    lines = []
    for chapter, rows in chapters.items():
        lines += ["", f"### {chapter}", "", "| attack | what is tried | what stops it | variants | on | in |",
                  "|---|---|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n", problems


def main():
    made, problems = table()
    page = PAGE.read_text()
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        problems.append(f"{PAGE.relative_to(ROOT)} has no place for the table")
    wanted = f"{before}{BEGIN}\n{made}\n{END}{after}"
    if sys.argv[1:] == ["--write"] and found:
        PAGE.write_text(wanted)
    elif page != wanted:
        problems.append("docs/SECURITY.md is stale: run tests/security/table.py --write")
    for problem in problems:
        print("failed:", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
