"""Reads mutants.txt: a name, and below it the file, the cases aimed at it, the right text and the wrong."""
from collections import namedtuple
from pathlib import Path

Mutant = namedtuple("Mutant", "name file cases right wrong")


def read(path=Path(__file__).with_name("mutants.txt")):
    mutants, fields, key = [], {}, None
    for line in [*path.read_text().splitlines(), "end"]:
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith(" "):
            if fields:
                mutants.append(Mutant(fields["name"], fields["file"], fields["cases"].split(),
                                      fields["right"], fields["wrong"]))
            fields = {"name": line.strip()}
        elif line.startswith("         "):  # goes on with the field above
            fields[key] += "\n" + line[9:]
        else:
            key, _, value = line[2:].partition(" ")
            fields[key] = value.lstrip()
    return mutants
