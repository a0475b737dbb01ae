#!/usr/bin/env python3
"""Runs the conformance suite against the sealwired of a build.

usage: run.py BUILD_DIR [sealwire-conformance's options]
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import broker


def main():
    programs = Path(sys.argv[1]).resolve() / "bin"
    suite = programs / "sealwire-conformance"
    with tempfile.TemporaryDirectory(prefix="sealwire-conformance-") as folder:
        target = broker.started(folder, programs / "sealwired", suite)
        try:
            return subprocess.run([suite, "run", *target.run_arguments(), *sys.argv[2:]]).returncode
        finally:
            target.stop()


if __name__ == "__main__":
    sys.exit(main())
