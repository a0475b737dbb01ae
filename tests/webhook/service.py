#!/usr/bin/env python3
"""A service and an agent through broker, host and the caged bridge `webhook`, each side signing (RFC 9421). The
service signs and verifies by the PyPI package http-message-signatures, not by us.

service.py BUILD_DIR: each line is a check; the last one counts.
"""
import atexit
import datetime
import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException

build = sys.argv[1]
cli = os.path.join(build, "bin", "sealwire")
os.environ["SEALWIRE_BRIDGES"] = os.path.join(os.getcwd(), "adapters", "bridges")
PUBLIC = "https://bridge.example"
passed = failed = 0


def check(name, condition, detail=""):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    print(f"ok {name}" if condition else f"failed: {name} {detail}", flush=True)


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, private, public):
        self.private, self.public = private, public

    def resolve_private_key(self, key_id):
        return load_pem_private_key(open(self.private, "rb").read(), None)

    def resolve_public_key(self, key_id):
        return load_pem_public_key(open(self.public, "rb").read())


class Service:
    """What stands at the other end of the bridge."""

    def __init__(self, keys):
        self.verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
        self.signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keys)
        self.came, self.refused, self.answers = queue.Queue(), [], []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = SimpleNamespace(method="POST", url=f"http://127.0.0.1:{service.port}{self.path}",
                                          headers=dict(self.headers.items()))
                status = service.answers.pop(0) if service.answers else 204
                try:
                    service.verifier.verify(message, body=body, max_age=datetime.timedelta(minutes=5))
                    if status == 204:
                        service.came.put(json.loads(body))
                except HTTPMessageSignaturesException as error:
                    service.refused.append(repr(error))
                    status = 401
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"http://127.0.0.1:{service.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        try:
            return self.came.get(timeout=30)
        except queue.Empty:
            return None

    def post(self, address, spoil=None, components=("@method", "@authority", "@path", "content-digest"),
             **body):
        data = json.dumps(body).encode()
        message = SimpleNamespace(method="POST", url=PUBLIC + "/in", headers={})
        self.signer.sign(message, key_id="service", covered_component_ids=components, label="sig",
                         body=data if "content-digest" in components else None,
                         created=datetime.datetime.now(datetime.timezone.utc))
        if spoil:
            data = spoil(message.headers, data)
        connection = http.client.HTTPConnection(address.removeprefix("http://"))
        connection.request("POST", "/in", data, message.headers)
        return connection.getresponse().status


