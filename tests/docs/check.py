#!/usr/bin/env python3
"""Checks that what the documents name exists.

usage: check.py ROOT
"""
import fnmatch
import re
import sys
from pathlib import PurePosixPath

from markdown import anchors, commands, links, spans, split
from tree import report

SPEC = "protocol/SPEC.md"
ID = re.compile(r"\b([A-Z][A-Z0-9]{2})-\d{3}\b(?![-\d])")
NOT_IDS = {"SHA", "AES", "ISO"}
PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*|.*[<>…].*|\.\.\.")


def normal(path):
    """`a/b/../c` as `a/c`; None above the root."""
    parts = []
    for part in PurePosixPath(path).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def braces(text):
    """`a.{h,cpp}` as `a.h` and `a.cpp`."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", text)
    if not match:
        return [text]
    return [whole for choice in match[1].split(",")
            for whole in braces(text[:match.start()] + choice.strip() + text[match.end():])]


def paths(tree):
    """A path in backticks exists, from the root or from the document's folder."""
    tops = {name.split("/")[0] for name in tree.files}
    names = {name.rsplit("/", 1)[-1] for name in tree.files}
    for doc in tree.documents():
        for line, span in spans(split(tree.text(doc))[1]):
            span = span.split()[0] if span.startswith("./") else span
            span = re.sub(r":\d+$", "", span)
            if not re.fullmatch(r"[\w.{},*/\[\]+-]+", span) or "_generated." in span:
                continue
            for path in braces(span):
                first = path.removeprefix("./").split("/")[0]
                if "/" in path and (first in tops or path.startswith("./")):
                    wanted = [normal(path), normal(f"{PurePosixPath(doc).parent}/{path}")]
                    if not any(fnmatch.filter(tree.paths, w) for w in wanted if w):
                        yield f"{doc}:{line}: there is no {path}"
                elif "/" not in path and re.fullmatch(r"\w[\w.-]*\.(md|cpp|h|fbs|cmake)", path):
                    if path not in names:
                        yield f"{doc}:{line}: no file is called {path}"


def relative_links(tree):
    """A link inside the tree leads to a file, and its anchor to a heading."""
    for doc in tree.documents():
        for line, target in links(split(tree.text(doc))[1]):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = normal(f"{PurePosixPath(doc).parent}/{path}") if path else doc
            if file not in tree.paths:
                yield f"{doc}:{line}: the link {target} leads nowhere"
            elif anchor and file.endswith(".md") and anchor not in anchors(tree.text(file)):
                yield f"{doc}:{line}: {file} has no heading #{anchor}"


def quoted_files(tree):
    """A block below `<!-- file: PATH -->` is that file, to the byte."""
    for doc in tree.documents():
        for block in split(tree.text(doc))[0]:
            if block.quotes and block.quotes not in tree.paths:
                yield f"{doc}:{block.line}: there is no {block.quotes}"
            elif block.quotes and tree.text(block.quotes) != block.text:
                yield f"{doc}:{block.line}: differs from {block.quotes}"


def requirements(tree):
    """An id is defined once, in SPEC.md, by one sentence with one MUST; no other is named."""
    defined = {}
    for line, text in enumerate(tree.text(SPEC).splitlines(), 1):
        match = re.match(r"\s*(?:[-*]\s+)?\*\*(" + ID.pattern + r")\*\*(.*)", text)
        if not match:
            continue
        if match[1] in defined:
            yield f"{SPEC}:{line}: {match[1]} is defined twice"
        defined[match[1]] = line
        if len(re.findall(r"\bMUST\b", match[3])) != 1:
            yield f"{SPEC}:{line}: {match[1]} has not exactly one MUST"
    if not defined:
        yield f"{SPEC} defines no requirement"
    for name in tree.documents() + tree.sources():
        for line, text in enumerate(tree.text(name).splitlines(), 1):
            for match in ID.finditer(text):
                if match[0] not in defined and match[1] not in NOT_IDS:
                    yield f"{name}:{line}: {match[0]} is not in {SPEC}"


