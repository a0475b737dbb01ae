/** What is said: contents, their batches, and how they are given and read (SPEC chapter E2E, Content). */
import type { Bytes } from "./bytes.js";
import { copy, fromUtf8, utf8 } from "./bytes.js";
import { check, fail } from "./errors.js";
import { contentBytesMax, contentItemsMax } from "./limits.js";
import { decode } from "./wire/decode.js";
import { encode } from "./wire/encode.js";
import * as t from "./wire/tables.js";

export type ContentKind = (typeof t.ContentKind)[number];

export interface Content {
  readonly kind: ContentKind;
  readonly mediaType: string;
  readonly data: Bytes;
  readonly replyTo?: Bytes | undefined;
  readonly deadlineMs?: number | undefined;
  /** W3C trace context. */
  readonly trace?: string | undefined;
}

/** What may be sent: a text, bytes, a JSON value, or data with a media type of its own. */
export type Sendable = string | Uint8Array | { readonly json: unknown } | { readonly mediaType: string; readonly data: Uint8Array | string };

export function payloadOf(given: Sendable): { mediaType: string; data: Bytes } {
  if (typeof given === "string") return { mediaType: "text/plain", data: utf8(given) };
  if (given instanceof Uint8Array) return { mediaType: "application/octet-stream", data: copy(given) };
  if ("json" in given) {
    const text = JSON.stringify(given.json) as string | undefined;
    return { mediaType: "application/json", data: utf8(text ?? fail("invalid_argument", "not a JSON value")) };
  }
  check(soundMediaType(given.mediaType), "invalid_argument", "media type");
  return { mediaType: given.mediaType, data: typeof given.data === "string" ? utf8(given.data) : copy(given.data) };
}

export const isText = (mediaType: string): boolean => /^text\//i.test(mediaType);
export const isJson = (mediaType: string): boolean => /^application\/([\w.-]+\+)?json\b/i.test(mediaType);

const soundMediaType = (text: string): boolean => text.length <= 127 && /^[ -~]+\/[ -~]+$/.test(text);

export function encodeContents(contents: readonly Content[]): Bytes {
  check(contents.length >= 1 && contents.length <= contentItemsMax, "invalid_argument", "number of contents");
  const batch = encode(t.ContentBatch, "SWCO", {
    items: contents.map((content) => ({
      kind: t.ContentKind.indexOf(content.kind), media_type: content.mediaType, data: content.data,
      reply_to: content.replyTo, deadline_ms: BigInt(content.deadlineMs ?? 0), trace: content.trace,
    })),
  });
  check(batch.length <= contentBytesMax, "too_large", "content");
  return batch;
}

/** E2E-030. */
export function decodeContents(batch: Bytes): Content[] {
  const { items } = decode(t.ContentBatch, "SWCO", batch, { bytes: contentBytesMax, depth: 8, tables: 264 });
  check(items.length >= 1 && items.length <= contentItemsMax, "malformed", "number of contents");
  return items.map((item) => {
    check(soundMediaType(item.media_type), "malformed", "media type");
    check(item.reply_to === undefined || item.reply_to.length === 18, "malformed", "reply_to");
    return {
      kind: t.ContentKind[item.kind] ?? "message", mediaType: item.media_type, data: copy(item.data),
      replyTo: item.reply_to && copy(item.reply_to), trace: item.trace,
      deadlineMs: item.deadline_ms === 0n ? undefined : Number(item.deadline_ms),
    };
  });
}

export const textOf = (content: Content): string => fromUtf8(content.data);
