import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Agent, MemoryStore } from "../../dist/esm/node.js";
import { Broker } from "../live-broker.mjs";
import { acquaint, acquaintCli, Subject } from "../pair.mjs";

let broker;
before(async () => { broker = await Broker.start(); });
after(() => broker.stop());
// What a failed test leaves open must not keep the run alive.
after(() => { setTimeout(() => process.exit(), 60_000).unref(); });

async function two() {
  const [a, b] = [await Subject.make(broker), await Subject.make(broker)];
  await acquaint(a, b);
  return [a, b];
}
const close = (...subjects) => Promise.all(subjects.map(({ agent }) => agent.close()));

test("an invite's text makes a new agent and its inviter contacts", async () => {
  const a = await Subject.make(broker);
  const b = new Subject(broker);
  await b.open({ invite: await a.agent.invite() });
  await a.told("redeemed");
  await a.agent.send(b.id, "hello");
  await b.until(({ texts }) => texts.length === 1, "hello");
  assert.equal(b.texts[0][0], a.id);
  await close(a, b);
});

test("a C++ agent and this one converse, ask and answer, both ways", async () => {
  const a = await Subject.make(broker);
  const id = await broker.cliAgent("bob");
  await acquaintCli(broker, a, "bob", id, "ts");
  a.agent.on("request", (message) => message.reply({ json: { you: message.json() } }));
  const bob = broker.pipe("bob");
  await bob.next("ready");
  for (let i = 0; i < 20; ++i) {
    await a.agent.send("bob", `to C++ ${i}`);
    const { id: message, text } = await bob.next("message");
    assert.equal(text, `to C++ ${i}`);
    bob.do({ op: "ack", message });
    bob.do({ op: "send", to: "ts", text: `from C++ ${i}` });
  }
  await a.until(({ texts }) => texts.length === 20, "20 messages");
  assert.deepEqual(a.from(id), Array.from({ length: 20 }, (_, i) => `from C++ ${i}`));
  const asked = a.agent.request("bob", "the time?");
  const { id: message, kind, deadline } = await bob.next("message");
  assert.equal(kind, "request");
  assert.ok(deadline);
  bob.do({ op: "reply", message, text: "noon" });
  assert.equal((await asked).text, "noon");
  bob.do({ op: "request", ref: "r", to: "ts", json: { tool: "clock" } });
  assert.deepEqual((await bob.next("reply")).json, { you: { tool: "clock" } });
  await bob.end();
  await close(a);
});

test("a C++ agent's invite, letters both ways, and every size up to the limit", async () => {
  const id = await broker.cliAgent("carol");
  const a = new Subject(broker);
  await a.open({ invite: await broker.cli("carol", "invite") });
  await a.agent.send(id, "a letter", { letter: true });
  const got = JSON.parse(await broker.cli("carol", "recv", "-C", "1", "-W", "20", "--json"));
  assert.deepEqual([got.text, got.letter, got.from], ["a letter", true, a.id]);
  await broker.cli("carol", "send", "--letter", a.id, "an answer");
  await a.until(({ texts }) => texts.length === 1, "an answer");
  assert.equal(a.texts[0][2].letter, true);
  for (const size of [0, 1, 1000, 200_000, 1_000_000]) {
    await a.agent.send(id, "x".repeat(size));
    const { text } = JSON.parse(await broker.cli("carol", "recv", "-C", "1", "-W", "20", "--json"));
    assert.equal(text.length, size);
  }
  await assert.rejects(a.agent.send(id, "x".repeat(1_048_577)), { code: "too_large" });
  await close(a);
});

test("a transient reaches who is there", async () => {
  const [a, b] = await two();
  await a.agent.send(b.id, "opens the conversation");
  await b.until(({ texts }) => texts.length === 1, "the first");
  await a.agent.send(b.id, "typing", { transient: true });
  await b.until(({ texts }) => texts.length === 2, "typing");
  await a.agent.send(b.id, "typed");
  await b.until(({ texts }) => texts.length === 3, "typed");
  assert.deepEqual(b.from(a.id), ["opens the conversation", "typing", "typed"]);
  await close(a, b);
});

test("what was sent while the receiver was away, and what was queued while the sender was, arrives in order", async () => {
  const [a, b] = await two();
  await b.agent.close();
  for (let i = 0; i < 30; ++i) await a.agent.send(b.id, String(i));
  const queued = Agent.create({ store: new MemoryStore(a.values) });
  await a.agent.close();
  const offline = await queued; // not started: what it is given waits on its disk
  void offline.send(b.id, "30").catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await offline.close();
  await a.open();
  await b.open();
  await b.until(({ texts }) => texts.length === 31, "31 messages");
  assert.deepEqual(b.from(a.id), Array.from({ length: 31 }, (_, i) => String(i)));
  await close(a, b);
});

test("a broker killed in the middle of it: everything accepted or waiting arrives, once, in order", async () => {
  const [a, b] = await two();
  const sent = Array.from({ length: 200 }, (_, i) => a.agent.send(b.id, String(i)));
  await sent[20];
  await broker.down("SIGKILL");
  await broker.up();
  await Promise.all(sent);
  await b.until(({ texts }) => texts.length >= 200, "200 messages");
  assert.deepEqual(b.from(a.id), Array.from({ length: 200 }, (_, i) => String(i)));
  await close(a, b);
});

