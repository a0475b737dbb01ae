"""Each broker with the strongest promise that its own documents give for one node, driven through its own client."""
import asyncio
import json
import os
import socket
import subprocess
import time
from pathlib import Path

PAYLOAD = "x" * 1000
WINDOW = 64  # unconfirmed at a time
IDLE = 1.0   # seconds without a message after which there is none left


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens at {port}")


class Broker:
    def __init__(self, build, folder):
        self.build, self.folder, self.port = build, Path(folder), free_port()

    def spawn(self, *command, **environment):
        log = open("/dev/null", "wb")
        process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                   start_new_session=True, env=os.environ | environment)
        listens(self.port)
        return process

    def prepare(self):
        """Once, before the first message."""

    def end(self):
        """The clients of a round go."""


class Sealwire(Broker):
    """sealwired as `sealwired init` makes it; `sealwire pipe` for both agents, whose state is on another disk."""

    def __init__(self, build, folder):
        super().__init__(build, folder)
        self.home = Path(f"{folder}-agents")
        self.pipes = []

    def start(self):
        config = self.folder / "sealwired.toml"
        if not config.exists():
            subprocess.run([self.build / "bin/sealwired", "init", self.folder, "--open", "--wss-port", str(self.port),
                            "--zeromq-port", str(free_port()), "--http-port", str(free_port())],
                           check=True, capture_output=True)
        return self.spawn(self.build / "bin/sealwired", "--config", config)

    def command(self, context, *words):
        return [str(self.build / "bin/sealwire"), "--home", str(self.home), "-c", context, *words]

    def prepare(self):
        ids = {}
        for context in ("sender", "receiver"):
            subprocess.run(self.command(context, "login", "--endpoint", f"wss://127.0.0.1:{self.port}",
                                        "--trust-first-use"), check=True, capture_output=True)
            ids[context] = subprocess.run(self.command(context, "whoami"), check=True, capture_output=True,
                                          text=True).stdout.strip()
        for one, other in (("sender", "receiver"), ("receiver", "sender")):
            subprocess.run(self.command(one, "peer", "add", ids[other], other), check=True, capture_output=True)

    def pipe(self, context):
        pipe = subprocess.Popen(self.command(context, "pipe"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True, bufsize=1)
        self.pipes.append(pipe)
        return pipe

    def publish(self, number, confirmed, over):
        pipe = self.pipe("sender")
        waiting = 0
        while not over.is_set():
            while waiting < WINDOW:
                pipe.stdin.write(json.dumps({"op": "send", "ref": str(number), "to": "receiver",
                                             "text": f"{number} {PAYLOAD}"}) + "\n")
                number, waiting = number + 1, waiting + 1
            event = json.loads(pipe.stdout.readline() or '{"event":"closed"}')
            if event["event"] == "closed":
                return
            if event["event"] == "accepted":
                confirmed.add(event["ref"])
                waiting -= 1

    def drain(self):
        # What the publisher has kept goes out with it, so that both run until nothing comes.
        self.pipe("sender")
        pipe = self.pipe("receiver")
        timer = None
        for line in pipe.stdout:
            event = json.loads(line)
            if timer is None and event["event"] == "ready":
                timer = time.monotonic()
                pipe.stdin.write('{"op":"peers","ref":"tick"}\n')
            if event["event"] == "message":
                timer = time.monotonic()
                pipe.stdin.write(json.dumps({"op": "ack", "message": event["id"]}) + "\n")
                yield event["text"].split()[0]
            if event["event"] == "peers":
                if time.monotonic() - timer > 2 * IDLE:
                    break
                time.sleep(0.02)
                pipe.stdin.write('{"op":"peers","ref":"tick"}\n')
        self.end()

    def end(self):
        for pipe in self.pipes:
            pipe.kill()
            pipe.wait()
        self.pipes = []


class Nats(Broker):
    """JetStream, a stream in files with one replica; publishes are acknowledged. sync_interval as it comes (2 minutes)."""

    options = ""

    def start(self):
        config = self.folder / "nats.conf"
        config.write_text(f'port: {self.port}\njetstream {{ store_dir: "{self.folder}/jetstream"\n{self.options} }}\n')
        return self.spawn("/usr/sbin/nats-server", "-c", config)

    async def connect(self):
        import nats
        async def quiet(_error):
            """It is killed all the time."""
        connection = await nats.connect(f"nats://127.0.0.1:{self.port}", allow_reconnect=False, connect_timeout=5, error_cb=quiet)
        return connection, connection.jetstream()

    def prepare(self):
        async def work():
            connection, stream = await self.connect()
            await stream.add_stream(name="trial", subjects=["trial"])
            await connection.close()
        asyncio.run(work())

    def publish(self, number, confirmed, over):
        async def one(stream, own):
            await stream.publish("trial", f"{own} {PAYLOAD}".encode(), timeout=5)
            confirmed.add(str(own))

        async def work():
            nonlocal number
            _, stream = await self.connect()
            waiting = set()
            while not over.is_set():
                while len(waiting) < WINDOW:
                    waiting.add(asyncio.create_task(one(stream, number)))
                    number += 1
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
                for task in done:
                    task.exception()
            for task in waiting:
                task.cancel()
        try:
            asyncio.run(work())
        except Exception:  # the broker went
            pass

    def drain(self):
        import nats.errors
        import nats.js.errors

        async def work():
            connection, stream = await self.connect()
            texts = []
            try:
                await stream.stream_info("trial")
            except nats.js.errors.NotFoundError:  # the stream itself is lost
                await stream.add_stream(name="trial", subjects=["trial"])
            subscription = await stream.pull_subscribe("trial", durable="trial")
            while True:
                try:
                    for message in await subscription.fetch(200, timeout=IDLE):
                        await message.ack()
                        texts.append(message.data.decode().split()[0])
                except (nats.errors.TimeoutError, asyncio.TimeoutError):
                    break
            await connection.flush()
            await connection.close()
            return texts
        return asyncio.run(work())


class Mosquitto(Broker):
    """QoS 1 with persistence, saved after every change (autosave_on_changes, autosave_interval 1)."""

    options = "autosave_on_changes true\nautosave_interval 1\n"

    def start(self):
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n"
                          f"persistence_location {self.folder}/\nmax_queued_messages 0\nmax_inflight_messages 0\n{self.options}")
        return self.spawn("/usr/sbin/mosquitto", "-c", config)

    def client(self, name, clean):
        import paho.mqtt.client as mqtt
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean)
        client.max_inflight_messages_set(WINDOW)
        return client

    def prepare(self):
        for _ in self.drain():
            pass

    def publish(self, number, confirmed, over):
        client = self.client("publisher", True)
        names = {}
        client.on_publish = lambda _client, _data, mid, _code, _properties: mid in names and confirmed.add(names[mid])
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        while not over.is_set():
            if len(names) - len(confirmed) >= WINDOW:
                time.sleep(0.001)
                continue
            sent = client.publish("trial", f"{number} {PAYLOAD}", qos=1)
            names[sent.mid] = str(number)
            number += 1
        client.loop_stop()

    def drain(self):
        client = self.client("consumer", False)
        texts, last = [], [time.monotonic()]

        def take(_client, _data, message):
            texts.append(message.payload.decode().split()[0])
            last[0] = time.monotonic()
        client.on_message = take
        client.connect("127.0.0.1", self.port)
        client.subscribe("trial", qos=1)
        client.loop_start()
        while time.monotonic() - last[0] < IDLE:
            time.sleep(0.02)
        client.disconnect()
        client.loop_stop()
        return texts


