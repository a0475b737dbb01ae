#!/usr/bin/env python3
"""Writes copies of the broker's sources in which every mutant of mutants.txt is there to be chosen.

usage: weave.py SOURCE_ROOT OUT        the product's own sources stay as they are
       weave.py --files                the files that mutants change
A mutant whose text is not in its file exactly once is an error: the table follows the code.
"""
import sys
from collections import defaultdict
from pathlib import Path

from table import read

CHOSEN = """// Whether this broker was told to be the mutant `name`.
#pragma once
#include <cstdlib>
#include <cstring>
inline bool mutant_is(const char* name) {
  static const char* const chosen = std::getenv("SEALWIRE_MUTANT");
  return chosen != nullptr && std::strcmp(chosen, name) == 0;
}
"""


def flat(text):
    return " ".join(text.split())


def place(text, wanted):
    """Where `wanted` stands in `text`, whatever the line breaks; exactly once."""
    words = wanted.split()
    found = []
    at = text.find(words[0])
    while at >= 0:
        end = at
        for i, word in enumerate(words):
            start = end if i == 0 else end + len(text[end:]) - len(text[end:].lstrip())
            if not text.startswith(word, start):
                break
            end = start + len(word)
        else:
            found.append((at, end))
        at = text.find(words[0], at + 1)
    return found


def write(path, text):
    """Only what has changed, so that no more than that is compiled again."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    by_file = defaultdict(list)
    for mutant in read():
        by_file[mutant.file].append(mutant)
    if sys.argv[1:] == ["--files"]:
        print(";".join(sorted(by_file)))
        return 0
    root, out = map(Path, sys.argv[1:])
    problems = []
    for file, mutants in by_file.items():
        text = (root / file).read_text()
        for mutant in mutants:
            found = place(text, mutant.right)
            if len(found) != 1:
                problems.append(f"{mutant.name}: {len(found)} times in {file}: {flat(mutant.right)}")
                continue
            begin, end = found[0]
            text = text[:begin] + mutant.wrong.replace("MUTANT", f'mutant_is("{mutant.name}")') + text[end:]
        path = out / file
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, '#include "mutant_is.h"\n' + text)
    write(out / "mutant_is.h", CHOSEN)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
