import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SealwireError } from "../../dist/esm/errors.js";
import { decode } from "../../dist/esm/wire/decode.js";
import { encode } from "../../dist/esm/wire/encode.js";
import { makeFrame, parseFrame } from "../../dist/esm/wire/frame.js";
import * as tables from "../../dist/esm/wire/tables.js";
import { parseEnvelope } from "../../dist/esm/envelope/envelope.js";
import { decodeContents } from "../../dist/esm/content.js";
import { complete, draft } from "../drafts.mjs";
import { Random, seedFrom } from "../random.mjs";

const schema = ["identity", "envelope", "content", "frame"].map((name) =>
  readFileSync(new URL(`../../../../protocol/schema/${name}.fbs`, import.meta.url), "utf8").replace(/\/\/.*/g, "")).join("\n");
const enums = new Map([...schema.matchAll(/enum (\w+)\s*:\s*(\w+)\s*\{([^}]*)\}/g)].map(([, name, type, body]) =>
  [name, { type, values: [...body.matchAll(/(\w+)\s*=\s*(\d+)/g)].map(([, key, value]) => [key, Number(value)]) }]));
const unions = new Map([...schema.matchAll(/union (\w+)\s*\{([^}]*)\}/g)].map(([, name, body]) => [name, body.split(",").map((s) => s.trim())]));

/** What a type of the schema is in `tables.ts`. */
function described(type) {
  if (type === "[ubyte]") return { kind: "bytes" };
  if (type === "[ushort]") return { kind: "u16s" };
  if (type === "[string]") return { kind: "strings" };
  if (type === "string") return { kind: "string" };
  const scalars = { ubyte: "u8", ushort: "u16", uint: "u32", ulong: "u64" };
  if (scalars[type]) return { kind: "scalar", scalar: scalars[type] };
  if (enums.has(type)) {
    const { type: of, values } = enums.get(type);
    return { kind: "scalar", scalar: scalars[of], max: Math.max(...values.map(([, value]) => value)) };
  }
  if (unions.has(type)) return { kind: "union", members: unions.get(type) };
  return type.startsWith("[") ? { kind: "tables", table: type.slice(1, -1) } : { kind: "table", table: type };
}

test("tables.ts is the schema, field by field", () => {
  let count = 0;
  for (const [, name, body] of schema.matchAll(/table (\w+)\s*\{([^}]*)\}/g)) {
    const fields = [...body.matchAll(/(\w+)\s*:\s*([[\]\w]+)\s*(\(required\))?\s*;/g)];
    const ours = Object.entries(tables[name].fields).map(([field, { shape, required }]) => {
      const { size: _, most: __, ...plain } = shape;
      if (`${name}.${field}` === "Header.kind") plain.max = 4; // ENV-013 refuses what is beyond, with a code of its own
      if (plain.table) plain.table = plain.table.name;
      if (plain.members) plain.members = plain.members.map((member) => member.name);
      return [field, plain, required];
    });
    assert.deepEqual(ours, fields.map(([, field, type, needed]) => [field, described(type), needed !== undefined]), name);
    ++count;
  }
  assert.ok(count > 40);
});

test("enums are the schema's", () => {
  const values = (name) => enums.get(name).values;
  for (const name of ["Code", "ContentKind", "Contact"]) assert.deepEqual(values(name), [...tables[name].entries()].map(([i, key]) => [key, i]));
  for (const name of ["Binding", "Kind", "Durability"]) assert.deepEqual(values(name), Object.entries(tables[name]));
});

const limits = { bytes: 1 << 22, depth: 12, tables: 4096 };
const all = Object.values(tables).filter((each) => each?.fields);

test("what is encoded is decoded to the same values, for every table", () => {
  const seed = seedFrom("SEALWIRE_SEED", Date.now() % 1e6);
  const random = new Random(seed);
  for (let i = 0; i < 2000; ++i) {
    const table = random.of(all);
    const value = draft(random, table);
    const buffer = encode(table, "TEST", value);
    assert.deepEqual(decode(table, "TEST", buffer, limits), complete(table, value), `seed ${seed}, ${table.name}`);
    assert.deepEqual(encode(table, "TEST", decode(table, "TEST", buffer, limits)), buffer, `seed ${seed}, ${table.name}`);
  }
});

/** Nothing but a SealwireError may come out of hostile bytes, and soon. */
function harmless(parse, bytes, context) {
  const begun = performance.now();
  try {
    parse(bytes);
  } catch (error) {
    assert.ok(error instanceof SealwireError, `${context}: ${error.stack}`);
    assert.ok(["malformed", "unsupported", "too_large"].includes(error.code), `${context}: ${error.code}`);
  }
  assert.ok(performance.now() - begun < 2000, `${context}: slow`);
}

function mutate(random, bytes) {
  const changed = new Uint8Array(bytes);
  const view = new DataView(changed.buffer);
  for (let edits = 1 + random.below(4); edits > 0 && changed.length > 8; --edits) {
    const at = random.below(changed.length);
    switch (random.below(4)) {
      case 0: changed[at] ^= 1 << random.below(8); break;
      case 1: changed[at] = random.below(256); break;
      case 2: if (at + 4 <= changed.length) view.setUint32(at & ~3, random.of([0, 4, 0x7fffffff, 0x80000000, 0xfffffffc, changed.length]), true); break;
      case 3: return changed.slice(0, at);
    }
  }
  return changed;
}

