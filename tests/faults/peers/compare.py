"""The same fault, the same load, several brokers: what was confirmed and is lost?

compare.py BUILD_DIR ROUNDS kill|power [SEED]: a publisher sends numbered messages of 1 KiB and notes which are confirmed;
the broker is killed (SIGKILL), or the power of its file system is cut, at a moment that nobody chose; after each
restart a consumer takes all there is. Every broker runs with the durability that its documents offer for this: see brokers.py.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from brokers import BROKERS

POWER = str(Path(__file__).resolve().parent.parent / "power")


class Disk:
    """A folder for the broker; with power, on an ext4 of its own in a loop device."""

    def __init__(self, power):
        self.base = Path(tempfile.mkdtemp())
        self.power = power
        self.at = self.base / "at"
        self.at.mkdir()
        if power:
            image = self.base / "image"
            self.env = os.environ | {"POWER_AT": str(self.at), "POWER_IMAGE": str(image)}
            subprocess.run(["truncate", "-s", "512M", image], check=True)
            subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", image], check=True)
            subprocess.run(["mount", "-o", "loop", image, self.at], check=True)

    def cut(self):
        if self.power:
            subprocess.run([POWER, "ext4", "cut"], env=self.env, check=True)

    def restore(self):
        if self.power:
            subprocess.run([POWER, "ext4", "restore"], env=self.env, check=True)

    def close(self):
        if self.power:
            subprocess.run(["umount", self.at], check=False)
        shutil.rmtree(self.base, ignore_errors=True)


def stop(process, freeze, cut):
    """The end of a process group, at once; what it would still say is not heard."""
    if freeze:
        os.killpg(process.pid, signal.SIGSTOP)
    cut()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def trial(kind, build, rounds, power, dice):
    disk = Disk(power)
    broker = kind(build, disk.at)
    confirmed, received, again = set(), set(), 0
    number = 0
    try:
        for turn in range(rounds + 1):
            process = broker.start()
            if turn == 0:
                broker.prepare()
                os.sync()  # what an operator set up is there; the trial is of messages
            for text in broker.drain():
                again += text in received
                received.add(text)
            if turn == rounds:
                broker.end()
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
                break
            over = threading.Event()
            mine = set()
            publisher = threading.Thread(target=broker.publish, args=(number, mine, over))
            publisher.start()
            time.sleep(0.05 + dice.random() * 0.4)
            told = set(mine)  # whatever is confirmed later is not counted
            stop(process, power, disk.cut)
            over.set()
            publisher.join()
            broker.end()
            disk.restore()
            confirmed |= told
            number += 1_000_000
    finally:
        disk.close()
    return len(confirmed), len(confirmed - received), again


def main():
    build, rounds, fault = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    for name, kind in BROKERS.items():
        dice = random.Random(seed)
        confirmed, lost, again = trial(kind, Path(build).resolve(), rounds, fault == "power", dice)
        print(f"note: {fault}, {rounds} rounds, {name}: {confirmed} confirmed, {lost} of them lost, "
              f"{again} delivered again", flush=True)


main()
