"""A bridge to Telegram for people (Bot API, long polling or a webhook): text both ways, files both ways, questions
as buttons, pairing by /start CODE. It holds no token: the host puts it in.

options: api (https://api.telegram.org); webhook (its public URL; without it, Telegram is polled)
"""
import base64
import json
import secrets
import sys
import threading
import urllib.parse

import text

API = "https://api.telegram.org"
POLL_S = 25
FILE_BYTES = 700 * 1024
REFUSED = {"not_paired": "This chat is not paired. Ask your agent for a code, then send /start CODE.",
           "denied": "That was not accepted.", "expired": "It is too late for that.",
           "invalid": "That cannot be carried."}
LOCK = threading.Lock()  # whoever acts for the bridge holds it


def say(**message):
    print(json.dumps(message), flush=True)


def later(seconds, action):
    def act():
        with LOCK:
            action()

    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


class Telegram:
    """Requests through the host; what is to be done with an answer is kept by `ref`."""

    def __init__(self):
        self.api, self.count, self.waiting = API, 0, {}

    def fetch(self, done, url, **more):
        self.count += 1
        self.waiting[str(self.count)] = done
        say(op="fetch", ref=str(self.count), url=url, **more)

    def call(self, method, parameters, done, timeout_ms=30000):
        self.fetch(lambda told: done(self.read(told)), f"{self.api}/bot{{secret:token}}/{method}",
                   method="POST", headers={"Content-Type": "application/json"}, json=parameters,
                   timeout_ms=timeout_ms)

    def upload(self, chat, name, media_type, data, done):
        mark = secrets.token_hex(16)
        head = (f'--{mark}\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n{chat}\r\n'
                f'--{mark}\r\nContent-Disposition: form-data; name="document"; filename="{name}"\r\n'
                f'Content-Type: {media_type}\r\n\r\n')
        body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        self.fetch(lambda told: done(self.read(told)), f"{self.api}/bot{{secret:token}}/sendDocument",
                   method="POST", headers={"Content-Type": f"multipart/form-data; boundary={mark}"},
                   base64=base64.b64encode(body).decode())

    @staticmethod
    def read(told):
        """The API's answer, or one that says that there was none."""
        try:
            answer = json.loads(told.get("text", ""))
            if isinstance(answer, dict) and isinstance(answer.get("ok"), bool):
                return answer
        except ValueError:
            pass
        return {"ok": False, "error_code": told["status"], "description": told.get("cause", "no answer")}


