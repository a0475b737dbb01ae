"""aiogram and python-telegram-bot against the double: clients.py URL TOKEN. Each line is a check."""
import asyncio
import json
import sys
import urllib.request

from aiogram import Bot as AiogramBot
from aiogram import Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramConflictError, TelegramMigrateToChat, TelegramRetryAfter
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup
from aiohttp import web
from telegram import Bot as PtbBot
from telegram.error import BadRequest, ChatMigrated, RetryAfter

url, token = sys.argv[1:3]


def double(what, **body):
    request = urllib.request.Request(f"{url}/double/{what}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


async def raises(kind, call):
    try:
        await call
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


async def aiogram():
    bot = AiogramBot(token, AiohttpSession(api=TelegramAPIServer.from_base(url)))
    assert (await bot.get_me()).username == "double_bot"
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="a", callback_data="1")]])
    sent = await bot.send_message(9, "text", reply_markup=keyboard)
    await bot.edit_message_reply_markup(chat_id=9, message_id=sent.message_id)
    print("ok aiogram sends and edits")
    document = await bot.send_document(9, BufferedInputFile(b"12345", "f.txt"))
    file = await bot.get_file(document.document.file_id)
    assert (await bot.download_file(file.file_path)).read() == b"12345"
    print("ok aiogram sends a document and reads it back")
    double("faults", too_many_percent=100)
    assert (await raises(TelegramRetryAfter, bot.get_me())).retry_after == 1
    double("faults", too_many_percent=0)
    double("migrate", chat=-5, to=-1005)
    assert (await raises(TelegramMigrateToChat, bot.send_message(-5, "x"))).migrate_to_chat_id == -1005
    print("ok aiogram understands 429 and a moved chat")
    double("say", chat=9, user=90, text="poll")
    updates = await bot.get_updates(timeout=1)
    assert updates[-1].message.text == "poll"
    await bot.get_updates(offset=updates[-1].update_id + 1)
    assert await bot.get_updates() == []
    print("ok aiogram polls, and an offset confirms")
    await bot.session.close()


async def webhook():
    bot = AiogramBot(token, AiohttpSession(api=TelegramAPIServer.from_base(url)))
    dispatcher, came = Dispatcher(), asyncio.Queue()

    @dispatcher.message()
    async def _(message):
        await came.put(message.text)

    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token="right-1").register(app, path="/hook")
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    await asyncio.to_thread(double, "forward", origin="https://bot.example", to=f"http://127.0.0.1:{port}")
    await bot.set_webhook("https://bot.example/hook", secret_token="wrong-1", max_connections=1)
    await raises(TelegramConflictError, bot.get_updates())
    double("say", chat=9, user=90, text="pushed")
    for _ in range(100):  # refused by aiogram, the update stays
        if await asyncio.to_thread(double, "forward", origin="-", to=""):
            break
        await asyncio.sleep(0.05)
    assert came.empty() and (await bot.get_webhook_info()).pending_update_count == 1
    await bot.set_webhook("https://bot.example/hook", secret_token="right-1", max_connections=1)
    assert await asyncio.wait_for(came.get(), 10) == "pushed"
    await bot.delete_webhook()
    await runner.cleanup()
    await bot.session.close()
    print("ok aiogram takes a webhook with the secret it set, and refuses another")


async def ptb():
    async with PtbBot(token, base_url=url + "/bot", base_file_url=url + "/file/bot") as bot:
        assert bot.username == "double_bot"
        sent = await bot.send_message(10, "hello")
        assert (await bot.edit_message_text("bye", 10, sent.message_id)).text == "bye"
        document = await bot.send_document(10, b"abc", filename="a")
        data = await (await bot.get_file(document.document.file_id)).download_as_bytearray()
        assert bytes(data) == b"abc"
        print("ok python-telegram-bot sends, edits, sends and reads a document")
        await raises(BadRequest, bot.send_message(10, "x" * 4097))
        double("faults", too_many_percent=100)
        await raises(RetryAfter, bot.send_message(10, "x"))
        double("faults", too_many_percent=0)
        await raises(ChatMigrated, bot.send_message(-5, "x"))
        print("ok python-telegram-bot understands 400, 429 and a moved chat")
        double("say", chat=10, user=100, text="poll")
        updates = await bot.get_updates(timeout=1)
        assert updates[-1].message.text == "poll"
        await bot.get_updates(offset=updates[-1].update_id + 1)
        print("ok python-telegram-bot polls")


asyncio.run(aiogram())
asyncio.run(webhook())
asyncio.run(ptb())
