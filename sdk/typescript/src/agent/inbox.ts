/**
 * Mailbox entries become messages. An entry's place in its chain is checked before its ratchet is touched; ratchet,
 * place, message and cursor are one transaction, and only after it does the Ack leave (ENV-035, DLV-024).
 */
import type { Bytes } from "../bytes.js";
import { concat, copy, equal, hex, u16 } from "../bytes.js";
import type { Content } from "../content.js";
import { decodeContents } from "../content.js";
import { signingKey } from "../crypto/ed25519.js";
import type { Envelope, Remains } from "../envelope/envelope.js";
import { checkSignature, digestOf, linkOf, parseEnvelope, parseRemains } from "../envelope/envelope.js";
import { checkTimes } from "../envelope/header.js";
import type { ErrorName } from "../errors.js";
import { check, fail, SealwireError } from "../errors.js";
import { checkRedeemed } from "../identity/invite.js";
import { letterPrekey, openLetter } from "../letter.js";
import { dayMs, heldPerConversationMax, letterLifetimeMsMax } from "../limits.js";
import type { Session } from "../session/session.js";
import type { BodyOf } from "../wire/frame.js";
import { codeName, codeOf } from "../wire/frame.js";
import type { Value } from "../wire/schema.js";
import { openStatement, readStatement, refusalKind, signStatement } from "../wire/statement.js";
import * as t from "../wire/tables.js";
import { Conversation } from "./conversation.js";
import type { Core } from "./core.js";
import type { Peer } from "./peers.js";
import { InRecord, InviteRecord, ordinal } from "./records.js";

export interface Received {
  /** Its name in the state; undefined for a transient, which nothing stores. */
  readonly place: string | undefined;
  readonly from: Bytes;
  /** Envelope id ‖ u16 index. */
  readonly id: Bytes;
  readonly content: Content;
  readonly createdMs: number;
  readonly letter: boolean;
  readonly provenance: string | undefined;
}

type Entry = BodyOf<"Deliver">["entries"][number];

const passing: readonly ErrorName[] = ["disconnected", "closed", "closing", "timeout", "rate_limited", "unavailable", "state_corrupt"];

export class Inbox {
  private nextPlace = 0;
  private readonly held = new Map<string, Envelope[]>();
  private received: Received[] = [];
  /** The names of conversations that this step changed. */
  private readonly changed = new Set<string>();

  constructor(private readonly core: Core) {}

  /** What was stored and not acknowledged by the application. */
  restore(): Received[] {
    return this.core.state.all("in/", InRecord).map(([place, record]) => {
      this.nextPlace = Number(place.slice(3)) + 1;
      const { content } = record;
      return {
        place, from: record.from, id: concat(record.id, u16(record.index)), createdMs: Number(record.created_ms),
        letter: record.letter === 1, provenance: record.provenance,
        content: {
          kind: t.ContentKind[content.kind] ?? "message", mediaType: content.media_type, data: content.data,
          replyTo: content.reply_to, deadlineMs: content.deadline_ms === 0n ? undefined : Number(content.deadline_ms), trace: content.trace,
        },
      };
    });
  }

  /** One Deliver frame, one transaction. */
  async take(entries: readonly Entry[], session: Session): Promise<Received[]> {
    const nacks: Value<typeof t.Nack>[] = [];
    const { cursor } = this.core;
    try {
      for (const entry of entries) {
        const known = entry.sequence !== 0n && entry.sequence <= cursor.acked;
        if (!known) await this.entry(entry, session).catch(async (error: unknown) => {
          // What failed for want of the broker is no fault of the entry: unacknowledged, it comes again.
          if (error instanceof SealwireError && passing.includes(error.code)) throw error;
          const nack = await this.refuse(entry, error);
          if (nack) nacks.push(nack);
        });
        if (entry.sequence > cursor.acked) cursor.acked = entry.sequence;
      }
    } finally {
      this.saveChanged();
    }
    this.core.saveCursor();
    await this.core.state.commit();
    for (const nack of nacks) session.send({ type: "Nack", ...nack });
    session.send({ type: "Ack", sequence: cursor.acked });
    const { received } = this;
    this.received = [];
    return received;
  }

  /** Once for many messages: a ratchet is larger than what it opens. By name, since a welcome may have replaced one. */
  private saveChanged(): void {
    for (const name of this.changed) this.core.conversations.get(name)?.save(this.core.state);
    this.changed.clear();
  }