class Rabbit(Broker):
    """A quorum queue of one node, publisher confirms, manual acknowledgements."""

    def start(self):
        environment = {
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_DIST_PORT": str(self.port + 20000 if self.port < 45000 else self.port - 20000),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"), "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_NODENAME": f"trial{self.port}@localhost", "HOME": str(self.folder), "RABBITMQ_ENABLED_PLUGINS_FILE": "/dev/null",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
        }
        return self.spawn("/usr/lib/rabbitmq/bin/rabbitmq-server", **environment)

    def channel(self):
        import pika
        until = time.monotonic() + 60
        while True:
            try:
                connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.port))
                channel = connection.channel()
                channel.queue_declare("trial", durable=True, arguments={"x-queue-type": "quorum"})
                return connection, channel
            except Exception:  # it listens before it serves
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def publish(self, number, confirmed, over):
        import pika
        try:
            _, channel = self.channel()
            channel.confirm_delivery()
            while not over.is_set():
                channel.basic_publish("", "trial", f"{number} {PAYLOAD}".encode(), pika.BasicProperties(delivery_mode=2),
                                      mandatory=True)
                confirmed.add(str(number))
                number += 1
        except Exception:  # the broker went
            pass

    def drain(self):
        connection, channel = self.channel()
        texts = []
        for method, _, body in channel.consume("trial", inactivity_timeout=2 * IDLE):
            if method is None:
                break
            texts.append(body.decode().split()[0])
            channel.basic_ack(method.delivery_tag)
        channel.cancel()
        connection.close()
        return texts


BROKERS = {"Sealwire": Sealwire, "NATS JetStream": Nats, "mosquitto, QoS 1": Mosquitto, "RabbitMQ, quorum queue": Rabbit}
