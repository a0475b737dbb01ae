/** The tables of `protocol/schema/*.fbs`, field by field; a test holds this file to them. */
import { bytes, enum8, enum16, nested, required, sized, statement, string, strings, table, tables, u16, u16s, u32, u64, union } from "./schema.js";

export const Binding = { none: 0, tls_exporter: 1, curve: 2 } as const;
export const Code = [
  "ok", "malformed", "unsupported", "unauthenticated", "denied", "unknown", "too_large", "expired", "stale_epoch",
  "epoch_conflict", "chain_broken", "id_conflict", "quota_exceeded", "rate_limited", "unavailable", "replaced",
  "undecryptable", "closing", "timeout",
] as const;
export const ContentKind = ["message", "request", "reply", "error"] as const;
export const Contact = ["none", "allowed", "blocked"] as const;
export const Kind = { none: 0, application: 1, commit: 2, welcome: 3, letter: 4 } as const;
export const Durability = { durable: 0, transient: 1 } as const;

const key = sized(32);
const digest = sized(32);
const id = sized(16);
const signature = required(sized(64));
const code = enum16(Code.length - 1);
const binding = enum8(2);

// identity.fbs
export const Inception = table("Inception", { suite: u16, key: required(key), created_ms: u64 });
export const Signed = table("Signed", { statement: required(statement), signature });
export const Prekey = table("Prekey", {
  suite: u16, instance: required(key), key: required(key), created_ms: u64, expires_ms: u64,
});
export const Redemption = table("Redemption", {
  suite: u16, invite: required(key), agent: required(digest), transcript: required(digest),
});
export const Invite = table("Invite", {
  inviter: required(nested(Signed)), broker: required(key), endpoints: required(strings),
  expires_ms: u64, seed: required(key),
});

// envelope.fbs
export const Envelope = table("Envelope", { header: required(bytes), body: required(bytes), signature });
export const Recipient = table("Recipient", { instance: required(key) });
export const Header = table("Header", {
  suite: u16, id: required(id), sender: required(key), kind: enum8(255), conversation: id, incarnation: u32, epoch: u64,
  recipients: tables(Recipient), created_ms: u64, expires_ms: u64, durability: enum8(1), sender_seq: u64,
  previous: digest, names: digest, provenance: string, critical: u16s,
});

// content.fbs
export const Content = table("Content", {
  kind: enum8(3), media_type: required(string), data: required(bytes), reply_to: bytes, deadline_ms: u64, trace: string,
});
export const ContentBatch = table("ContentBatch", { items: required(tables(Content)) });

// frame.fbs: handshake
export const Hello = table("Hello", {
  versions: required(u16s), suite: u16, key: required(key), nonce: required(digest), ephemeral: required(key), binding,
});
export const Challenge = table("Challenge", { terms: required(statement), signature });
export const Terms = table("Terms", {
  version: u16, suite: u16, broker: required(key), nonce: required(digest), ephemeral: required(key), binding,
  frame_bytes_max: u32, envelope_bytes_max: u32, idle_ms: u32,
});
export const Proof = table("Proof", { claims: required(statement), signature });
export const Claims = table("Claims", {
  inception: required(nested(Signed)), redemption: nested(Signed), acked: u64, incarnation: id,
});
export const Ready = table("Ready", {
  session: required(id), incarnation: required(id), now_ms: u64, mailbox_acked: u64, mailbox_last: u64, key_packages: u32,
});

// frame.fbs: envelopes
export const EnvelopeBytes = table("EnvelopeBytes", { bytes: required(bytes) });
export const Bundle = table("Bundle", { envelopes: required(tables(EnvelopeBytes)) });
export const Send = table("Send", { bundles: required(tables(Bundle)) });
export const Receipt = table("Receipt", { id: required(id), digest: required(digest), sequence: u64 });
export const Acceptance = table("Acceptance", {
  receipts: required(tables(Receipt)), accepted_ms: u64, incarnation: required(id),
});
export const Accepted = table("Accepted", { acceptance: required(statement), signature });
export const Rejection = table("Rejection", {
  id: required(id), code, incarnation: u32, epoch: u64, last_header: bytes, last_body_hash: digest,
  last_signature: sized(64),
});
export const Rejected = table("Rejected", { rejections: required(tables(Rejection)) });
export const Delivery = table("Delivery", { envelope: required(bytes) });
export const Tombstone = table("Tombstone", { header: required(bytes), body_hash: required(digest), signature });
export const Refusal = table("Refusal", {
  issuer: required(key), id: required(id), digest: required(digest), code, created_ms: u64,
});
export const Nack = table("Nack", { sequence: u64, refusal: required(nested(Signed)) });
export const Refused = table("Refused", { refusal: required(nested(Signed)) });
export const Redeemed = table("Redeemed", { redemption: required(nested(Signed)), inception: required(nested(Signed)) });
export const Entry = table("Entry", {
  sequence: u64, conversation_sequence: u64, item: required(union(Delivery, Tombstone, Refused, Redeemed)),
});
export const Deliver = table("Deliver", { entries: required(tables(Entry)) });
export const Ack = table("Ack", { sequence: u64 });
export const Credit = table("Credit", { entries: u64, bytes: u64 });

// frame.fbs: calls
export const KeyPackageBytes = table("KeyPackageBytes", { bytes: required(bytes) });
export const Publish = table("Publish", { key_packages: tables(KeyPackageBytes), last_resort: bytes, prekey: nested(Signed) });
export const Lookup = table("Lookup", { agent: required(digest) });
export const Claim = table("Claim", { agent: required(digest) });
export const SetContact = table("SetContact", { agent: required(digest), contact: enum8(2) });
export const ListContacts = table("ListContacts", {});
export const IssueInvite = table("IssueInvite", { key: required(key), expires_ms: u64 });
export const Redeem = table("Redeem", { redemption: required(nested(Signed)) });
export const GetConversation = table("GetConversation", { conversation: required(id) });
export const Published = table("Published", { key_packages: u32 });
export const Found = table("Found", { inception: required(nested(Signed)), prekey: nested(Signed) });
export const Claimed = table("Claimed", { inception: required(nested(Signed)), key_package: required(bytes) });
export const ContactEntry = table("ContactEntry", { agent: required(digest), contact: enum8(2) });
export const Contacts = table("Contacts", { contacts: tables(ContactEntry) });
export const Done = table("Done", {});
export const ConversationState = table("ConversationState", {
  incarnation: u32, epoch: u64, sequence: u64, last_header: bytes, last_body_hash: digest, last_signature: sized(64),
});
export const Call = table("Call", {
  id: u32,
  request: required(union(Publish, Lookup, Claim, SetContact, ListContacts, IssueInvite, Redeem, GetConversation)),
});
export const Reply = table("Reply", {
  id: u32, code, response: union(Published, Found, Claimed, Contacts, Done, ConversationState),
});

// frame.fbs: the rest
export const Ping = table("Ping", { nonce: u64 });
export const Pong = table("Pong", { nonce: u64 });
export const Close = table("Close", { code });
export const Frame = table("Frame", {
  body: required(union(
    Hello, Challenge, Proof, Ready, Send, Accepted, Rejected, Deliver, Ack, Credit, Nack, Call, Reply, Ping, Pong, Close)),
});
