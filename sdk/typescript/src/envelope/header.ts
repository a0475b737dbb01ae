/** What a header must be, alone and before any signature (ENV-010 to ENV-021). */
import type { Bytes } from "../bytes.js";
import { equal, hex, isZero } from "../bytes.js";
import { zeroDigest } from "../crypto/hash.js";
import { check } from "../errors.js";
import { isUuid7 } from "../identity/identity.js";
import * as limits from "../limits.js";
import { decode } from "../wire/decode.js";
import type { Value } from "../wire/schema.js";
import * as t from "../wire/tables.js";

export type Header = Value<typeof t.Header>;
const { application, commit, welcome, letter } = t.Kind;

/** A 32-byte field that is all zero is the same as an absent one. */
export const present = (bytes: Bytes | undefined): boolean => bytes !== undefined && !isZero(bytes);
export const linkOrZero = (bytes: Bytes | undefined): Bytes => bytes ?? zeroDigest;

export function parseHeader(bytes: Bytes): Header {
  check(bytes.length <= limits.headerBytesMax, "too_large", "header");
  const header = decode(t.Header, "SWHD", bytes, { bytes: limits.headerBytesMax, depth: 4, tables: 64 });
  checkForm(header);
  return header;
}

function checkForm(header: Header): void {
  check(header.suite === 1, "unsupported", "suite");
  check(header.critical === undefined || header.critical.length === 0, "unsupported", "a critical feature");
  check(header.kind >= application && header.kind <= letter, "unsupported", "kind");
  check(isUuid7(header.id), "malformed", "id");
  const inGroup = header.kind !== letter;
  check(present(header.conversation) === inGroup && (header.incarnation > 0) === inGroup, "malformed", "conversation of this kind");
  check(inGroup || (header.epoch === 0n && header.sender_seq === 0n && !present(header.previous)), "malformed", "chain of a letter");
  check(present(header.names) === (header.kind === welcome), "malformed", "names of this kind");
  checkRecipients(header);
  check(header.durability === t.Durability.durable || header.kind === application, "malformed", "a transient of this kind");
  const lifetime = header.expires_ms - header.created_ms;
  const most = inGroup ? limits.applicationLifetimeMsMax : limits.letterLifetimeMsMax;
  check(lifetime > 0n && lifetime <= BigInt(most), "malformed", "lifetime");
  check(header.provenance === undefined || /^bridged:[a-z0-9.-]{1,56}$/.test(header.provenance), "malformed", "provenance");
}

/** ENV-017. */
function checkRecipients(header: Header): void {
  const instances = (header.recipients ?? []).map(({ instance }) => instance);
  check(instances.length <= limits.recipientsMax, "malformed", "too many recipients");
  check(new Set(instances.map(hex)).size === instances.length, "malformed", "a recipient twice");
  const sender = instances.some((instance) => equal(instance, header.sender));
  const sound = header.kind === application ? instances.length === 0
    : header.kind === commit ? sender
    : header.kind === welcome ? instances.length > 0 && !sender
    : instances.length === 1 && !sender;
  check(sound, "malformed", "recipients of this kind");
}

/** ENV-021. What was accepted in time and waited is the broker's to expire; a receiver checks all the same. */
export function checkTimes(header: Header, nowMs: number): void {
  check(header.created_ms <= BigInt(nowMs + limits.clockSkewMs), "malformed", "created in the future");
  const lasting = header.kind === commit || header.kind === welcome;
  check(lasting || BigInt(nowMs) < header.expires_ms, "expired", "envelope");
}