test("a handler that throws gets its message again; what it did not finish survives a restart", async () => {
  const [a, b] = await two();
  let tries = 0;
  b.agent.on("text", () => {
    if (++tries === 1) throw new Error("once");
    b.changed();
  });
  await a.agent.send(b.id, "again");
  await b.until(() => tries === 2, "a second try");
  const never = new Promise(() => undefined);
  b.agent.on("text", () => never);
  await a.agent.send(b.id, "unfinished");
  await b.until(({ texts }) => texts.some(([, text]) => text === "unfinished"), "unfinished");
  await b.restart();
  await b.until(({ texts }) => texts.filter(([, text]) => text === "unfinished").length === 2, "it again");
  await close(a, b);
});

test("a loop takes messages one by one", async () => {
  const [a] = [await Subject.make(broker)];
  const b = await Agent.create({ store: new MemoryStore(), invite: await a.agent.invite() });
  await b.start();
  await a.told("redeemed");
  for (const text of ["1", "2", "3"]) void a.agent.send(b.id, text);
  const seen = [];
  for await (const message of b) if (seen.push(message.text) === 3) break;
  assert.deepEqual(seen, ["1", "2", "3"]);
  await b.drain();
  await close(a);
});

test("a request that is aborted, that nobody answers, and that a stranger makes", async () => {
  const [a, b] = await two();
  const abort = new AbortController();
  const asked = a.agent.request(b.id, "?", { signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(asked, { code: "aborted" });
  await assert.rejects(a.agent.request(b.id, "?", { timeoutMs: 100 }), { code: "timeout" });
  const stranger = await Subject.make(broker);
  await stranger.agent.addPeer(b.id);
  await assert.rejects(stranger.agent.send(b.id, "let me in"), { code: "denied" });
  await assert.rejects(stranger.agent.send(b.id, "let me in", { letter: true }), { code: "denied" });
  await assert.rejects(stranger.agent.send("nobody", "?"), { code: "peer_unknown" });
  await close(a, b, stranger);
});

test("a blocked peer's messages are refused", async () => {
  const [a, b] = await two();
  await a.agent.send(b.id, "1");
  await b.until(({ texts }) => texts.length === 1, "1");
  await b.agent.blockPeer(a.id);
  await assert.rejects(a.agent.send(b.id, "2"), { code: "denied" });
  await close(a, b);
});

test("another broker's key is refused before anything is shown to it", async () => {
  const agent = await Agent.create({ store: new MemoryStore(), endpoint: broker.endpoint, brokerKey: "11".repeat(32) });
  await assert.rejects(agent.start(), { code: "unauthenticated" });
  await agent.close();
  await assert.rejects(Agent.create({ store: new MemoryStore(), endpoint: broker.endpoint }), { code: "invalid_argument" });
});

test("a newer session of the same agent replaces the older, which stops", async () => {
  const a = await Subject.make(broker);
  const copy = await Agent.create({ store: new MemoryStore(new Map(a.values)) });
  await copy.start();
  assert.equal((await a.agent.ended).code, "replaced");
  await copy.close();
});

test("state rolled back is noticed, and the conversation opened again", async () => {
  const [a, b] = await two();
  await a.agent.send(b.id, "1");
  await b.until(({ texts }) => texts.length === 1, "1");
  const old = new Map(a.values);
  await a.agent.send(b.id, "2");
  await a.agent.send(b.id, "3");
  await a.agent.close();
  a.values = old;
  await a.open();
  await a.agent.send(b.id, "after");
  await a.told("rolled_back");
  await b.until(({ texts }) => texts.some(([, text]) => text === "after"), "after");
  assert.deepEqual(b.from(a.id), ["1", "2", "3", "after"]);
  await close(a, b);
});

test("a commit whose answer was lost counts when the peer speaks in its epoch (E2E-010)", async () => {
  const [a, b] = await two();
  const { outbox, conversations } = a.agent.core;
  const { accepted } = outbox;
  const lost = async (epoch, text, answer) => {
    outbox.accepted = () => Promise.resolve();
    const sent = a.agent.send(b.id, text);
    while ([...b.agent.core.conversations.values()][0]?.group?.epoch !== epoch) await new Promise(setImmediate);
    await b.agent.send(a.id, answer);
    await a.until(({ texts }) => texts.some(([, each]) => each === answer), answer);
    outbox.accepted = accepted;
    a.agent.reconnect();
    await sent;
  };
  await lost(1n, "1", "after the opening");
  for (const conversation of conversations.values()) conversation.sent = 32_768; // due for an update
  await lost(2n, "2", "after the update");
  await b.until(({ texts }) => texts.length === 2, "both");
  await close(a, b);
});

test("drain lets the handler end and what was sent be accepted", async () => {
  const [a, b] = await two();
  let done = false;
  b.agent.on("text", async (message) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await message.reply("done");
    done = true;
  });
  await a.agent.send(b.id, "work");
  await b.until(({ texts }) => texts.length === 1, "work");
  await b.agent.drain();
  assert.ok(done);
  await a.until(({ texts }) => texts.length === 1, "done");
  await close(a);
});

test("more than the credit holds flows on as the application takes it", async () => {
  const [a, b] = await two();
  await b.agent.close();
  await Promise.all(Array.from({ length: 700 }, (_, i) => a.agent.send(b.id, String(i))));
  await b.open();
  await b.until(({ texts }) => texts.length === 700, "700 messages");
  assert.deepEqual(b.from(a.id), Array.from({ length: 700 }, (_, i) => String(i)));
  await close(a, b);
});
