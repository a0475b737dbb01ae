// Asks a peer one thing: node ask.mjs PEER TEXT. The invite is in SEALWIRE_INVITE the first time.
import { Agent } from "sealwire";

const [peer, text] = process.argv.slice(2);
const agent = await Agent.create({ name: "ask" });
await agent.start();
const answer = await agent.request(peer, text, { timeoutMs: 10_000 });
console.log(answer.text);
await agent.drain();