test("mutated frames, envelopes and contents: a named error, in time, never out of bounds", () => {
  const seed = seedFrom("SEALWIRE_SEED", Date.now() % 1e6);
  const random = new Random(seed);
  const rounds = seedFrom("SEALWIRE_FUZZ", 40_000);
  const members = tables.Frame.fields.body.shape.members;
  for (let i = 0; i < rounds; ++i) {
    const member = random.of(members);
    const frame = makeFrame({ type: member.name, ...draft(random, member) });
    harmless(parseFrame, mutate(random, frame), `seed ${seed}, round ${i}, ${member.name}`);
    if (i % 8 === 0) {
      const header = encode(tables.Header, "SWHD", draft(random, tables.Header));
      const envelope = encode(tables.Envelope, "SWEN", { ...draft(random, tables.Envelope), header: mutate(random, header) });
      harmless(parseEnvelope, random.chance(0.5) ? envelope : mutate(random, envelope), `seed ${seed}, round ${i}, envelope`);
      const batch = encode(tables.ContentBatch, "SWCO", draft(random, tables.ContentBatch));
      harmless(decodeContents, mutate(random, batch), `seed ${seed}, round ${i}, content`);
    }
  }
});

const code = (expected) => (error) => error instanceof SealwireError && error.code === expected;
const ack = () => makeFrame({ type: "Ack", sequence: 7n });

test("every shorter prefix of a frame is refused", () => {
  const frame = makeFrame({ type: "Call", id: 1, request: { type: "Lookup", agent: new Uint8Array(32) } });
  for (let size = 0; size < frame.length; ++size) assert.throws(() => parseFrame(frame.slice(0, size)), SealwireError, String(size));
});

test("another identifier is refused", () => {
  const frame = ack();
  frame[7] = 0x58;
  assert.throws(() => parseFrame(frame), code("malformed"));
});

test("an unknown union tag, and none where one is required, are unsupported", () => {
  const many = { name: "Frame", fields: { body: { shape: { kind: "union", members: Array.from({ length: 17 }, (_, i) => ({ name: `m${i}`, fields: {} })) }, required: true } } };
  assert.throws(() => parseFrame(encode(many, "SWFR", { body: { type: "m16" } })), code("unsupported"));
  assert.throws(() => parseFrame(encode({ name: "Frame", fields: {} }, "SWFR", {})), code("unsupported"));
});

test("an unknown enum value and a key of 31 bytes are malformed", () => {
  const loose = (name, fields) => ({ name, fields });
  const scalar = { shape: { kind: "scalar", scalar: "u16" }, required: false };
  const close = loose("Close", { code: scalar });
  const frame = (member, at) => {
    const members = [...tables.Frame.fields.body.shape.members];
    members[at] = member;
    return loose("Frame", { body: { shape: { kind: "union", members }, required: true } });
  };
  assert.throws(() => parseFrame(encode(frame(close, 15), "SWFR", { body: { type: "Close", code: 19 } })), code("malformed"));
  const bytes = { shape: { kind: "bytes" }, required: true };
  const challenge = loose("Challenge", { terms: bytes, signature: bytes });
  assert.throws(() => parseFrame(encode(frame(challenge, 1), "SWFR", { body: { type: "Challenge", terms: new Uint8Array(4), signature: new Uint8Array(63) } })), code("malformed"));
});

test("one shared child under many offsets is stopped by the number of tables", () => {
  const leaf = { name: "Leaf", fields: {} };
  const middle = { name: "Middle", fields: { items: { shape: { kind: "tables", table: leaf }, required: true } } };
  const top = { name: "Top", fields: { items: { shape: { kind: "tables", table: middle }, required: true } } };
  const items = Array.from({ length: 100 }, (_, i) => ({ items: Array(i === 99 ? 100 : 1).fill({}) }));
  const buffer = encode(top, "TEST", { items });
  assert.equal(decode(top, "TEST", buffer, limits).items.length, 100);
  const view = new DataView(buffer.buffer, buffer.byteOffset);
  const field = view.getUint32(0, true) + 4;
  const first = field + view.getUint32(field, true) + 4;
  const last = first + 4 * 99;
  const child = last + view.getUint32(last, true);
  for (let at = first; at <= last; at += 4) view.setUint32(at, child - at, true); // 100 times the one with 100
  assert.throws(() => decode(top, "TEST", buffer, limits), (error) => error.detail === "too many tables");
});

test("nesting beyond the limit is malformed", () => {
  const deep = { name: "Deep", fields: {} };
  deep.fields.next = { shape: { kind: "table", table: deep }, required: false };
  let value = {};
  for (let i = 0; i < 12; ++i) value = { next: value };
  const buffer = encode(deep, "TEST", value);
  assert.throws(() => decode(deep, "TEST", buffer, { ...limits, depth: 12 }), code("malformed"));
  assert.ok(decode(deep, "TEST", buffer, { ...limits, depth: 13 }));
});

test("counts beyond FRM-008 are malformed", () => {
  const envelope = { bytes: new Uint8Array(4) };
  const send = (bundles, envelopes) => makeFrame({ type: "Send", bundles: Array.from({ length: bundles }, () => ({ envelopes: Array(envelopes).fill(envelope) })) });
  assert.equal(parseFrame(send(256, 1)).type, "Send");
  for (const [bundles, envelopes] of [[257, 1], [0, 0], [1, 17], [1, 0]]) assert.throws(() => parseFrame(send(bundles, envelopes)), code("malformed"));
});
