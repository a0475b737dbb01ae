// The smallest bridge: what agents say is printed, and echoed back as if somebody had said it.
import { createInterface } from "node:readline";
const say = (message) => console.log(JSON.stringify(message));
say({ op: "hello", contract: 1, name: "hello" });
for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  if (told.event !== "deliver") continue;
  console.error(`${told.from} says ${told.text}`);
  say({ op: "receive", id: "echo " + told.id, chat: told.chat, user: "me", text: `you said ${told.text}` });
  say({ op: "delivered", delivery: told.id });
}
