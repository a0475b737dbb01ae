"""A bridge to MQTT 5 (Eclipse Paho). What agents say to chat C is published to PREFIX/C/out, what is published to
PREFIX/C/in goes to the agent that C is paired with; QoS 1 both ways. Wants a tunnel called `broker`.

options: prefix (sealwire), client (sealwire-bridge), username, password (then this process knows it)

A message to us counts once if its publisher names it in the user property `id`; MQTT itself gives it no name that
outlives a connection. The property `user` says who it is from (default: mqtt).
"""
import base64
import json
import queue
import secrets
import sys
import threading

try:
    from paho.mqtt import client as paho
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
except ImportError:
    sys.exit("the MQTT bridge needs Debian's python3-paho-mqtt")

SESSION_S = 7 * 24 * 3600  # that the broker keeps what comes while we are away
LOCK = threading.Lock()


def say(**message):
    with LOCK:
        print(json.dumps(message), flush=True)


class Bridge:
    def __init__(self):
        self.prefix, self.client = "", None
        self.published = {}  # Paho's number of a message: delivery
        self.early = set()   # numbers whose receipt came before we had noted them
        self.told = threading.Lock()
        self.outcomes = queue.Queue()

    def start(self, options):
        self.prefix = options.get("prefix", "sealwire")
        host, port = options["broker"].rsplit(":", 1)
        self.client = paho.Client(options.get("client", "sealwire-bridge"), protocol=paho.MQTTv5)
        if "username" in options:
            self.client.username_pw_set(options["username"], options.get("password"))
        self.client.on_connect, self.client.on_message = self.connected, self.came
        self.client.on_publish = self.receipt
        self.client.reconnect_delay_set(1, 30)
        keep = Properties(PacketTypes.CONNECT)
        keep.SessionExpiryInterval = SESSION_S
        self.client.connect_async(host, int(port), keepalive=60, clean_start=False, properties=keep)
        self.client.loop_start()

    def connected(self, client, _userdata, _flags, reason, _properties=None):
        if reason.value >= 128:
            print(f"the MQTT broker refuses us: {reason}", file=sys.stderr)
            return
        client.subscribe(f"{self.prefix}/+/in", qos=1)

    # --- from MQTT

    def came(self, _client, _userdata, message):
        """Paho sends the receipt when this returns: not before the host has the message on its disk."""
        chat = message.topic[len(self.prefix) + 1:-len("/in")]
        properties = dict(getattr(message.properties, "UserProperty", []))
        name, user = properties.get("id", ""), properties.get("user", "mqtt")
        sound = all(len(each.encode()) <= 126 for each in (name, chat)) and 0 < len(user.encode()) <= 128
        if not chat or not sound or len(message.payload) > 700 * 1024:
            print("a message could not be carried: too long", file=sys.stderr)
            return
        content = {"media_type": getattr(message.properties, "ContentType", "") or "text/plain;charset=utf-8"}
        try:
            content["text"] = message.payload.decode()
        except UnicodeDecodeError:
            content["base64"] = base64.b64encode(message.payload).decode()
            if not getattr(message.properties, "ContentType", ""):
                content["media_type"] = "application/octet-stream"
        # Ours and theirs are kept apart: nobody can take a name that we will make.
        reference = f"p:{name}" if name else f"r:{secrets.token_hex(16)}"
        code = "busy"
        while code == "busy":
            say(op="receive", id=reference, chat=chat, user=user, **content)
            code = self.outcomes.get()
            if code == "busy":
                threading.Event().wait(1)
        if code != "ok":
            print(f"a message for chat {chat!r}: {code}", file=sys.stderr)

    # --- to MQTT

    def deliver(self, told):
        chat = told["chat"]
        if self.client is None:
            return say(op="failed", delivery=told["id"], permanent=True, cause="no --tunnel broker=tls://HOST:PORT")
        if any(sign in chat for sign in "+#/\0"):
            return say(op="failed", delivery=told["id"], permanent=True, cause="not a level of a topic")
        if not self.client.is_connected():
            return say(op="failed", delivery=told["id"], retry_after_ms=1000, cause="not connected")
        if "text" in told:
            payload = told["text"].encode()
        elif "json" in told:
            payload = json.dumps(told["json"], ensure_ascii=False).encode()
        else:
            payload = base64.b64decode(told["base64"])
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = told["media_type"] if "media_type" in told else (
            "application/json" if "json" in told else "application/octet-stream" if "base64" in told
            else "text/plain;charset=utf-8")
        properties.UserProperty = [("id", told["id"]), ("from", told["from"])]
        with self.told:
            number = self.client.publish(f"{self.prefix}/{chat}/out", payload, qos=1, properties=properties).mid
            early = number in self.early
            self.early.discard(number)
            if not early:
                self.published[number] = told["id"]
        return say(op="delivered", delivery=told["id"]) if early else None

    def receipt(self, _client, _userdata, number):
        with self.told:
            delivery = self.published.pop(number, None)
            if delivery is None:
                self.early.add(number)
        if delivery is not None:
            say(op="delivered", delivery=delivery)


def main():
    say(op="hello", contract=1, name="mqtt")
    bridge = Bridge()
    for line in sys.stdin:
        told = json.loads(line)
        if told["event"] == "start":
            if "broker" in told["options"]:
                bridge.start(told["options"])
        elif told["event"] == "deliver":
            bridge.deliver(told)
        elif told["event"] == "outcome":
            bridge.outcomes.put(told["code"])
        elif told["event"] == "stop":
            if bridge.client is not None:
                bridge.client.disconnect()
            sys.exit(0)


if __name__ == "__main__":
    main()
