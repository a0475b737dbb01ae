/** Prints what a message costs: 256 bytes, sealed, sent, stored and fsynced by the broker; and received, opened and stored. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, FolderStore } from "../dist/esm/node.js";
import { Broker } from "./live-broker.mjs";

const count = Number(process.argv[2] ?? 3000);
const broker = await Broker.start();
const folder = await mkdtemp(join(tmpdir(), "sealwire-bench-"));
const options = { endpoint: broker.endpoint, brokerKey: broker.key };
const rate = (from) => Math.round(count / ((performance.now() - from) / 1000));

const alice = await Agent.create({ ...options, store: await FolderStore.open(join(folder, "alice")) });
const bob = await Agent.create({ ...options, store: await FolderStore.open(join(folder, "bob")) });
await alice.start();
await bob.start();
const known = new Promise((resolve) => { alice.onNotice(({ type }) => { if (type === "redeemed") resolve(); }); });
await bob.redeem(await alice.invite());
await known;
await new Promise((resolve) => setTimeout(resolve, 500)); // the rest of the key packages
let begun = performance.now();
await alice.send(bob.id, "x".repeat(256));
console.log(`first message to a new peer: ${(performance.now() - begun).toFixed(0)} ms`);

await bob.close();
begun = performance.now();
await Promise.all(Array.from({ length: count }, () => alice.send(bob.id, "x".repeat(256))));
console.log(`note: Node seals, sends, has accepted: ${rate(begun)} messages/s`);

const again = await Agent.create({ ...options, store: await FolderStore.open(join(folder, "bob")) });
let left = count + 1;
const all = new Promise((resolve) => { again.on("text", () => { if (--left === 0) resolve(); }); });
begun = performance.now();
await again.start();
await all;
console.log(`note: Node receives, opens, has stored, handled: ${rate(begun)} messages/s`);
await again.close();

const third = await Agent.create({ ...options, store: await FolderStore.open(join(folder, "bob")) });
const text = new Promise((resolve) => { third.on("text", resolve); });
begun = performance.now();
await third.start();
await alice.send(third.id, "hello");
await text;
console.log(`note: Node, connect to first message: ${(performance.now() - begun).toFixed(0)} ms`);
await alice.close();
await third.close();
await broker.stop();
await rm(folder, { recursive: true });
