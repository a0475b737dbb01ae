#!/usr/bin/env python3
"""The suite through WebSocket implementations of other people: `ws` of npm, `websockets` of Python.

Each relays between the suite and a broker, as server of the one and client of the other. That the
RFC 6455 cases pass against them too shows that they say what the RFC says, and not what our broker's
library does; that sessions pass shows that our broker serves them.

usage: peers.py BUILD_DIR
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import broker

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CASES = ["rfc6455", "SES-015", "SES-022", "DLV-003", "DLV-009", "DLV-022", "FRM-001.after-proof"]
PYTHON = "/usr/bin/python3"  # Debian's, for which its python3-websockets is


def relays():
    """name -> the command of a relay, or why there is none."""
    ws = ROOT / "sdk/typescript/node_modules/ws/wrapper.mjs"
    yield "ws", ["node", HERE / "peers/relay.mjs", ws] if ws.exists() else None
    there = subprocess.run([PYTHON, "-c", "import websockets"], capture_output=True).returncode == 0
    yield "websockets", [PYTHON, HERE / "peers/relay.py"] if there else None


def main():
    programs = Path(sys.argv[1]).resolve() / "bin"
    suite = programs / "sealwire-conformance"
    bad = 0
    with tempfile.TemporaryDirectory(prefix="sealwire-peers-") as folder:
        target = broker.started(folder, programs / "sealwired", suite)
        endpoints, key = target.told()
        upstream = next(e for e in endpoints if e.startswith("wss:"))
        try:
            for name, command in relays():
                if command is None:
                    print(f"NOT CHECKED: the peer {name} is not installed")
                    bad += os.environ.get("CI") == "true"
                    continue
                relay = subprocess.Popen([*command, upstream], stdout=subprocess.PIPE, text=True)
                try:
                    near = relay.stdout.readline().strip()
                    print(f"== {name} at {near}", flush=True)
                    bad += subprocess.run(
                        [suite, "run", f"--broker={near}", f"--broker-key={key}",
                         f"--seed={Path(folder) / 'seed'}", *(f"--only={c}" for c in CASES),
                         f"--expected-failures={HERE / f'peers/{name}.txt'}"]).returncode
                finally:
                    relay.kill()
                    relay.wait()
        finally:
            target.stop()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
