"""A `sealwired` in a folder of its own, set up as the conformance suite needs it.

usage: broker.py FOLDER kill|drain|start    (what the suite's --control is given)
"""
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

MAILBOX_ENTRIES = 240
LIMITS = f"""mailbox_entries = {MAILBOX_ENTRIES}
calls = {{ per_second = 5000, burst = 20000 }}
handshakes = {{ per_second = 5000, burst = 20000 }}
"""


def free_port():
    """Below those that the system gives to connections: it must still be free after a restart."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def running(pid):
    """A zombie whose threads have all ended does not run."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


class Broker:
    def __init__(self, folder):
        self.folder = Path(folder)

    def create(self, program, admitted):
        """Ports are fixed, so that it comes back at the same place."""
        home = self.folder / "broker"
        subprocess.run([program, "init", home, f"--wss-port={free_port()}",
                        f"--zeromq-port={free_port()}", "--http-port=0"],
                       check=True, capture_output=True)
        config = home / "sealwired.toml"
        text = re.sub(r"(?m)^agents = \[\]", f'agents = ["{admitted}"]', config.read_text())
        config.write_text(text.replace("[limits]\n", "[limits]\n" + LIMITS))
        (self.folder / "program").write_text(str(program))
        return self

    def start(self, environment=None):
        program = (self.folder / "program").read_text()
        out = open(self.folder / "out", "w")
        log = open(self.folder / "log", "a")
        process = subprocess.Popen([program, "--config", self.folder / "broker" / "sealwired.toml"],
                                   stdout=out, stderr=log, start_new_session=True,
                                   env=environment)
        (self.folder / "pid").write_text(str(process.pid))
        deadline = time.monotonic() + 30
        while "ready" not in (self.folder / "out").read_text().split():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("sealwired did not start: " + (self.folder / "log").read_text()[-600:])
            time.sleep(0.02)
        return self

    def stop(self, how=signal.SIGTERM, patience=30):
        pid = int((self.folder / "pid").read_text())
        deadline = time.monotonic() + patience
        if running(pid):
            os.kill(pid, how)
        while running(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def told(self):
        """(endpoints, broker key) as the broker prints them."""
        text = (self.folder / "out").read_text()
        return (re.findall(r"(?m)^endpoint (\S+)$", text),
                re.search(r"(?m)^broker-key ([0-9a-f]{64})$", text)[1])

    def run_arguments(self):
        """What `sealwire-conformance run` is told of this broker."""
        endpoints, key = self.told()
        control = f"{sys.executable} {Path(__file__).resolve()} {self.folder}"
        return [f"--broker={e}" for e in endpoints] + [
            f"--broker-key={key}", f"--seed={self.folder / 'seed'}", f"--control={control}",
            f"--mailbox-entries={MAILBOX_ENTRIES}"]


def started(folder, program, suite, environment=None):
    """A broker that admits the suite's agent, running."""
    broker = Broker(folder)
    identity = subprocess.run([suite, "identity", broker.folder / "seed"], check=True,
                              capture_output=True, text=True).stdout.strip()
    return broker.create(program, identity).start(environment)


if __name__ == "__main__":
    target = Broker(sys.argv[1])
    if sys.argv[2] == "kill":
        target.stop(signal.SIGKILL)
        target.start()
    elif sys.argv[2] == "drain":
        target.stop()
    elif sys.argv[2] == "start":
        target.start()
    else:
        raise SystemExit(__doc__)
