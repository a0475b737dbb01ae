#!/usr/bin/env python3
"""A strict double of the Telegram Bot API on 127.0.0.1, for tests: double.py API.json [PORT]

What it checks comes from the API's description; what it does is what tests need: getMe, getUpdates,
sendMessage, sendDocument, getFile, editMessageText, editMessageReplyMarkup, answerCallbackQuery,
sendChatAction, setWebhook, deleteWebhook, getWebhookInfo. A test speaks to /double/: say, press, migrate, faults,
forward (what stands behind a webhook's https address, as a proxy would), log. Prints its port. Telegram itself was never reached with it.
"""
import email.parser
import email.policy
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from schema import Refused, Schema

TOKEN = "123456:TEST-token-of-the-double-canary"
ME = {"id": 123456, "is_bot": True, "first_name": "Double", "username": "double_bot",
      "can_join_groups": True, "can_read_all_group_messages": False,
      "supports_inline_queries": False}


def units(text):
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


class World:
    def __init__(self):
        self.changed = threading.Condition()
        self.updates, self.sent, self.log, self.files = [], {}, [], {}
        self.update_id, self.message_id, self.calls = 1000, 0, 0
        self.migrated = {}
        self.webhook, self.forwards, self.hook_failures = None, {}, 0
        self.faults = {"too_many_every": 0, "duplicate_every": 0, "swap_every": 0}

    def add_update(self, kind, value):
        self.update_id += 1
        self.updates.append({"update_id": self.update_id, kind: value})
        self.changed.notify_all()

    def message(self, chat, **more):
        self.message_id += 1
        about = {"id": chat, "type": "private" if chat > 0 else "group"}
        about["first_name" if chat > 0 else "title"] = "Somebody"
        return {"message_id": self.message_id, "date": int(time.time()), "chat": about, **more}

    # --- the API's methods

    def chat_of(self, p):
        chat = int(p["chat_id"])
        if chat in self.migrated:
            raise Refused("Bad Request: group chat was upgraded to a supergroup chat",
                          {"migrate_to_chat_id": self.migrated[chat]})
        return chat

    def check_text(self, text, most, entities=()):
        if not 1 <= units(text) <= most or not text.strip():
            raise Refused("Bad Request: message text is empty" if not text.strip()
                          else "Bad Request: message is too long")
        if "\ufffd" in text:
            raise Refused("Bad Request: strings must be encoded in UTF-8")
        for entity in entities:
            if entity["offset"] < 0 or entity["offset"] + entity["length"] > units(text):
                raise Refused("Bad Request: entity beyond the text")

    def check_markup(self, markup):
        for row in (markup or {}).get("inline_keyboard", []):
            for button in row:
                data = button.get("callback_data")
                if data is not None and not 1 <= len(data.encode()) <= 64:
                    raise Refused("Bad Request: BUTTON_DATA_INVALID")

    def post(self, chat, p, **more):
        self.check_markup(p.get("reply_markup"))
        message = self.message(chat, **{"from": {k: ME[k] for k in ("id", "is_bot", "first_name")}}, **more)
        if p.get("reply_markup", {}).get("inline_keyboard"):
            message["reply_markup"] = p["reply_markup"]
        self.sent[message["message_id"]] = message
        self.log.append({"method": "send", "at": time.time(), "message": message})
        return message

    def getme(self, p):
        return ME

    def getupdates(self, p):
        offset, limit = p.get("offset", 0), p.get("limit", 100)
        until = time.time() + min(p.get("timeout", 0), 50)
        if not 1 <= limit <= 100:
            raise Refused("Bad Request: limit")
        if self.webhook:
            raise Refused("Conflict: can't use getUpdates method while webhook is active", None, 409)
        self.updates = [u for u in self.updates if u["update_id"] >= offset]
        while not self.updates and time.time() < until:
            self.changed.wait(until - time.time())
        given = self.updates[:limit]
        every = self.faults["duplicate_every"]
        if every:
            given = [u for u in given for _ in range(2 if u["update_id"] % every == 0 else 1)]
        every = self.faults["swap_every"]
        for i in range(len(given) - 1):
            if every and given[i]["update_id"] % every == 0:
                given[i], given[i + 1] = given[i + 1], given[i]
        return given

    def sendmessage(self, p):
        chat = self.chat_of(p)
        self.check_text(p["text"], 4096, p.get("entities", []))
        return self.post(chat, p, text=p["text"])

    def senddocument(self, p):
        chat = self.chat_of(p)
        name, data = p["document"]
        if p.get("caption"):
            self.check_text(p["caption"], 1024)
        more = {"caption": p["caption"]} if p.get("caption") else {}
        return self.post(chat, p, document=self.file(name, data), **more)

    def file(self, name, data):
        file_id = f"file{len(self.files)}"
        self.files[file_id] = data
        return {"file_id": file_id, "file_unique_id": "u" + file_id, "file_name": name,
                "file_size": len(data)}

    def getfile(self, p):
        if p["file_id"] not in self.files:
            raise Refused("Bad Request: invalid file_id")
        return {"file_id": p["file_id"], "file_unique_id": "u" + p["file_id"],
                "file_size": len(self.files[p["file_id"]]), "file_path": "documents/" + p["file_id"]}

    def edited(self, p, **change):
        message = self.sent.get(p.get("message_id"))
        if message is None or message["chat"]["id"] != int(p["chat_id"]):
            raise Refused("Bad Request: message to edit not found")
        self.check_markup(p.get("reply_markup"))
        message.update(change)
        message.pop("reply_markup", None)
        if p.get("reply_markup", {}).get("inline_keyboard"):
            message["reply_markup"] = p["reply_markup"]
        self.log.append({"method": "edit", "at": time.time(), "message": dict(message)})
        return message

    def editmessagetext(self, p):
        self.check_text(p["text"], 4096, p.get("entities", []))
        return self.edited(p, text=p["text"])

    def editmessagereplymarkup(self, p):
        return self.edited(p)

    def answercallbackquery(self, p):
        if units(p.get("text", "")) > 200:
            raise Refused("Bad Request: MESSAGE_TOO_LONG")
        self.log.append({"method": "answer", "at": time.time(), "text": p.get("text", "")})
        return True

    def sendchataction(self, p):
        self.chat_of(p)
        return True

    def setwebhook(self, p):
        url = urllib.parse.urlsplit(p["url"])
        if url.scheme != "https" or (url.port or 443) not in (443, 80, 88, 8443):
            raise Refused("Bad Request: bad webhook: HTTPS on port 443, 80, 88 or 8443")
        secret = p.get("secret_token", "")
        if len(secret) > 256 or not all(c.isascii() and (c.isalnum() or c in "_-") for c in secret):
            raise Refused("Bad Request: secret token contains unallowed characters")
        if not 1 <= p.get("max_connections", 40) <= 100:
            raise Refused("Bad Request: max_connections")
        self.webhook = {"url": p["url"], "secret": secret}
        self.changed.notify_all()
        return True

    def deletewebhook(self, p):
        self.webhook = None
        self.changed.notify_all()
        return True

    def getwebhookinfo(self, p):
        return {"url": self.webhook["url"] if self.webhook else "", "has_custom_certificate": False,
                "pending_update_count": len(self.updates)}

    def push(self):
        """The webhook's side: one update at a time, until it is answered with 2xx; some twice."""
        while True:
            with self.changed:
                while not (self.webhook and self.updates):
                    self.changed.wait()
                hook, update, every = dict(self.webhook), self.updates[0], self.faults["duplicate_every"]
            times = 2 if every and update["update_id"] % every == 0 else 1
            arrived = all([self.pushed(hook, update) for _ in range(times)])
            with self.changed:
                if arrived and self.updates and self.updates[0] is update:
                    self.updates.pop(0)
                self.hook_failures += not arrived
                if not arrived:
                    self.changed.wait(0.2)

    def pushed(self, hook, update):
        url = urllib.parse.urlsplit(hook["url"])
        to = self.forwards.get(f"{url.scheme}://{url.netloc}")
        if to is None:
            return False
        request = urllib.request.Request(to + url.path, json.dumps(update).encode(),
                                         {"Content-Type": "application/json"})
        if hook["secret"]:
            request.add_header("X-Telegram-Bot-Api-Secret-Token", hook["secret"])
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return 200 <= answer.status < 300
        except (urllib.error.URLError, OSError):
            return False

    # --- what a test tells it

    def say(self, chat, user, text=None, document=None, name="file.bin"):
        sender = {"id": user, "is_bot": False, "first_name": "Somebody"}
        more = {"text": text} if text is not None else {"document": self.file(name, document.encode())}
        message = self.message(chat, **{"from": sender}, **more)
        self.add_update("message", message)
        return message["message_id"]

    def press(self, message, user, data):
        self.add_update("callback_query", {
            "id": str(self.update_id + 1), "chat_instance": "1", "data": data,
            "from": {"id": user, "is_bot": False, "first_name": "Somebody"},
            "message": self.sent[message]})

    def forward(self, origin, to):
        self.forwards[origin] = to
        self.changed.notify_all()
        return self.hook_failures

    def migrate(self, chat, to):
        self.migrated[chat] = to


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    schema = world = None

    def log_message(self, *_):
        pass

    def answer(self, status, value, kind="application/json"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except BrokenPipeError:
            pass  # whoever asked was killed

    def refuse(self, status, description, parameters=None):
        extra = {"parameters": parameters} if parameters else {}
        self.answer(status, {"ok": False, "error_code": status, "description": description, **extra})

    def given(self, query):
        parameters, files = dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), {}
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("application/json") and body:
            parameters.update(json.loads(body))
        elif kind.startswith("application/x-www-form-urlencoded"):
            parameters.update(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        elif kind.startswith("multipart/form-data"):
            parsed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
                b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
            for part in parsed.iter_parts():
                name = part.get_param("name", header="content-disposition")
                if part.get_filename():
                    files[name] = (part.get_filename(), part.get_payload(decode=True))
                else:
                    parameters[name] = part.get_payload(decode=True).decode()
        # A parameter may name a file of the same request.
        for name, value in list(parameters.items()):
            if isinstance(value, str) and value.startswith("attach://"):
                files[name] = files.pop(value[9:])
                del parameters[name]
        return parameters, files

    def do_POST(self):
        path, _, query = self.path.partition("?")
        words = urllib.parse.unquote(path).strip("/").split("/")
        parameters, files = self.given(query)
        world = self.world
        if words[0] == "double":
            with world.changed:
                if words[1] == "log":
                    return self.answer(200, world.log)
                if words[1] == "faults":
                    return self.answer(200, world.faults.update(parameters))
                return self.answer(200, getattr(world, words[1])(**parameters))
        if words[:2] == ["file", "bot" + TOKEN]:
            data = world.files.get(words[-1])
            return self.answer(200 if data is not None else 404, data or b"", "application/octet-stream")
        if len(words) != 2 or words[0] != "bot" + TOKEN:
            return self.refuse(401, "Unauthorized")
        method = self.schema.methods.get(words[1].lower())
        if method is None:
            return self.refuse(404, "Not Found")
        does = getattr(world, words[1].lower(), None)
        if does is None:
            return self.refuse(501, f"the double has no {method['name']}")
        try:
            checked = self.schema.parameters(method, parameters, files)
            with world.changed:
                world.calls += 1
                every = world.faults["too_many_every"]
                if every and world.calls % every == 0:
                    return self.refuse(429, "Too Many Requests: retry after 1", {"retry_after": 1})
                value = self.schema.result(method, does(checked))
            self.answer(200, {"ok": True, "result": value})
        except Refused as refused:
            description, parameters, status = (*refused.args, None, None)[:3]
            self.refuse(status or 400, description, parameters)

    do_GET = do_POST


def main():
    Handler.schema = Schema(sys.argv[1])
    Handler.world = World()
    threading.Thread(target=Handler.world.push, daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
