#!/usr/bin/env python3
"""A strict double of the Telegram Bot API on 127.0.0.1, for tests: double.py API.json [PORT]

What it checks comes from the API's description; what it does is what tests need: getMe, getUpdates,
sendMessage, sendDocument, getFile, editMessageText, editMessageReplyMarkup, answerCallbackQuery,
sendChatAction, setWebhook, deleteWebhook, getWebhookInfo. A test speaks to /double/: say, press, migrate, faults,
forward (what stands behind a webhook's https address, as a proxy would), log; and, for bots that talk to bots, bot and
group. Prints its port. Telegram itself was never reached with it.
"""
import email.parser
import email.policy
import json
import random
import re
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


class Bot:
    """One account. `opted_in`: it takes messages of bots, and may write to bots that do."""

    def __init__(self, me, opted_in):
        self.me, self.opted_in = me, opted_in
        self.user = {k: me[k] for k in ("id", "is_bot", "first_name")}
        self.updates, self.files, self.late = [], {}, []
        self.update_id, self.polls, self.sent_at = 1000, 0, {}
        self.webhook = None


class World:
    def __init__(self):
        self.changed = threading.Condition()
        self.sent, self.log = {}, []
        self.message_id, self.calls = 0, 0
        self.migrated, self.groups = {}, {}
        self.muddles = {"twice": 0, "before": 0}  # updates
        self.default = Bot(ME, False)
        self.forwards, self.hook_failures = {}, 0  # of webhooks
        self.bots = {"bot" + TOKEN: self.default}
        self.random = random.Random(0)
        # In percent: calls refused with 429; updates told twice, and told before those that they
        # came after; of messages between bots, those that come twice and late. And how many updates
        # one answer has at most, and the least time between two messages of one bot to one chat.
        # What chance decides, `seed` decides.
        self.faults = {"too_many_percent": 0, "twice_percent": 0, "swap_percent": 0, "updates_most": 100,
                       "duplicate_percent": 0, "late_percent": 0, "pace_ms": 0}

    def add_update(self, kind, value, bot=None):
        bot = bot or self.default
        bot.update_id += 1
        bot.updates.append({"update_id": bot.update_id, kind: value})
        for late in bot.late:
            late["after"] -= 1
        self.come_late(bot)
        self.changed.notify_all()

    def come_late(self, bot):
        """What was held back comes behind what was sent after it, or when nothing more is sent."""
        now = time.time()
        due = [late for late in bot.late if late["after"] <= 0 or late["at"] <= now]
        bot.late = [late for late in bot.late if late not in due]
        for late in due:
            bot.update_id += 1
            bot.updates.append({"update_id": bot.update_id, "message": late["message"]})

    def deliver(self, bot, message):
        """A message between bots, with the faults that are set."""
        copies = 2 if self.happens("duplicate_percent") else 1
        for _ in range(copies):
            if self.happens("late_percent"):
                bot.late.append({"message": message, "after": self.random.randint(1, 3), "at": time.time() + 0.05})
            else:
                self.add_update("message", message, bot)
        self.changed.notify_all()

    def message(self, chat, **more):
        self.message_id += 1
        about = {"id": chat, "type": "private" if chat > 0 else "group"}
        about["first_name" if chat > 0 else "title"] = "Somebody"
        return {"message_id": self.message_id, "date": int(time.time()), "chat": about, **more}

    # --- the API's methods

    def by_id(self, number):
        return next((bot for bot in self.bots.values() if bot.me["id"] == number), None)

    def chat_of(self, bot, p):
        given = str(p["chat_id"])
        if given.startswith("@"):
            named = [b for b in self.bots.values() if b.me["username"].lower() == given[1:].lower()]
            if not named:
                raise Refused("Bad Request: chat not found")
            given = named[0].me["id"]
        chat = int(given)
        other = self.by_id(chat)
        if other is bot or other is not None and not (bot.opted_in and other.opted_in):
            raise Refused("Forbidden: bot can't send messages to bots", None, 403)
        if chat in self.groups and bot not in self.groups[chat]:
            raise Refused("Forbidden: bot is not a member of the group chat", None, 403)
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

    def check_pace(self, bot, chat):
        now, last = time.time(), bot.sent_at.get(chat, 0)
        if (now - last) * 1000 < self.faults["pace_ms"]:
            self.log.append({"method": "too fast", "at": now, "chat": chat})
            raise Refused("Too Many Requests: retry after 1", {"retry_after": 1}, 429)
        bot.sent_at[chat] = now

    def post(self, bot, chat, p, **more):
        self.check_markup(p.get("reply_markup"))
        self.check_pace(bot, chat)
        message = self.message(chat, **{"from": bot.user}, **more)
        if p.get("reply_markup", {}).get("inline_keyboard"):
            message["reply_markup"] = p["reply_markup"]
        self.sent[message["message_id"]] = message
        self.log.append({"method": "send", "at": time.time(), "message": message})
        other = self.by_id(chat)
        for to in [other] if other else [b for b in self.groups.get(chat, ()) if b is not bot]:
            self.deliver(to, self.seen_by(to, bot, message))
        return message

    def seen_by(self, to, bot, message):
        """The same message in another bot's eyes: in the chat with the sender, with a file_id of its own."""
        seen = {key: value for key, value in message.items() if key != "reply_markup"}
        if message["chat"]["id"] > 0:
            seen["chat"] = {"id": bot.me["id"], "type": "private", "first_name": bot.me["first_name"]}
        if "document" in message:
            data = bot.files[message["document"]["file_id"]]
            seen["document"] = self.file(to, message["document"]["file_name"], data)
        return seen

    def getme(self, bot, p):
        return bot.me

    def getupdates(self, bot, p):
        offset, limit = p.get("offset", 0), p.get("limit", 100)
        until = time.time() + min(p.get("timeout", 0), 50)
        if not 1 <= limit <= 100:
            raise Refused("Bad Request: limit")
        if bot.webhook:
            raise Refused("Conflict: can't use getUpdates method while webhook is active", None, 409)
        bot.polls += 1
        mine = bot.polls
        self.changed.notify_all()
        if offset < 0:  # all but the last ones are forgotten
            bot.updates, bot.late = bot.updates[offset:], []
        bot.updates = [u for u in bot.updates if u["update_id"] >= offset]
        while not bot.updates and time.time() < until:
            self.changed.wait(0.02 if bot.late else until - time.time())
            self.come_late(bot)
            if bot.polls != mine:
                raise Refused("Conflict: terminated by other getUpdates request", None, 409)
        return self.muddled(bot.updates[:min(limit, self.faults["updates_most"])])

    def muddled(self, updates):
        """Some twice, the second time anywhere behind the first; some before those that they came after."""
        given = []
        for update in updates:
            given.append(update)
            if len(given) > 1 and self.happens("swap_percent"):
                given.insert(self.random.randrange(len(given) - 1), given.pop())
                self.muddles["before"] += 1
        for update in [u for u in given if self.happens("twice_percent")]:
            given.insert(self.random.randint(given.index(update) + 1, len(given)), update)
            self.muddles["twice"] += 1
        return given

    def muddled_so_far(self):
        return self.muddles

    def happens(self, fault):
        return self.random.random() * 100 < self.faults[fault]

    def sendmessage(self, bot, p):
        chat = self.chat_of(bot, p)
        self.check_text(p["text"], 4096, p.get("entities", []))
        return self.post(bot, chat, p, text=p["text"])

    def senddocument(self, bot, p):
        chat = self.chat_of(bot, p)
        name, data = p["document"]
        if not 0 < len(data) <= 50_000_000:
            raise Refused("Bad Request: file must be non-empty and at most 50 MB")
        if p.get("caption"):
            self.check_text(p["caption"], 1024)
        more = {"caption": p["caption"]} if p.get("caption") else {}
        return self.post(bot, chat, p, document=self.file(bot, name, data), **more)

    def file(self, bot, name, data):
        file_id = f"file{bot.me['id']}-{len(bot.files)}"
        bot.files[file_id] = data
        return {"file_id": file_id, "file_unique_id": "u" + file_id, "file_name": name,
                "file_size": len(data)}

    def getfile(self, bot, p):
        self.log.append({"method": "getFile", "at": time.time(), "bot": bot.me["id"]})
        if p["file_id"] not in bot.files:
            raise Refused("Bad Request: invalid file_id")
        if len(bot.files[p["file_id"]]) > 20_000_000:
            raise Refused("Bad Request: file is too big")
        return {"file_id": p["file_id"], "file_unique_id": "u" + p["file_id"],
                "file_size": len(bot.files[p["file_id"]]), "file_path": "documents/" + p["file_id"]}

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

    def editmessagetext(self, bot, p):
        self.check_text(p["text"], 4096, p.get("entities", []))
        return self.edited(p, text=p["text"])

    def editmessagereplymarkup(self, bot, p):
        return self.edited(p)

    def answercallbackquery(self, bot, p):
        if units(p.get("text", "")) > 200:
            raise Refused("Bad Request: MESSAGE_TOO_LONG")
        self.log.append({"method": "answer", "at": time.time(), "text": p.get("text", "")})
        return True

    def sendchataction(self, bot, p):
        self.chat_of(bot, p)
        return True

    def setwebhook(self, bot, p):
        url = urllib.parse.urlsplit(p["url"])
        if url.scheme != "https" or (url.port or 443) not in (443, 80, 88, 8443):
            raise Refused("Bad Request: bad webhook: HTTPS on port 443, 80, 88 or 8443")
        secret = p.get("secret_token", "")
        if len(secret) > 256 or not all(c.isascii() and (c.isalnum() or c in "_-") for c in secret):
            raise Refused("Bad Request: secret token contains unallowed characters")
        if not 1 <= p.get("max_connections", 40) <= 100:
            raise Refused("Bad Request: max_connections")
        bot.webhook = {"url": p["url"], "secret": secret}
        self.changed.notify_all()
        return True

    def deletewebhook(self, bot, p):
        bot.webhook = None
        self.changed.notify_all()
        return True

    def getwebhookinfo(self, bot, p):
        return {"url": bot.webhook["url"] if bot.webhook else "", "has_custom_certificate": False,
                "pending_update_count": len(bot.updates)}

    def push(self):
        """The webhook's side, for the first bot: one update at a time, until it is answered with 2xx; some twice."""
        bot = self.default
        while True:
            with self.changed:
                while not (bot.webhook and bot.updates):
                    self.changed.wait()
                hook, update = dict(bot.webhook), bot.updates[0]
                times = 2 if self.happens("twice_percent") else 1
            arrived = all([self.pushed(hook, update) for _ in range(times)])
            with self.changed:
                if arrived and bot.updates and bot.updates[0] is update:
                    bot.updates.pop(0)
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
        # One user name for all: it says nothing of who somebody is.
        sender = {"id": user, "is_bot": False, "first_name": "Somebody", "username": "somebody"}
        more = {"text": text} if text is not None else {"document": self.file(self.default, name, document.encode())}
        message = self.message(chat, **{"from": sender}, **more)
        self.add_update("message", message)
        return message["message_id"]

    def press(self, message, user, data):
        self.add_update("callback_query", {
            "id": str(self.default.update_id + 1), "chat_instance": "1", "data": data,
            "from": {"id": user, "is_bot": False, "first_name": "Somebody"},
            "message": self.sent[message]})

    def forward(self, origin, to):
        self.forwards[origin] = to
        self.changed.notify_all()
        return self.hook_failures

    def migrate(self, chat, to):
        self.migrated[chat] = to
        if chat in self.groups:
            self.groups[to] = self.groups[chat]
        for bot in self.groups.get(to, ()):
            self.add_update("message", self.message(chat, migrate_to_chat_id=to), bot)

    def bot(self, token, username, opted_in=True):
        """Another bot; its id is the token's first half, as on Telegram."""
        me = {**ME, "id": int(token.split(":")[0]), "first_name": username, "username": username}
        self.bots["bot" + token] = Bot(me, opted_in)

    def group(self, chat, bots):
        self.groups[chat] = [self.by_id(number) for number in bots]

    def seed(self, seed):
        self.random = random.Random(seed)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
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
            mark = b"\r\n--" + re.search(r'boundary="?([^";]+)', kind).group(1).encode()
            for part in (b"\r\n" + body).split(mark)[1:-1]:
                head, _, data = part.partition(b"\r\n\r\n")
                about = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head.lstrip() + b"\r\n\r\n")
                name = about.get_param("name", header="content-disposition")
                if about.get_filename():
                    files[name] = (about.get_filename(), data)
                else:
                    parameters[name] = data.decode()
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
                    if unknown := parameters.keys() - world.faults.keys():
                        return self.answer(400, f"no faults of the double: {unknown}")
                    return self.answer(200, world.faults.update(parameters))
                return self.answer(200, getattr(world, words[1])(**parameters))
        bot = world.bots.get(words[words[0] == "file"]) if len(words) > 1 else None
        if words[0] == "file" and bot is not None:
            data = bot.files.get(words[-1])
            return self.answer(200 if data is not None else 404, data or b"", "application/octet-stream")
        if len(words) != 2 or bot is None:
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
                if world.happens("too_many_percent"):
                    world.log.append({"method": "too many", "at": time.time(), "refused": method["name"]})
                    return self.refuse(429, "Too Many Requests: retry after 1", {"retry_after": 1})
                value = self.schema.result(method, does(bot, checked))
            self.answer(200, {"ok": True, "result": value})
        except Refused as refused:
            self.refuse(refused.status, refused.description, refused.parameters)

    do_GET = do_POST


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        # A client that ends its long poll by hanging up is no error of ours.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)


def main():
    Handler.schema = Schema(sys.argv[1])
    Handler.world = World()
    threading.Thread(target=Handler.world.push, daemon=True).start()
    server = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