with tempfile.TemporaryDirectory() as work:
    def path(name):
        return os.path.join(work, name)

    for name in ("host", "service", "stranger"):
        os.umask(0o077)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path(name)], check=True)
        subprocess.run(["openssl", "pkey", "-in", path(name), "-pubout", "-out", path(name + ".pub")], check=True)
    service = Service(Keys(path("service"), path("host.pub")))
    stranger = Service(Keys(path("stranger"), path("host.pub")))

    up = subprocess.Popen([cli, "up", "--json", "--dir", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(up.kill)
    while json.loads(up.stdout.readline()).get("event") != "up":
        pass
    home, log = os.path.join(work, "agents"), path("log")
    subprocess.run([cli, "--home", home, "-c", "bob", "peer", "ls"], check=True, stdout=subprocess.DEVNULL)

    def start_bridge(times):
        bridge = subprocess.Popen([cli, "--home", home, "-c", "bob", "adapter", "run", "webhook",
                                   "--pair", "room=alice", "--option", f"url=http://127.0.0.1:{service.port}/out",
                                   "--sign", f"host={path('host')}@http://127.0.0.1:{service.port}",
                                   "--listen", "127.0.0.1:0", "--hook-url", PUBLIC,
                                   "--hook-key", f"service={path('service.pub')}"],
                                  stdout=subprocess.PIPE, stderr=open(log, "a", encoding="utf-8"), text=True)
        atexit.register(bridge.kill)
        until = time.time() + 30
        while time.time() < until and bridge.poll() is None:
            said = re.findall(r"takes webhooks on (\S+)", open(log, encoding="utf-8").read())
            if len(said) == times:
                return bridge, said[-1]
            time.sleep(0.05)
        raise SystemExit(open(log, encoding="utf-8").read())

    bridge, address = start_bridge(1)
    alice = subprocess.Popen([cli, "--home", home, "-c", "alice", "pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
    atexit.register(alice.kill)
    events = queue.Queue()
    threading.Thread(target=lambda: [events.put(json.loads(line)) for line in alice.stdout], daemon=True).start()

    def tell(**line):
        alice.stdin.write(json.dumps(line) + "\n")
        alice.stdin.flush()

    def message(wanted, patience=30):
        until = time.time() + patience
        while time.time() < until:
            try:
                event = events.get(timeout=max(0.01, until - time.time()))
            except queue.Empty:
                return None
            if event["event"] == "message":
                tell(op="ack", message=event["id"])
            if wanted(event):
                return event
        return None

    def until_up(**body):
        """503 while the bridge's process has not said hello yet."""
        while (status := service.post(address, **body)) == 503:
            time.sleep(0.05)
        return status

    tell(op="send", to="bob", text="out")
    got = service.next()
    check("what an agent says is POSTed, signed by the host so that another implementation verifies it",
          got and got["text"] == "out" and got["chat"] == "room" and got["from"] == "alice", (got, service.refused))
    check("a POST that another implementation signed is taken",
          until_up(id="1", chat="room", user="u", text="in") == 204)
    got = message(lambda e: e.get("text") == "in")
    check("and arrives, bridged", got and got["provenance"] == "bridged:webhook", got)
    check("the same again is taken and has no effect", service.post(address, id="1", chat="room", user="u", text="in") == 204)
    check("@target-uri may be covered instead",
          service.post(address, components=("@method", "@target-uri", "content-digest"),
                       id="2", chat="room", user="u", json={"a": 1}) == 204)
    got = message(lambda e: e["event"] == "message")
    check("JSON stays JSON, and nothing came twice", got and got.get("json") == {"a": 1}, got)

    sound = {"id": "9", "chat": "room", "user": "u", "text": "forged"}
    forgeries = {
        "another key": stranger.post(address, **sound),
        "another body": service.post(address, lambda headers, data: data.replace(b"forged", b"FORGED"), **sound),
        "no signature": service.post(address, lambda headers, data: headers.clear() or data, **sound),
        "another time": service.post(address, lambda headers, data: headers.update(
            {"Signature-Input": headers["Signature-Input"].replace("created=1", "created=2")}) or data, **sound),
        "no digest covered": service.post(address, components=("@method", "@target-uri"), **sound),
    }
    check("each forgery is refused", set(forgeries.values()) == {401}, forgeries)
    refused = {
        "not paired": (service.post(address, **{**sound, "chat": "other"}), 403),
        "no chat": (service.post(address, id="9", user="u", text="x"), 400),
        "a number as chat": (service.post(address, **{**sound, "chat": 5}), 400),
        "two contents": (service.post(address, **sound, json=1), 400),
        "an unknown member": (service.post(address, **sound, more=1), 400),
        "no pairing code of ours": (service.post(address, id="10", chat="c", user="u", code="x"), 403),
        "an answer to nothing": (service.post(address, id="11", chat="room", user="u", delivery="d", choice=0), 403),
    }
    check("each refusal has its status", all(a == b for a, b in refused.values()), refused)

    tell(op="request", ref="q", to="bob", deadline_ms=60000, json={"ask": "Deploy?", "choices": ["Yes", "No"]})
    question = service.next()
    check("a question comes with its choices", question and question["choices"] == ["Yes", "No"], question)
    check("its answer is taken", service.post(address, id="12", chat="room", user="u", delivery=question["id"],
                                              choice=1) == 204)
    answer = message(lambda e: e.get("ref") == "q")
    check("and reaches the agent that asked", answer and answer["json"]["choice"] == "No", answer)

    service.answers = [500, 429, 204]
    tell(op="send", to="bob", text="again")
    got = service.next()
    check("what is refused for now is tried again", got and got["text"] == "again", got)
    service.answers = [302]
    tell(op="send", to="bob", text="redirected")
    error = message(lambda e: e.get("kind") == "error")
    check("a redirect is not followed, and the agent is told", error and "302" in error["text"] and service.came.empty(), error)

    count = 200
    for i in range(count):
        while True:  # what a service does whose receiver is away for a moment
            try:
                if service.post(address, id=f"n{i}", chat="room", user="u", text=f"number {i}") == 204:
                    break
            except OSError:
                pass
            time.sleep(0.02)
        if i == count // 2:
            os.kill(bridge.pid, signal.SIGKILL)
            bridge.wait()
            bridge, address = start_bridge(2)
        if i == count // 4:
            child = subprocess.run(["pgrep", "-P", str(bridge.pid)], capture_output=True, text=True).stdout.split()[0]
            os.kill(int(child), signal.SIGKILL)
    came = []
    while len(came) < count and (got := message(lambda e: e.get("text", "").startswith(("number", "forged", "FORGED")))):
        came.append(got["text"])
    check(f"{count} POSTs, a kill -9 of the host and one of the bridge between: each once, in order",
          came == [f"number {i}" for i in range(count)], came[-5:])
    bridge.send_signal(signal.SIGTERM)
    counts = json.loads(bridge.communicate(timeout=30)[0].splitlines()[-1])
    check("the host counts what it was told", counts["received"] >= 90 and counts["hooks_forged"] == 0, counts)
    up.terminate()
    up.wait(30)
    if failed:
        print(open(log, encoding="utf-8").read()[-3000:], service.refused[:3])

print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
