// grammY and node-telegram-bot-api against the double: clients.mjs URL TOKEN. Each line is a check.
import assert from "node:assert/strict";
import { Bot, InlineKeyboard, InputFile, GrammyError } from "grammy";
import { Api } from "node-telegram-bot-api";

const [url, token] = process.argv.slice(2);
const double = async (what, body = {}) =>
  (await fetch(`${url}/double/${what}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();
const check = async (name, run) => { await run(); console.log(`ok ${name}`); };

const bot = new Bot(token, { client: { apiRoot: url } });
await check("grammY knows who it is", async () => assert.equal((await bot.api.getMe()).username, "double_bot"));
await check("grammY sends text with buttons", async () => {
  const sent = await bot.api.sendMessage(7, "approve?", { reply_markup: new InlineKeyboard().text("yes", "y").text("no", "n") });
  assert.equal(sent.reply_markup.inline_keyboard[0][1].callback_data, "n");
  await double("press", { message: sent.message_id, user: 70, data: "y" });
});
await check("grammY is refused text that is too long", async () =>
  assert.rejects(bot.api.sendMessage(7, "x".repeat(4097)), (e) => e instanceof GrammyError && e.error_code === 400));
await check("grammY sends a document", async () => {
  const sent = await bot.api.sendDocument(7, new InputFile(Buffer.from("bytes"), "a.bin"), { caption: "c" });
  assert.equal(sent.document.file_size, 5);
});
await check("grammY polls: a press, then text, in order", async () => {
  await double("say", { chat: 7, user: 70, text: "hello" });
  const seen = [];
  await new Promise((done, failed) => {
    bot.on("callback_query:data", async (c) => { seen.push(c.callbackQuery.data); await c.answerCallbackQuery("thanks"); });
    bot.on("message:text", (c) => { seen.push(c.message.text); done(); });
    bot.start().catch(failed);
  });
  await bot.stop();
  assert.deepEqual(seen, ["y", "hello"]);
});

const node = new Api(token, { apiRoot: url });
await check("node-telegram-bot-api sends, edits and polls", async () => {
  const sent = await node.sendMessage({ chat_id: 8, text: "one" });
  const edited = await node.editMessageText({ chat_id: 8, message_id: sent.message_id, text: "two" });
  assert.equal(edited.text, "two");
  await double("say", { chat: 8, user: 80, text: "again" });
  const updates = await node.getUpdates({ timeout: 1 });
  assert.equal(updates.at(-1).message.text, "again");
});
process.exit(0);
