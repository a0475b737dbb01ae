// The smallest bridge in TypeScript: what agents say is printed, and echoed back as if somebody had said it.
//   npm install && npm run build                            makes bridge.mjs
import { createInterface } from "node:readline";

type Told =
  | { event: "deliver"; id: string; chat: string; from: string; text?: string }
  | { event: "start" | "outcome" | "fetched" | "hook" | "stop" };

const say = (message: object): void => void process.stdout.write(JSON.stringify(message) + "\n");
say({ op: "hello", contract: 1, name: "hello" });
for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line) as Told;
  if (told.event === "stop") process.exit(0);
  if (told.event !== "deliver") continue;
  console.error(`${told.from} says ${told.text}`);
  say({ op: "receive", id: `echo ${told.id}`, chat: told.chat, user: "me", text: `you said ${told.text}` });
  say({ op: "delivered", delivery: told.id });
}
