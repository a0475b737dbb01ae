#!/usr/bin/env python3
"""Agents and MQTT clients through broker, host, the caged bridge `mqtt`, its tunnel with TLS, and Debian's mosquitto.

run.py BUILD_DIR: each line is a check; the last one counts.
"""
import atexit
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

build = sys.argv[1]
cli = os.path.join(build, "bin", "sealwire")
os.environ["SEALWIRE_BRIDGES"] = os.path.join(os.getcwd(), "adapters", "bridges")
mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
passed = failed = 0


def check(name, condition, detail=""):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    print(f"ok {name}" if condition else f"failed: {name} {detail}", flush=True)


def start(*command, **more):
    child = subprocess.Popen(command, text=True, **more)
    atexit.register(child.kill)
    return child


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """An MQTT client of somebody else's."""

    def __init__(self, port):
        self.came, self.receipts = queue.Queue(), queue.Queue()
        self.client = paho.Client("world", protocol=paho.MQTTv5)
        self.client.on_message = lambda _c, _u, message: self.came.put(message)
        self.client.on_connect = lambda client, *_: client.subscribe("t/+/out", qos=1)
        up = threading.Event()
        self.client.on_subscribe = lambda *_: up.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        up.wait(10)

    def publish(self, chat, payload, **properties):
        given = Properties(PacketTypes.PUBLISH)
        given.UserProperty = list(properties.items())
        self.client.publish(f"t/{chat}/in", payload, qos=1, properties=given).wait_for_publish(20)

    def next(self, patience=30):
        try:
            return self.came.get(timeout=patience)
        except queue.Empty:
            return None


with tempfile.TemporaryDirectory() as work:
    os.chmod(work, 0o755)  # mosquitto gives up superuser's rights

    def path(name):
        return os.path.join(work, name)

    subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", path("key"), "-out",
                    path("cert"), "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, stderr=subprocess.DEVNULL)
    for name in ("key", "cert"):
        os.chmod(path(name), 0o644)
    port, secure = free_port(), free_port()
    os.mkdir(path("store"))
    os.chmod(path("store"), 0o777)
    with open(path("conf"), "w", encoding="utf-8") as file:
        file.write(f"persistence true\npersistence_location {path('store')}/\nautosave_interval 1\n"
                   f"autosave_on_changes true\nallow_anonymous true\nlistener {port} 127.0.0.1\n"
                   f"listener {secure} 127.0.0.1\ncertfile {path('cert')}\nkeyfile {path('key')}\n")

    def start_mosquitto():
        child = start(mosquitto, "-c", path("conf"), stderr=open(path("mosquitto"), "a", encoding="utf-8"))
        while True:
            try:
                probe = paho.Client("probe")
                probe.connect("127.0.0.1", port)
                probe.disconnect()
                return child
            except OSError:
                if child.poll() is not None:
                    sys.exit("mosquitto does not start: " + open(path("mosquitto"), encoding="utf-8").read())
                time.sleep(0.05)

    mqtt = start_mosquitto()
    up = start(cli, "up", "--json", "--dir", path("up"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while json.loads(up.stdout.readline()).get("event") != "up":
        pass
    home, log = os.path.join(path("up"), "agents"), path("log")

    def start_bridge(uri):
        return start(cli, "--home", home, "-c", "bob", "adapter", "run", "mqtt", "--pair", "room=alice",
                     "--option", "prefix=t", "--tunnel", f"broker={uri}", stdout=subprocess.PIPE,
                     stderr=open(log, "a", encoding="utf-8"))

    def said(words, patience=30):
        until = time.time() + patience
        while time.time() < until:
            if words in open(log, encoding="utf-8").read():
                return True
            time.sleep(0.05)
        return False

    bridge = start_bridge(f"tls://localhost:{secure}")
    check("a broker whose certificate nobody vouches for is not spoken to", said("certificate verify failed"),
          open(log, encoding="utf-8").read())
    bridge.send_signal(signal.SIGTERM)
    bridge.wait(30)
    trusted = f"tls://localhost:{secure}?ca={path('cert')}"
    bridge = start_bridge(trusted)
    alice = start(cli, "--home", home, "-c", "alice", "pipe", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    events = queue.Queue()
    threading.Thread(target=lambda: [events.put(json.loads(line)) for line in alice.stdout], daemon=True).start()

    def tell(**line):
        alice.stdin.write(json.dumps(line) + "\n")
        alice.stdin.flush()

    def message(patience=30):
        until = time.time() + patience
        while time.time() < until:
            try:
                event = events.get(timeout=max(0.01, until - time.time()))
            except queue.Empty:
                return None
            if event["event"] == "message":
                tell(op="ack", message=event["id"])
                return event
        return None

    world = World(port)
    tell(op="send", to="bob", text="out")
    got = world.next()
    properties = dict(got.properties.UserProperty) if got else {}
    check("what an agent says is published", got and got.topic == "t/room/out" and got.payload == b"out" and
          properties.get("from") == "alice", got)
    world.publish("room", "in", id="1", user="sensor")
    got = message()
    check("what is published arrives, bridged", got and got["text"] == "in" and got["provenance"] == "bridged:mqtt", got)
    world.publish("room", "in", id="1", user="sensor")
    world.publish("stranger", "for nobody")
    world.publish("room", b"\xff\xfe")
    got = message()
    check("a name that comes twice has one effect, and a chat without a pairing none", got and got.get("base64") == "//4=", got)
    tell(op="send", to="bob", base64="/////w==")
    check("bytes stay bytes", (got := world.next()) and got.payload == b"\xff\xff\xff\xff")

    count = 300
    for i in range(count):
        world.publish("room", f"number {i}", id=f"n{i}")
        if i == count // 4:
            child = subprocess.run(["pgrep", "-P", str(bridge.pid)], capture_output=True, text=True).stdout.split()[0]
            os.kill(int(child), signal.SIGKILL)
        if i == count // 2:
            bridge.kill()
            bridge.wait()
            bridge = start_bridge(trusted)
        if i == 3 * count // 4:
            mqtt.terminate()
            mqtt.wait()
            while world.client.is_connected():
                time.sleep(0.05)
            mqtt = start_mosquitto()
            while not world.client.is_connected():
                time.sleep(0.05)
    came = []
    while len(came) < count and (got := message()):
        came.append(got.get("text"))
    check(f"{count} messages, a kill -9 of the bridge and one of the host, mosquitto restarted: each once, in order",
          came == [f"number {i}" for i in range(count)], (len(came), came[-3:]))
    for i in range(50):
        tell(op="send", to="bob", text=f"out {i}")
        if i == 25:
            child = subprocess.run(["pgrep", "-P", str(bridge.pid)], capture_output=True, text=True).stdout.split()[0]
            os.kill(int(child), signal.SIGKILL)
    seen = []
    while len(set(seen)) < 50 and (got := world.next()):
        seen.append(got.payload.decode())
    check("what an agent says comes at least once, in order, over a kill -9 of the bridge",
          list(dict.fromkeys(seen)) == [f"out {i}" for i in range(50)], seen[-3:])
    bridge.send_signal(signal.SIGTERM)
    bridge.wait(30)
    up.terminate()
    up.wait(30)
    if failed:
        print(open(log, encoding="utf-8").read()[-3000:])

print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
