#!/usr/bin/env python3
"""The malicious page of conformance/exploits against the sealwired of a build, which names one
harmless origin; afterwards the broker must still serve.

usage: page.py BUILD_DIR
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import broker

ROOT = Path(__file__).resolve().parents[2]


def main():
    programs = Path(sys.argv[1]).resolve() / "bin"
    suite = programs / "sealwire-conformance"
    with tempfile.TemporaryDirectory(prefix="sealwire-page-") as folder:
        port = broker.free_port()
        identity = subprocess.run([suite, "identity", Path(folder) / "seed"], check=True,
                                  capture_output=True, text=True).stdout.strip()
        target = broker.Broker(folder).create(programs / "sealwired", identity)
        config = target.folder / "broker" / "sealwired.toml"
        text = config.read_text()
        if "# origins = " not in text:
            raise SystemExit("sealwired.toml shows no place for origins")
        lines = [f'origins = "http://127.0.0.1:{port}"' if line.startswith("# origins = ") else line
                 for line in text.splitlines()]
        config.write_text("\n".join(lines) + "\n")
        target.start()
        try:
            endpoint = next(e for e in target.told()[0] if e.startswith("wss:"))
            page = subprocess.run([ROOT / "conformance/exploits/page.py", endpoint, "--listed",
                                   f"--port={port}"], text=True, stdout=subprocess.PIPE)
            serves = subprocess.run([suite, "run", *target.run_arguments(), "--only=SES-015.ready"],
                                    stdout=subprocess.DEVNULL).returncode == 0
            print("pass  the broker serves afterwards" if serves else
                  "failed: the broker does not serve afterwards")
            print(page.stdout, end="")
            return page.returncode or not serves
        finally:
            target.stop()


if __name__ == "__main__":
    sys.exit(main())
