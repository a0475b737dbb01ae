/** What an agent keeps, as FlatBuffers of its own; none of this travels. */
import type { Bytes } from "../bytes.js";
import { decode } from "../wire/decode.js";
import { encode } from "../wire/encode.js";
import type { Draft, Table, Value } from "../wire/schema.js";
import { bytes, enum8, nested, required, sized, string, table, tables, u16, u32, u64 } from "../wire/schema.js";
import { Content, EnvelopeBytes, Signed } from "../wire/tables.js";

export const IdentityRecord = table("IdentityRecord", {
  seed: required(sized(32)), inception: required(nested(Signed)), broker: sized(32), endpoint: string,
  /** The text of an invite that has not been redeemed for certain. */
  invite: string,
});

export const CursorRecord = table("CursorRecord", { incarnation: required(sized(16)), acked: u64 });

export const PeerRecord = table("PeerRecord", { agent: required(sized(32)), inception: nested(Signed), name: string, contact: enum8(2) });

const Position = table("Position", { epoch: u64, seq: u64, previous: required(sized(32)) });

export const ConversationRecord = table("ConversationRecord", {
  id: required(sized(16)), incarnation: u32, peer: required(sized(32)), group: bytes,
  own: required(nested(Position)), theirs: required(nested(Position)),
  /** A commit that the broker has not accepted yet: its bundle, and the group after it. */
  pending: tables(EnvelopeBytes), next: bytes,
  sent: u32, updated_ms: u64, lost: enum8(1),
});

export const OutRecord = table("OutRecord", {
  peer: required(sized(32)), content: required(nested(Content)), letter: enum8(1), transient: enum8(1), expires_ms: u64,
  envelope: bytes,
});

export const InRecord = table("InRecord", {
  from: required(sized(32)), id: required(sized(16)), index: u16, content: required(nested(Content)),
  created_ms: u64, letter: enum8(1), provenance: string,
});

export const KeyPackageRecord = table("KeyPackageRecord", {
  message: required(bytes), init: required(bytes), encryption: required(bytes), last_resort: enum8(1), expires_ms: u64,
});

export const PrekeyRecord = table("PrekeyRecord", { secret: required(sized(32)), created_ms: u64, erase_ms: u64 });

export const InviteRecord = table("InviteRecord", { seed: required(sized(32)), expires_ms: u64 });

const identifier = "SWJS";
const limits = { bytes: 64 * 1_048_576, depth: 8, tables: 65_536 };

export const save = <T extends Table>(of: T, value: Draft<T>): Bytes => encode(of, identifier, value);
export const load = <T extends Table>(of: T, saved: Bytes): Value<T> => decode(of, identifier, saved, limits);

/** Names that sort as their numbers do. */
export const ordinal = (number: number | bigint): string => String(number).padStart(20, "0");