  private async entry(entry: Entry, session: Session): Promise<void> {
    switch (entry.item.type) {
      case "Delivery": return this.envelope(parseEnvelope(copy(entry.item.envelope)), session);
      case "Tombstone": return this.tombstone(parseRemains(entry.item.header, entry.item.body_hash, entry.item.signature));
      case "Refused": return this.refused(entry.item.refusal, session);
      case "Redeemed": return this.redeemed(entry.item);
    }
  }

  /** DLV-028: a signed refusal of an envelope that could not be processed. Anything else is told, and passed over. */
  private async refuse(entry: Entry, error: unknown): Promise<Value<typeof t.Nack> | undefined> {
    const known = error instanceof SealwireError ? error : new SealwireError("undecryptable", String(error));
    this.core.notice({ type: "undelivered", code: known.code, detail: known.detail });
    if (entry.item.type !== "Delivery" || entry.sequence === 0n) return undefined;
    try {
      const envelope = parseEnvelope(copy(entry.item.envelope));
      await this.passOver(envelope);
      const { identity } = this.core;
      const code: ErrorName = codeOf(known.code) > 1 ? known.code : "undecryptable";
      const refusal = await signStatement(refusalKind, identity.signing, {
        issuer: identity.key, id: envelope.header.id, digest: digestOf(envelope), code: codeOf(code), created_ms: BigInt(this.core.now()),
      });
      return { sequence: entry.sequence, refusal };
    } catch {
      return undefined; // what has no header cannot be named in a refusal
    }
  }

  /** What its sender did sign stands in its chain, whether it opens or not. */
  private async passOver(envelope: Envelope): Promise<void> {
    const conversation = this.core.conversation(envelope.header);
    if (conversation?.place(envelope.header) !== "next" || envelope.header.durability === t.Durability.transient) return;
    await checkSignature(envelope);
    conversation.skip(envelope.header, linkOf(envelope));
    if (envelope.header.kind === t.Kind.commit) conversation.lost = true;
    this.changed.add(conversation.name);
  }

  private async envelope(envelope: Envelope, session: Session): Promise<void> {
    const { header } = envelope;
    checkTimes(header, this.core.now());
    switch (header.kind) {
      case t.Kind.letter: return this.letter(envelope, await this.sender(header.sender, session));
      case t.Kind.welcome: return this.welcome(envelope, await this.sender(header.sender, session));
      default: return this.chained(envelope);
    }
  }

  private async sender(key: Bytes, session: Session): Promise<Peer> {
    const peer = this.core.peers.ofKey(key) ?? await this.core.peers.discover(key, session);
    check(peer !== undefined && peer.contact === "allowed", "denied", "an envelope from somebody who is no contact");
    return peer;
  }

  private async letter(envelope: Envelope, peer: Peer): Promise<void> {
    await checkSignature(envelope); // E2E-043
    const { header, body, headerBytes } = envelope;
    check(equal(header.recipients?.[0]?.instance ?? body, this.core.identity.key), "malformed", "letter to another");
    const seen = `seen/${hex(header.sender)}${hex(header.id)}`;
    if (this.core.state.getBytes(seen)) return; // DLV-030
    const batch = await openLetter(this.core.keys.prekeySecret(letterPrekey(body)), headerBytes, body);
    this.core.state.putBytes(seen, copy(new TextEncoder().encode(String(this.core.now() + letterLifetimeMsMax + dayMs))));
    this.keep(envelope, peer.agent, batch);
  }

  private async welcome(envelope: Envelope, peer: Peer): Promise<void> {
    await checkSignature(envelope);
    const before = this.core.conversation(envelope.header);
    if (before && before.incarnation >= envelope.header.incarnation && before.group) return; // known already
    check(!before || equal(before.peer, peer.agent), "denied", "welcome into another peer's conversation");
    const { name, once, own } = this.core.keys.packageFor(envelope.body);
    const conversation = await Conversation.join(this.core.identity, peer, envelope, own, this.core.now());
    if (once) this.core.state.erase(name);
    this.core.replace(conversation);
  }