def error_codes(tree):
    """The table of codes in SPEC.md is the enum of the schema."""
    schema = re.search(r"enum Code[^{]*\{(.*?)\}", tree.text("protocol/schema/frame.fbs"), re.S)
    chapter = re.search(r"^## ERR\b.*?(?=^## |\Z)", tree.text(SPEC), re.S | re.M)
    if not schema or not chapter:
        yield "no enum Code in frame.fbs, or no chapter ERR in SPEC.md"
        return
    coded = set(re.findall(r"(\w+) = (\d+)", schema[1]))
    told = set(re.findall(r"^\| (\w+) \| (\d+) \|", chapter[0], re.M))
    for name, value in sorted(coded ^ told, key=lambda pair: int(pair[1])):
        where = "frame.fbs only" if (name, value) in coded else "SPEC.md only"
        yield f"{name} = {value} is in {where}"


def labels(tree):
    """SPEC.md lists the context labels of the code, and no two uses share one."""
    code = re.findall(r'= "(sealwire/0 [^"]+)"', tree.text("protocol/statement.h"))
    told = set(re.findall(r"`(sealwire/0 [^`]+)`", tree.text(SPEC)))
    for label in sorted(set(code) ^ told):
        yield f"`{label}` is in {'statement.h' if label in code else 'SPEC.md'} only"
    for label in sorted({label for label in code if code.count(label) > 1}):
        yield f"`{label}` has two uses in statement.h"


def functions(tree):
    """A function in backticks, `name()`, is declared somewhere."""
    code = "\n".join(tree.text(name) for name in tree.sources())
    for doc in tree.documents():
        for line, span in spans(split(tree.text(doc))[1]):
            match = re.fullmatch(r"(?:[\w:.]*(?:::|\.))?~?(\w+)\(\)", span)
            if match and not re.search(r"\b" + match[1] + r"\s*\(", code):
                yield f"{doc}:{line}: nothing is called {span}"


def command_lines(tree):
    """Commands of ours that the documents show have the stages, subcommands and flags shown."""
    def texts(*under):
        return "\n".join(tree.text(name) for name in tree.sources(*under))
    programs = {"./test": tree.text("test"), "./run": tree.text("run") + texts("sdk/cli/"),
                "sealwire": texts("sdk/cli/"), "sealwired": texts("broker/")}
    everything = texts()
    stages = {n.rsplit("/", 1)[-1] for n in tree.files if n.startswith("tests/stages/")}
    tests = re.findall(r"sealwire_test\(\s*(\w+)", everything)
    for doc in tree.documents():
        for line, command in commands(tree.text(doc)):
            words = re.split(r"\s+", re.split(r"\s[|#>&;]|\s\\$", " " + command)[0].strip())
            program = words[0] if words[0].startswith("./") else words[0].rsplit("/", 1)[-1]
            if re.fullmatch(r"--[a-z][a-z-]+(=\S*)?", words[0]):
                program, source = words[0], everything
            elif program in programs:
                source = programs[program]
            else:
                continue
            for word in words:
                flag = re.fullmatch(r"(--[a-z][a-z-]*|-[A-Za-z])(=.*)?", word)
                if flag and not re.search(r"(?<![\w-])" + flag[1] + r"(?![\w-])", source):
                    yield f"{doc}:{line}: {program} has no {flag[1]}"
            if program == "./test":
                for word in words[1:]:
                    if (re.match(r"\w", word) and not PLACEHOLDER.fullmatch(word)
                            and word not in stages and not any(word in test for test in tests)):
                        yield f"{doc}:{line}: ./test knows no {word}"
            if program == "sealwire":
                # What stands before the command's name is common to all commands.
                rest = re.sub(r"^(((-c|--home) \S+|--json) )*", "", " ".join(words[1:])).split()
                if rest and re.fullmatch(r"[a-z]+", rest[0]) and f'"{rest[0]}"' not in source:
                    yield f"{doc}:{line}: sealwire has no command {rest[0]}"


CHECKS = [paths, relative_links, quoted_files, requirements, error_codes, labels, functions,
          command_lines]

if __name__ == "__main__":
    sys.exit(report(CHECKS, sys.argv[1]))
