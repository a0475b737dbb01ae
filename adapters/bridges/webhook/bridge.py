"""A bridge to an HTTP service. What agents say is POSTed to `url`; what the service POSTs goes to them. The host signs the
one and demands a signature (or a secret) of the other.

options: url (where deliveries go)

Out: {"id", "chat", "from", "text" | "json" | "base64", "media_type", "choices"}; any 2xx is a receipt.
In: {"id", "chat", "user"} and a content, or "code" (to pair), or "delivery" and "choice" (to answer a question).
"""
import json
import sys

STATUS = {"ok": 204, "not_paired": 403, "denied": 403, "expired": 410, "invalid": 400, "busy": 503}
IDS = ("id", "chat", "user")
WHAT = {"receive": ("text", "json", "base64", "media_type"), "pair": ("code",), "answer": ("delivery", "choice")}


def say(**message):
    print(json.dumps(message), flush=True)


def is_id(value):
    return isinstance(value, str) and 0 < len(value.encode()) <= 128


def operation(body):
    """What a POST says, as the host wants it; None if it says nothing."""
    if not isinstance(body, dict) or not all(is_id(body.get(name)) for name in IDS):
        return None
    op = "pair" if "code" in body else "answer" if "delivery" in body else "receive"
    if set(body) - set(IDS) - set(WHAT[op]):
        return None
    if op == "receive":
        one = [name for name in ("text", "json", "base64") if name in body]
        strings = all(isinstance(body[name], str) for name in body if name != "json")
        return {"op": op, **body} if len(one) == 1 and strings else None
    if op == "pair":
        return {"op": op, **body} if is_id(body["code"]) else None
    number = body.get("choice")
    sound = is_id(body["delivery"]) and isinstance(number, int) and not isinstance(number, bool) and number >= 0
    return {"op": op, **body} if sound else None


class Bridge:
    def __init__(self):
        self.url = ""
        self.posted = {}  # ref of a fetch: delivery
        self.asked = {}   # id of an operation: refs of the hooks that said it

    def told(self, told):
        event = told["event"]
        if event == "start":
            self.url = told["options"].get("url", "")
        elif event == "deliver":
            self.deliver(told)
        elif event == "fetched":
            self.fetched(told)
        elif event == "hook":
            self.hook(told)
        elif event == "outcome":
            for ref in self.asked.pop(told["id"], []):
                say(op="hooked", ref=ref, status=STATUS[told["code"]])
        elif event == "stop":
            sys.exit(0)

    def deliver(self, told):
        if not self.url:
            return say(op="failed", delivery=told["id"], permanent=True, cause="no --option url=URL")
        body = {name: told[name] for name in told if name != "event"}
        self.posted[told["id"]] = told["id"]
        return say(op="fetch", ref=told["id"], method="POST", url=self.url, json=body,
                   headers={"Content-Type": "application/json"})

    def fetched(self, told):
        delivery = self.posted.pop(told["ref"], None)
        if delivery is None:
            return None
        status = told["status"]
        if 200 <= status < 300:
            return say(op="delivered", delivery=delivery)
        permanent = 300 <= status < 500 and status not in (401, 408, 409, 425, 429)
        return say(op="failed", delivery=delivery, permanent=permanent,
                   cause=told.get("cause") or f"the service answered {status}")

    def hook(self, told):
        try:
            wanted = operation(json.loads(told.get("text", "")))
        except (ValueError, RecursionError):
            wanted = None
        if wanted is None:
            return say(op="hooked", ref=told["ref"], status=400)
        self.asked.setdefault(wanted["id"], []).append(told["ref"])
        return say(**wanted)


def main():
    say(op="hello", contract=1, name="webhook", pair=True, ask=True, hook=True)
    bridge = Bridge()
    for line in sys.stdin:
        bridge.told(json.loads(line))


if __name__ == "__main__":
    main()
