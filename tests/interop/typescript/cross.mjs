// Vectors that either side generates, and on which both must agree: random frames and contents through flatc, envelopes
// through `sealwire inspect`, identities and invites of both. The seed is printed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { complete, draft } from "../../../sdk/typescript/test/drafts.mjs";
import { Broker, build } from "../../../sdk/typescript/test/live-broker.mjs";
import { Subject } from "../../../sdk/typescript/test/pair.mjs";
import { Random, seedFrom } from "../../../sdk/typescript/test/random.mjs";
import { decode } from "../../../sdk/typescript/dist/esm/wire/decode.js";
import { encode } from "../../../sdk/typescript/dist/esm/wire/encode.js";
import * as tables from "../../../sdk/typescript/dist/esm/wire/tables.js";
import { hex } from "../../../sdk/typescript/dist/esm/bytes.js";
import { randomBytes } from "../../../sdk/typescript/dist/esm/crypto/ed25519.js";
import { digestOf, sealEnvelope } from "../../../sdk/typescript/dist/esm/envelope/envelope.js";
import { newIdentity, uuid7 } from "../../../sdk/typescript/dist/esm/identity/identity.js";
import { parseInvite } from "../../../sdk/typescript/dist/esm/identity/invite.js";
import { agentText, didKey } from "../../../sdk/typescript/dist/esm/identity/text.js";

const seed = seedFrom("SEALWIRE_SEED", Date.now() % 1e6);
const random = new Random(seed);
const schema = new URL("../../../protocol/schema/", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "sealwire-cross-"));
const limits = { bytes: 1 << 22, depth: 12, tables: 4096 };
let passed = 0;
let failed = 0;

async function check(name, run) {
  try {
    await run();
    ++passed;
    console.log(`ok      ${name}`);
  } catch (error) {
    ++failed;
    console.log(`failed: ${name} (seed ${seed})\n${error.stack}`);
  }
}

/** Bytes of ours to JSON and back to bytes, both by flatc. */
function throughFlatc(file, table, identifier, count) {
  const made = Array.from({ length: count }, (_, i) => {
    const value = draft(random, table);
    const path = join(folder, `${table.name}${i}.bin`);
    writeFileSync(path, encode(table, identifier, value));
    return { value, path };
  });
  const options = ["-I", schema, "-o", folder];
  execFileSync("flatc", ["--json", "--strict-json", "--raw-binary", ...options, join(schema, file), "--", ...made.map(({ path }) => path)]);
  execFileSync("flatc", ["--binary", ...options, join(schema, file), ...made.map(({ path }) => path.replace(".bin", ".json"))]);
  for (const { value, path } of made) {
    assert.deepEqual(decode(table, identifier, new Uint8Array(readFileSync(path)), limits), complete(table, value));
  }
}

await check("300 random frames: flatc reads ours, we read flatc's", () => throughFlatc("frame.fbs", tables.Frame, "SWFR", 300));
await check("100 random contents: flatc reads ours, we read flatc's", () => throughFlatc("content.fbs", tables.ContentBatch, "SWCO", 100));

const inspect = (bytes) => {
  const path = join(folder, "envelope");
  writeFileSync(path, bytes);
  return execFileSync(join(build, "bin/sealwire"), ["--json", "inspect", path], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
};

await check("20 envelopes of ours: C++ verifies them, and none of which a signed byte was changed", async () => {
  const identity = await newIdentity(Date.now());
  for (let i = 0; i < 20; ++i) {
    const now = Date.now();
    const header = encode(tables.Header, "SWHD", {
      suite: 1, id: uuid7(now, randomBytes(10)), sender: identity.key, kind: tables.Kind.application, conversation: random.bytes(16),
      incarnation: 1 + random.below(9), epoch: BigInt(random.below(1e6)), created_ms: BigInt(now), expires_ms: BigInt(now + 1 + random.below(1e9)),
      sender_seq: BigInt(random.below(1e6)), previous: random.bytes(32), durability: random.below(2),
      ...(random.chance(0.5) && { provenance: "bridged:telegram" }),
    });
    const envelope = await sealEnvelope(identity.signing, header, random.bytes(random.below(500)));
    const told = inspect(envelope.bytes);
    assert.ok(told.includes(hex(envelope.header.id)) || told.includes(hex(digestOf(envelope))), told);
    assert.ok(told.includes(didKey(identity.key)) || told.includes(hex(identity.key)), told);
    const changed = new Uint8Array(envelope.bytes);
    const at = envelope.bytes.length - 64; // in the signature, the last of the three
    changed[at + random.below(60)] ^= 1;
    assert.throws(() => inspect(changed));
  }
});

const broker = await Broker.start();
await check("an identity and an invite of C++: the same agent id here", async () => {
  const id = await broker.cliAgent("native");
  const invite = await parseInvite(await broker.cli("native", "invite"));
  assert.equal(agentText(invite.inviter.agent), id);
  assert.equal(hex(invite.broker), broker.key);
});
await check("an identity and an invite of ours: C++ logs in by it, and names us by the same agent id", async () => {
  const ours = await Subject.make(broker);
  await broker.cli("invited", "key", "new").catch(() => undefined);
  await broker.cli("invited", "login", "--name", "ours", await ours.agent.invite());
  await ours.told("redeemed");
  assert.equal(ours.agent.peers()[0].id, await broker.cli("invited", "whoami"));
  assert.ok((await broker.cli("invited", "peer", "ls")).includes(ours.id));
  await ours.agent.send(ours.agent.peers()[0].id, "welcome");
  assert.equal(await broker.cli("invited", "recv", "-C", "1", "-W", "20"), "welcome");
  await ours.agent.close();
});
await broker.stop();
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
