"""A `sealwired` of the build under test, in a folder of its own, on ports of its own choice."""

import re
import subprocess
import tempfile
from pathlib import Path

from identity import Agent


class Broker:
    """Runs from enter to exit. It has `uri`, `key`, and a `first_agent` that needs no invite."""

    def __init__(self, build):
        self._program = Path(build) / "bin" / "sealwired"
        self._folder = tempfile.TemporaryDirectory(prefix="sealwire-interop-")
        self.first_agent = Agent()

    def __enter__(self):
        folder = Path(self._folder.name) / "broker"
        subprocess.run([self._program, "init", folder, "--wss-port=0", "--zeromq-port=0",
                        "--http-port=0"], check=True, capture_output=True)
        config = folder / "sealwired.toml"
        config.write_text(re.sub(r"(?m)^agents = \[\]", f'agents = ["{self.first_agent.text}"]',
                                 config.read_text()))
        self._log = open(folder / "log", "w+")
        self._process = subprocess.Popen([self._program, "--config", config], text=True,
                                         stdout=subprocess.PIPE, stderr=self._log)
        told = []
        for line in self._process.stdout:
            told.append(line)
            if line.strip() == "ready":
                break
        else:
            raise RuntimeError("sealwired did not start\n" + self.log_tail())
        self.uri = re.search(r"wss://[^\s]+", "".join(told))[0]
        self.key = bytes.fromhex(re.search(r"(?m)^(?:broker-)?key\S*\s+([0-9a-f]{64})$",
                                           "".join(told))[1])
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()
        self._folder.cleanup()

    def log_tail(self):
        self._log.seek(0)
        return "".join(self._log.readlines()[-40:])
