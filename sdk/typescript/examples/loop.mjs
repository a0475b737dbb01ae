// Takes messages one after another; each is acknowledged when the next one is asked for.
import { Agent } from "sealwire";

const agent = await Agent.create({ name: "loop" });
await agent.start();
for await (const message of agent) {
  console.log(message.from.name ?? message.from.id, message.mediaType, message.data.length);
  if (message.isText && message.text === "end") break;
}
await agent.drain();