  private async chained(envelope: Envelope): Promise<void> {
    const { header } = envelope;
    const conversation = this.core.conversation(header);
    check(conversation !== undefined, "undecryptable", "an envelope of no conversation of this agent");
    if (header.incarnation < conversation.incarnation) return; // of a group that was given up
    check(header.incarnation === conversation.incarnation, "undecryptable", "an envelope of an incarnation without its welcome");
    const place = conversation.place(header);
    if (place === "next" && conversation.provesAcceptance(header)) {
      await checkSignature(envelope);
      conversation.accepted();
      this.changed.add(conversation.name);
    }
    if (header.durability === t.Durability.transient) {
      if (place === "next") await this.open(conversation, envelope); // DLV-041
      return;
    }
    if (place === "past") return; // DLV-030
    if (place === "ahead") {
      this.hold(conversation, envelope);
      return;
    }
    await this.open(conversation, envelope);
    await this.release(conversation);
  }

  private async open(conversation: Conversation, envelope: Envelope): Promise<void> {
    if (envelope.header.kind === t.Kind.commit) {
      await conversation.processCommit(envelope);
    } else {
      this.keep(envelope, conversation.peer, await conversation.openMessage(envelope));
    }
    this.changed.add(conversation.name);
  }

  /** ENV-035: it waits for its predecessors. The broker delivers in order, so that one who sees this lost something. */
  private hold(conversation: Conversation, envelope: Envelope): void {
    const waiting = this.held.get(conversation.name) ?? [];
    this.core.notice({ type: "undelivered", code: "chain_broken", detail: `an envelope out of turn from ${conversation.name}` });
    if (waiting.length >= heldPerConversationMax) fail("chain_broken", "too many envelopes out of turn");
    waiting.push(envelope);
    this.held.set(conversation.name, waiting);
  }

  private async release(conversation: Conversation): Promise<void> {
    const waiting = this.held.get(conversation.name) ?? [];
    for (let at = 0; at >= 0;) {
      at = waiting.findIndex(({ header }) => conversation.place(header) === "next");
      const [envelope] = at < 0 ? [] : waiting.splice(at, 1);
      if (envelope) await this.open(conversation, envelope);
    }
  }

  private async tombstone(remains: Remains): Promise<void> {
    await checkSignature(remains);
    const conversation = this.core.conversation(remains.header);
    if (conversation?.incarnation !== remains.header.incarnation || conversation.place(remains.header) !== "next") return;
    conversation.skip(remains.header, linkOf(remains));
    if (remains.header.kind === t.Kind.commit) conversation.lost = true;
    await this.release(conversation);
    this.changed.add(conversation.name);
  }

  private async refused(signed: Value<typeof t.Signed>, session: Session): Promise<void> {
    const { issuer } = readStatement(refusalKind.table, refusalKind.identifier, signed.statement);
    const peer = this.core.peers.ofKey(issuer);
    check(equal(issuer, session.terms.broker) || peer !== undefined, "unauthenticated", "a refusal by a stranger");
    const refusal = await openStatement(refusalKind, issuer, signed);
    this.core.refused(refusal.id, codeName(refusal.code), peer);
  }

  private async redeemed(item: Value<typeof t.Redeemed>): Promise<void> {
    const { invite } = readStatement(t.Redemption, "SWIV", item.redemption.statement);
    const name = `invite/${hex(invite)}`;
    const record = this.core.state.get(name, InviteRecord);
    if (!record) return; // told before
    const invitee = await checkRedeemed(item, await signingKey(record.seed));
    const peer = this.core.peers.put(invitee.agent, { identity: invitee, contact: "allowed" });
    this.core.state.erase(name);
    this.core.notice({ type: "redeemed", peer: peer.id });
  }

  private keep(envelope: Envelope, from: Bytes, batch: Bytes): void {
    const { header } = envelope;
    const stored = header.durability === t.Durability.durable;
    for (const [index, content] of decodeContents(batch).entries()) {
      const place = stored ? `in/${ordinal(this.nextPlace++)}` : undefined;
      const letter = header.kind === t.Kind.letter;
      if (place) this.core.state.put(place, InRecord, {
        from, id: header.id, index, created_ms: header.created_ms, letter: letter ? 1 : 0, provenance: header.provenance,
        content: {
          kind: t.ContentKind.indexOf(content.kind), media_type: content.mediaType, data: content.data, reply_to: content.replyTo,
          deadline_ms: BigInt(content.deadlineMs ?? 0), trace: content.trace,
        },
      });
      this.received.push({
        place, from, id: concat(header.id, u16(index)), content, createdMs: Number(header.created_ms), letter,
        provenance: header.provenance,
      });
    }
  }
}
