// The TypeScript SDK as the conformance suite wants an agent: JSON lines on stdin and stdout, as `sealwire pipe` has them.
// usage: node agent.mjs    (with SEALWIRE_INVITE)
import { createInterface } from "node:readline";
import { Agent, MemoryStore } from "../../sdk/typescript/dist/esm/node.js";

const tell = (event) => process.stdout.write(JSON.stringify(event) + "\n");
const agent = await Agent.create({ store: new MemoryStore() });
agent.on("message", (message) => {
  tell({ event: "message", id: message.id, from: message.from.id, kind: message.kind, media_type: message.mediaType,
    ...(message.isText ? { text: message.text } : {}) });
});
agent.onNotice(({ type }) => {
  if (type === "connected" || type === "disconnected") tell({ event: "connection", connected: type === "connected" });
});
createInterface({ input: process.stdin }).on("line", (line) => {
  const { op, ref, to, text } = JSON.parse(line);
  if (op !== "send") return;
  agent.send(to, text).then((id) => tell({ event: "accepted", ref, id }), ({ code }) => tell({ event: "error", ref, code }));
}).on("close", () => { void agent.close(); });
tell({ event: "ready" });
agent.start().catch(({ code }) => { tell({ event: "closed", code }); });