class Bridge:
    def __init__(self):
        self.telegram = Telegram()
        self.offset, self.came = 0, []
        self.hooked = False  # updates come by webhook
        self.answers = None  # ref of the hook whose update is in hand
        self.busy = False
        self.updates = {}    # id of a Receive, Pair or Answer: what to do with its outcome
        self.progress = {}   # chat: (delivery, parts that are there), for a retry in this process
        self.backoff_s = 1

    # --- from Telegram

    def poll(self):
        self.telegram.call("getUpdates", {"offset": self.offset, "timeout": POLL_S,
                                          "allowed_updates": ["message", "callback_query"]},
                           self.polled, timeout_ms=(POLL_S + 10) * 1000)

    def begin(self, webhook):
        """Telegram keeps either a webhook or a poller: the other one is refused with 409."""
        if not webhook:
            return self.telegram.call("deleteWebhook", {}, lambda answer: self.poll())
        self.hooked = True
        # One at a time keeps the order. The secret goes where the host can put it in: into the URL.
        wanted = urllib.parse.urlencode({"url": webhook, "max_connections": 1,
                                         "allowed_updates": json.dumps(["message", "callback_query"])})
        return self.telegram.call("setWebhook?" + wanted + "&secret_token={secret:hook}", {},
                                  lambda answer: self.begun(webhook, answer))

    def begun(self, webhook, answer):
        if not answer["ok"]:
            print(f"setWebhook: {answer.get('description')}", file=sys.stderr)
            later(5, lambda: self.begin(webhook))

    def hook(self, told):
        """The host found it authentic: it had the secret."""
        try:
            update = json.loads(told.get("text", ""))
            update["update_id"] + 0
        except (ValueError, TypeError, KeyError, RecursionError):
            return say(op="hooked", ref=told["ref"], status=400)
        self.came.append((update, told["ref"]))
        return None if self.busy else self.next_update()

    def polled(self, answer):
        if not answer["ok"]:
            print(f"getUpdates: {answer.get('description')}", file=sys.stderr)
            wait = answer.get("parameters", {}).get("retry_after", self.backoff_s)
            self.backoff_s = min(self.backoff_s * 2, 30)
            return later(min(wait, 30), self.poll)
        self.backoff_s = 1
        # What comes twice is the host's matter; that the order is Telegram's, ours.
        ordered = sorted(answer["result"], key=lambda update: update["update_id"])
        self.came = [(update, None) for update in ordered]
        self.next_update()

    def next_update(self):
        """One at a time: an update is confirmed to Telegram when the host has it on disk."""
        if self.answers is not None:
            say(op="hooked", ref=self.answers, status=200)
            self.answers = None
        self.busy = bool(self.came)
        if not self.came:
            return None if self.hooked else self.poll()
        update, self.answers = self.came.pop(0)
        if not self.hooked and update["update_id"] < self.offset:
            return self.next_update()
        self.offset = update["update_id"] + 1
        if "message" in update:
            return self.message(str(update["update_id"]), update["message"])
        if "callback_query" in update:
            return self.pressed(str(update["update_id"]), update["callback_query"])
        return self.next_update()

    def ask_host(self, update, then, **operation):
        self.updates[update] = (then, operation)
        say(id=update, **operation)

    def outcome(self, told):
        then, operation = self.updates.pop(told["id"], (None, None))
        if then is None:
            return
        if told["code"] == "busy":  # the host's disk; nothing of this update is lost
            return later(1, lambda: self.ask_host(told["id"], then, **operation))
        then(told["code"])
        self.next_update()

    def message(self, update, message):
        chat, user = str(message["chat"]["id"]), str(message.get("from", {}).get("id", 0))

        def told(code):
            if code != "ok":
                self.tell(chat, REFUSED[code])

        words = message.get("text", "")
        if words.startswith("/start ") and words[7:].strip():
            paired = lambda code: self.tell(chat, "Paired." if code == "ok" else REFUSED["denied"])
            return self.ask_host(update, paired, op="pair", chat=chat, user=user, code=words[7:].strip()[:128])
        if words:
            return self.ask_host(update, told, op="receive", chat=chat, user=user, text=words)
        if "document" in message:
            return self.document(update, chat, user, message["document"], told)
        self.tell(chat, "Text and files are carried, nothing else.")
        return self.next_update()

    def document(self, update, chat, user, document, told):
        def refuse():
            self.tell(chat, "That file could not be carried: at most 700 KiB.")
            self.next_update()

        def loaded(answer):
            if answer["status"] != 200:
                return refuse()
            data = base64.b64decode(answer["base64"]) if "base64" in answer else answer["text"].encode()
            return self.ask_host(update, told, op="receive", chat=chat, user=user,
                                 base64=base64.b64encode(data).decode(),
                                 media_type=document.get("mime_type", "application/octet-stream"))

        def found(answer):
            if not answer["ok"] or "file_path" not in answer["result"]:
                return refuse()
            path = answer["result"]["file_path"]
            return self.telegram.fetch(loaded, f"{self.telegram.api}/file/bot{{secret:token}}/{path}")

        if document.get("file_size", 0) > FILE_BYTES:
            return refuse()
        return self.telegram.call("getFile", {"file_id": document["file_id"]}, found)

    def pressed(self, update, query):
        where = query.get("message")
        delivery, _, choice = query.get("data", "").rpartition(":")
        if where is None or not choice.isdigit() or not delivery:
            return self.next_update()

        def told(code):
            words = "Recorded." if code == "ok" else REFUSED[code]
            self.telegram.call("answerCallbackQuery", {"callback_query_id": query["id"], "text": words},
                               lambda answer: None)
            if code in ("ok", "expired"):  # the buttons have done their work
                self.telegram.call("editMessageReplyMarkup",
                                   {"chat_id": where["chat"]["id"], "message_id": where["message_id"]},
                                   lambda answer: None)

        return self.ask_host(update, told, op="answer", chat=str(where["chat"]["id"]),
                             user=str(query["from"]["id"]), delivery=delivery, choice=int(choice))

    def tell(self, chat, words):
        """The bridge's own words: nothing of any agent's, so that an unpaired chat may see them."""
        self.telegram.call("sendMessage", {"chat_id": int(chat), "text": words}, lambda answer: None)

    # --- to Telegram

    def deliver(self, told):
        if not told["chat"].removeprefix("-").isdecimal():
            return say(op="failed", delivery=told["id"], permanent=True, cause="a chat of Telegram's is a number")
        if "text" in told:
            parts = text.split(f'{told["from"]}: {told["text"]}')
        elif "json" in told:
            parts = text.split(f'{told["from"]}: {json.dumps(told["json"], ensure_ascii=False)}')
        else:
            data = base64.b64decode(told["base64"])
            return self.telegram.upload(told["chat"], "file.bin", told["media_type"], data,
                                        lambda answer: self.sent(told, answer, 1, 1))
        delivery, done = self.progress.get(told["chat"], (None, 0))
        return self.send_part(told, parts, done if delivery == told["id"] else 0)

    def send_part(self, told, parts, number):
        message = {"chat_id": int(told["chat"]), "text": parts[number],
                   "link_preview_options": {"is_disabled": True}}
        if number == len(parts) - 1 and told.get("choices"):
            message["reply_markup"] = {"inline_keyboard": [
                [{"text": words, "callback_data": f'{told["id"]}:{i}'}]
                for i, words in enumerate(told["choices"])]}

        def sent(answer):
            if answer["ok"] and number + 1 < len(parts):
                self.progress[told["chat"]] = (told["id"], number + 1)
                return self.send_part(told, parts, number + 1)
            return self.sent(told, answer, number + 1, len(parts))

        self.telegram.call("sendMessage", message, sent)

    def sent(self, told, answer, number, parts):
        if answer["ok"] and number == parts:
            self.progress.pop(told["chat"], None)
            return say(op="delivered", delivery=told["id"])
        more = answer.get("parameters", {})
        if "migrate_to_chat_id" in more:
            say(op="moved", chat=told["chat"], to=str(more["migrate_to_chat_id"]))
        code = answer.get("error_code", 0)
        permanent = 400 <= code < 500 and code not in (401, 408, 409, 429) and "migrate_to_chat_id" not in more
        return say(op="failed", delivery=told["id"], permanent=permanent,
                   retry_after_ms=int(more.get("retry_after", 0)) * 1000,
                   cause=str(answer.get("description", ""))[:200])

    # --- the host

    def told(self, told):
        event = told["event"]
        if event == "start":
            self.telegram.api = told["options"].get("api", API)
            self.begin(told["options"].get("webhook"))
        elif event == "hook":
            self.hook(told)
        elif event == "fetched":
            done = self.telegram.waiting.pop(told["ref"], None)
            if done is not None:
                done(told)
        elif event == "deliver":
            self.deliver(told)
        elif event == "outcome":
            self.outcome(told)
        elif event == "stop":
            sys.exit(0)


def main():
    # Telegram allows about one message a second to a chat, and thirty a second in all.
    say(op="hello", contract=1, name="telegram", pair=True, ask=True, hook=True, chat_interval_ms=1000, interval_ms=35)
    bridge = Bridge()
    for line in sys.stdin:
        with LOCK:
            bridge.told(json.loads(line))


if __name__ == "__main__":
    main()
