/**
 * Random histories of two agents here and one in C++: messages, letters, updates, lost connections, crashes, and
 * restarts of all three. At the end each has got what was accepted for it, in each sender's order, and nothing twice.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Broker } from "../live-broker.mjs";
import { acquaint, Subject } from "../pair.mjs";
import { Random, seedFrom } from "../random.mjs";

const first = seedFrom("SEALWIRE_SEED", 1);
const seeds = seedFrom("SEALWIRE_SEEDS", 20);
const atOnce = 4;
let broker;
before(async () => { broker = await Broker.start(); });
after(() => broker.stop());
// What a failed history leaves open must not keep the run alive.
after(() => { setTimeout(() => process.exit(), 60_000).unref(); });

/** The C++ agent of one lane: it collects what it gets and acknowledges it. */
class Native {
  constructor(context) { Object.assign(this, { context, got: [], ref: 0, waiting: new Map() }); }
  async up() {
    this.pipe = broker.pipe(this.context);
    await this.pipe.next("ready");
    this.reading = (async () => {
      for (;;) {
        const event = await this.pipe.next(undefined).catch(() => undefined);
        if (!event) return;
        if (event.event === "message") {
          this.got.push([event.from, event.text, event.id]);
          this.pipe.do({ op: "ack", message: event.id });
        }
        if (event.event === "accepted") this.waiting.get(event.ref)?.();
      }
    })();
  }
  send(to, text) {
    const ref = String(++this.ref);
    const accepted = new Promise((resolve) => { this.waiting.set(ref, resolve); });
    this.pipe.do({ op: "send", ref, to, text });
    return accepted;
  }
  async down() {
    await this.pipe.end();
    await this.reading;
  }
}

async function history(seed, native, nativeId) {
  const random = new Random(seed);
  const subjects = [await Subject.make(broker), await Subject.make(broker)];
  const [a, b] = subjects;
  await acquaint(a, b);
  for (const each of subjects) {
    // The C++ agent's files are its own while it runs: it meets these two by an invite instead.
    await each.agent.redeem(native.invites.pop());
  }
  const sent = new Map(); // "from>to" to the texts, in order
  const letters = new Map(); // text to receiver
  const promises = [];
  const push = (sending) => promises.push(sending.catch((error) => { if (error.code !== "closed") throw error; }));
  let count = 0;
  const note = (from, to, text) => sent.set(`${from}>${to}`, [...(sent.get(`${from}>${to}`) ?? []), text]);
  for (let step = 0; step < 25; ++step) {
    const [from, to] = random.of([[a, b], [b, a]]);
    const text = `${seed}.${++count} ${"x".repeat(random.below(300))}`;
    const operation = random.below(12);
    if (operation < 5) {
      note(from.id, to.id, text);
      push(from.agent.send(to.id, text));
    } else if (operation < 7) {
      note(from.id, nativeId, text);
      push(from.agent.send(nativeId, text));
    } else if (operation < 8) {
      // Outside the order of the conversation.
      letters.set(text, to.id);
      push(from.agent.send(to.id, text, { letter: true }));
    } else if (operation < 9) {
      for (const conversation of from.agent.core.conversations.values()) conversation.sent = 32_000; // due for an update
    } else if (operation < 10) {
      from.agent.reconnect();
    } else if (operation < 11) {
      await from.restart(); // in the middle of it: what waits is sent by the next one
    } else {
      await Promise.all(promises.splice(0));
    }
  }
  await Promise.all(promises);
  const expected = (to) => [...sent].filter(([way]) => way.endsWith(`>${to}`)).reduce((sum, [, texts]) => sum + texts.length, 0)
    + [...letters.values()].filter((receiver) => receiver === to).length;
  const plain = (subject) => subject.texts.filter(([, text]) => !letters.has(text));
  for (const each of subjects) await each.until(() => each.texts.length >= expected(each.id), `seed ${seed}`);
  for (const until = Date.now() + 90_000; native.got.filter(([, text]) => text.startsWith(`${seed}.`)).length < expected(nativeId) && Date.now() < until;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const [way, texts] of sent) {
    const [from, to] = way.split(">");
    const got = to === nativeId ? native.got : plain(to === a.id ? a : b);
    assert.deepEqual(got.filter(([sender, text]) => sender === from && text.startsWith(`${seed}.`)).map(([, text]) => text), texts, `${way}, seed ${seed}`);
  }
  const read = new Set([...a.texts, ...b.texts].map(([, text]) => text));
  for (const letter of letters.keys()) assert.ok(read.has(letter), `letter, seed ${seed}`);
  const ids = [...a.texts, ...b.texts].map(([, , message]) => message.id);
  assert.equal(new Set(ids).size, ids.length, `something twice, seed ${seed}`);
  await a.agent.close();
  await b.agent.close();
}

test(`${seeds} random histories from seed ${first}`, async () => {
  const lanes = Array.from({ length: atOnce }, async (_, lane) => {
    const context = `native${lane}`;
    const id = await broker.cliAgent(context);
    const native = new Native(context);
    for (let i = lane; i < seeds; i += atOnce) {
      if (native.pipe) await native.down(); // restarted for each history
      native.invites = [await broker.cli(context, "invite"), await broker.cli(context, "invite")];
      await native.up();
      await history(first + i, native, id);
    }
    await native.down();
  });
  await Promise.all(lanes);
});
