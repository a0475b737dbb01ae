#!/usr/bin/env python3
"""Checks who includes whom: the layers of the tree, and heavy headers kept where they are used.

usage: layers.py ROOT
"""
import re
import sys

from tree import report

# What the files below a folder may include of ours; the longest folder counts. Folders that are not
# here (tests, examples) may include anything.
MAY = {
    "protocol/": ("protocol/",),
    "adapters/channels/": ("protocol/", "adapters/channels/", "adapters/files/"),
    "adapters/files/": ("protocol/", "adapters/files/"),
    "adapters/cage/": ("protocol/error.h", "adapters/cage/"),
    "adapters/bridges/": ("protocol/", "adapters/", "sdk/", "sealwire/"),
    "broker/": ("protocol/", "adapters/channels/", "adapters/files/", "adapters/cage/", "broker/"),
    "sdk/": ("protocol/", "adapters/channels/", "adapters/files/", "sdk/", "sealwire/"),
    "sdk/cli/": ("protocol/", "adapters/", "sdk/", "sealwire/"),  # it runs bridges too
    "sdk/cpp/include/": ("sealwire/", "protocol/error.h"),  # all that is installed
    "conformance/": ("conformance/",),
}
OURS = ("protocol/", "adapters/", "broker/", "sdk/", "sealwire/", "conformance/", "tests/")
HEAVY = re.compile(r"(boost|websocketpp|CLI|toml\+\+)[/.]|(toml|sqlite3)\.hpp")
# protocol/ is sans-I/O: these reach for a clock, a thread, a socket or a file.
IMPURE = {"chrono", "thread", "mutex", "condition_variable", "future", "random", "fstream",
          "filesystem", "iostream", "unistd.h", "sys/socket.h", "pthread.h", "ctime", "time.h"}


def includes(tree):
    for name in tree.files:
        if name.endswith((".h", ".cpp")):
            for line, text in enumerate(tree.text(name).splitlines(), 1):
                match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', text)
                if match:
                    yield name, line, match[2], match[1] == '"'


def layers(tree):
    """A folder includes only what it may."""
    for name, line, included, _ in includes(tree):
        folder = max((f for f in MAY if name.startswith(f)), key=len, default=None)
        if folder is None or not included.startswith(OURS):
            continue
        # The published schema is for everybody.
        if included.endswith("_generated.h") and included.startswith("protocol/schema/"):
            continue
        if not included.startswith(MAY[folder]):
            yield f"{name}:{line}: {folder} may not include {included}"


def from_the_root(tree):
    """Files of ours are included by their path from the tree's root; what `adapter new` copies stands alone."""
    for name, line, included, quoted in includes(tree):
        if not name.startswith("adapters/bridges/hello/") and quoted and not included.startswith(OURS):
            yield f"{name}:{line}: {included} is not named from the root"


def heavy_headers(tree):
    """Headers that reach a heavy one stay within their folder: all others are cheap to include."""
    everything = list(includes(tree))
    heavy = {name for name, _, included, _ in everything
             if name.endswith(".h") and HEAVY.match(included)}
    grown = True
    while grown:
        more = {name for name, _, included, _ in everything
                if name.endswith(".h") and included in heavy} - heavy
        heavy, grown = heavy | more, bool(more)
    for name, line, included, _ in everything:
        if included in heavy and name.rsplit("/", 1)[0] != included.rsplit("/", 1)[0]:
            yield f"{name}:{line}: {included} brings a heavy header along"


def sans_io(tree):
    """protocol/ gets bytes, time and randomness as arguments."""
    for name, line, included, _ in includes(tree):
        if name.startswith("protocol/") and included in IMPURE:
            yield f"{name}:{line}: <{included}> in protocol/"


if __name__ == "__main__":
    sys.exit(report([layers, from_the_root, heavy_headers, sans_io], sys.argv[1]))
