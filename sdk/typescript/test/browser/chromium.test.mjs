/** The page of the demo, in a real browser, with a C++ agent in a terminal. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { serve } from "../../examples/browser/serve.mjs";
import { openBrowser, there } from "../chromium.mjs";
import { Broker } from "../live-broker.mjs";

const skip = there ? undefined : "no Chromium (CHROMIUM names it)";
let server, origin, broker, browser, alice, bob;
before(async () => {
  if (skip) return;
  server = await serve(0);
  origin = `http://127.0.0.1:${server.address().port}`;
  broker = await Broker.start((text) => text.replace(/^# origins = .*$/m, `origins = "${origin}"`));
  browser = await openBrowser(broker);
});
after(async () => {
  await browser?.close();
  server?.close();
  await broker?.stop();
});
// What fails must not keep the run alive.
after(() => { setTimeout(() => process.exit(), 60_000).unref(); });

const inPage = (page, look, argument) => page.waitForFunction(look, argument, { timeout: 30_000 });
async function open(name, invite) {
  const page = await browser.context.newPage();
  await page.goto(`${origin}/?agent=${name}${invite ? "#" + invite : ""}`);
  await inPage(page, () => document.getElementById("state").textContent === "connected");
  return page;
}
async function say(page, to, text) {
  await page.selectOption("#send select", to);
  await page.fill("#send input", text);
  await page.click("#send button");
}
const reads = (page, text) => inPage(page, (wanted) => document.getElementById("log").textContent.includes(wanted), text);

test("two tabs are two agents, and one is in a terminal", { skip }, async () => {
  const terminal = await broker.cliAgent("terminal");
  alice = await open("alice", await broker.cli("terminal", "invite"));
  await alice.click("#invite button");
  await inPage(alice, () => document.getElementById("invite-text").textContent.startsWith("sealwire-invite:"));
  bob = await open("bob", await alice.textContent("#invite-text"));
  const [aliceId, bobId] = [await alice.textContent("#id"), await bob.textContent("#id")];
  await say(bob, aliceId, "hello from Bob's tab");
  await reads(alice, "hello from Bob's tab");
  await say(alice, bobId, "<b>and</b> from Alice's");
  await reads(bob, "<b>and</b> from Alice's");
  await say(alice, terminal, "hello terminal");
  assert.equal(await broker.cli("terminal", "recv", "-C", "1", "-W", "20"), "hello terminal");
  assert.equal(await broker.cli("terminal", "req", "-W", "20", aliceId, "who is there?"), "alice says: who is there?");
  const folder = new URL("../../../../build/logs/", import.meta.url).pathname;
  mkdirSync(folder, { recursive: true });
  await alice.screenshot({ path: folder + "typescript-alice.png" });
  await bob.screenshot({ path: folder + "typescript-bob.png" });
});

test("a page that is loaded again is the same agent, and has its peers", { skip }, async () => {
  const before = await alice.textContent("#id");
  await alice.reload();
  await inPage(alice, () => document.getElementById("state").textContent === "connected");
  assert.equal(await alice.textContent("#id"), before);
  await say(alice, await bob.textContent("#id"), "back again");
  await reads(bob, "back again");
});

test("a second tab of the same agent is refused", { skip }, async () => {
  const twin = await browser.context.newPage();
  await twin.goto(`${origin}/?agent=alice`);
  await reads(twin, "state_locked");
  await twin.close();
});

test("nothing of an agent stands in the clear: no storage but IndexedDB, no value unsealed, no key that a script can read", { skip }, async () => {
  const found = await alice.evaluate(async () => {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open("sealwire/alice");
      request.onsuccess = () => resolve(request.result);
      request.onerror = reject;
    });
    const all = (store) => new Promise((resolve) => {
      const request = database.transaction(store).objectStore(store).getAll();
      request.onsuccess = () => resolve(request.result);
    });
    const [key] = await all("keys");
    const exported = await crypto.subtle.exportKey("raw", key).then(() => "readable", () => "refused");
    const values = (await all("values")).map((value) => Array.from(value));
    database.close();
    return { local: localStorage.length, session: sessionStorage.length, cookie: document.cookie, extractable: key.extractable, exported, values };
  });
  const { values, ...rest } = found;
  assert.deepEqual(rest, { local: 0, session: 0, cookie: "", extractable: false, exported: "refused" });
  assert.ok(values.length > 5);
  for (const value of values) {
    const text = Buffer.from(value).toString("latin1");
    assert.ok(!/did:key|wss:|text\/plain|SWJS/.test(text));
  }
});

test("a page of another origin is turned away by the broker (SES-042)", { skip }, async () => {
  const other = await serve(0);
  const page = await browser.context.newPage();
  await page.goto(`http://127.0.0.1:${other.address().port}/?agent=mallory`);
  const outcome = await page.evaluate((url) => new Promise((resolve) => {
    const socket = new WebSocket(url, "sealwire.0");
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("refused");
  }), broker.endpoint);
  assert.equal(outcome, "refused");
  await page.close();
  other.close();
});

test("messages a second in Chromium, printed", { skip }, async () => {
  const page = await browser.context.newPage();
  await page.goto(`${origin}/?agent=measured`);
  const measured = await page.evaluate(async ({ endpoint, brokerKey }) => {
    const { Agent, MemoryStore } = await import("/sealwire.js");
    const make = async () => {
      const agent = await Agent.create({ store: new MemoryStore(), endpoint, brokerKey });
      await agent.start();
      return agent;
    };
    const [a, b] = [await make(), await make()];
    const known = new Promise((resolve) => { a.onNotice(({ type }) => { if (type === "redeemed") resolve(); }); });
    await b.redeem(await a.invite());
    await known;
    const count = 500;
    let left = count;
    const all = new Promise((resolve) => { b.on("text", () => { if (--left === 0) resolve(); }); });
    const begun = performance.now();
    await Promise.all([...Array.from({ length: count }, () => a.send(b.id, "x".repeat(256))), all]);
    const rate = Math.round(count / ((performance.now() - begun) / 1000));
    await a.close();
    await b.close();
    return rate;
  }, { endpoint: broker.endpoint, brokerKey: broker.key });
  console.log(`note: Chromium seals, sends, receives and opens ${measured} messages/s, both agents in one page`);
  assert.ok(measured > 20);
  await page.close();
});
