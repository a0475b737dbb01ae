/** One transport message is one frame: its form and counts (FRM-001 to FRM-010), nothing of what it means. */
import type { Bytes } from "../bytes.js";
import type { ErrorName } from "../errors.js";
import { check } from "../errors.js";
import * as limits from "../limits.js";
import { decode } from "./decode.js";
import { encode } from "./encode.js";
import type { Draft, Value } from "./schema.js";
import * as t from "./tables.js";

export type Body = Value<typeof t.Frame>["body"];
export type BodyName = Body["type"];
export type BodyOf<N extends BodyName> = Extract<Body, { type: N }>;

export function makeFrame(body: Draft<typeof t.Frame>["body"]): Bytes {
  return encode(t.Frame, "SWFR", { body });
}

export function parseFrame(buffer: Bytes, bytesMax = limits.frameBytesMax): Body {
  const { body } = decode(t.Frame, "SWFR", buffer,
    { bytes: bytesMax, depth: limits.frameDepthMax, tables: limits.frameTablesMax });
  checkCounts(body);
  return body;
}

function checkCounts(body: Body): void {
  const within = (count: number, most: number): void => {
    check(count >= 1 && count <= most, "malformed", `${body.type} with ${String(count)} elements`);
  };
  if (body.type === "Hello") within(body.versions.length, 8);
  if (body.type === "Deliver") within(body.entries.length, limits.entriesPerDeliverMax);
  if (body.type === "Send") {
    within(body.bundles.length, limits.bundlesPerSendMax);
    for (const bundle of body.bundles) within(bundle.envelopes.length, 16);
  }
}

/** The name of a wire code; `ok` is none. */
export function codeName(code: number): ErrorName {
  const name = t.Code[code];
  return name === undefined || name === "ok" ? "malformed" : name;
}

export const codeOf = (name: ErrorName): number => Math.max(t.Code.indexOf(name as "malformed"), 1);
