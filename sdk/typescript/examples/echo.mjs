import { Agent } from "sealwire";

const bot = await Agent.create({ name: "echo" });
bot.on("text", (message) => message.reply(message.text));
process.once("SIGTERM", () => bot.drain());
await bot.start();
console.log(bot.id);
