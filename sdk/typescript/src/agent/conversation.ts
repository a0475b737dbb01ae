/** One conversation: its group, both members' places in their chains, and a commit that may be pending. */
import type { Bytes } from "../bytes.js";
import { copy, equal, hex } from "../bytes.js";
import { randomBytes } from "../crypto/ed25519.js";
import type { Position } from "../envelope/chain.js";
import { advance, chainStart, nextIn, placeOf } from "../envelope/chain.js";
import type { Envelope } from "../envelope/envelope.js";
import { headerHash, linkOf, parseEnvelope, sealEnvelope } from "../envelope/envelope.js";
import type { Header } from "../envelope/header.js";
import { check, fail } from "../errors.js";
import type { Identity } from "../identity/identity.js";
import { uuid7 } from "../identity/identity.js";
import { applicationLifetimeMsMax, dayMs, sentPerEpochMax } from "../limits.js";
import { Group, groupIdOf } from "../mls/group.js";
import type { OwnKeyPackage } from "../mls/key-package.js";
import { checkKeyPackage, newKeyPackage } from "../mls/key-package.js";
import { encode } from "../wire/encode.js";
import type { Draft } from "../wire/schema.js";
import * as t from "../wire/tables.js";
import type { Peer } from "./peers.js";
import { ConversationRecord } from "./records.js";
import type { State } from "./state.js";

const never: bigint = BigInt(applicationLifetimeMsMax);

interface Pending {
  readonly bundle: readonly Envelope[];
  readonly next: Group;
}

export class Conversation {
  /** Undefined until the opening commit is accepted. */
  group: Group | undefined;
  own: Position = chainStart(0n);
  theirs: Position = chainStart(1n);
  pending: Pending | undefined;
  /** Wedged, or rolled back: nothing more is sent in this incarnation (ENV-036). */
  lost = false;
  private sent = 0;
  private updatedMs = 0;

  private constructor(
    private readonly identity: Identity, readonly id: Bytes, readonly incarnation: number,
    readonly peer: Bytes, private readonly peerKey: Bytes,
  ) {}

  get name(): string {
    return hex(this.id);
  }

  /** The opening bundle of E2E-020, pending until the broker has accepted it. */
  static async open(identity: Identity, peer: Peer, keyPackage: Bytes, nowMs: number, before?: Conversation): Promise<Conversation> {
    const { key } = peer.identity ?? fail("peer_unknown", peer.id);
    const added = await checkKeyPackage(keyPackage, key, nowMs);
    const conversation = new Conversation(identity, before?.id ?? randomBytes(16), (before?.incarnation ?? 0) + 1, peer.agent, key);
    const group = await Group.create(groupIdOf(conversation.id, conversation.incarnation), await newKeyPackage(identity, nowMs));
    const members = [identity.key, key].map((instance) => ({ instance }));
    const header = conversation.header({ kind: t.Kind.commit, epoch: 0n, recipients: members }, nowMs);
    const { commit, welcome, next } = await group.commit(headerHash(header), added);
    const first = await sealEnvelope(identity.signing, header, commit);
    const welcomeHeader = conversation.header(
      { kind: t.Kind.welcome, epoch: 0n, recipients: [{ instance: key }], names: linkOf(first) }, nowMs);
    const second = await sealEnvelope(identity.signing, welcomeHeader, welcome ?? fail("unavailable", "commit without a welcome"));
    conversation.pending = { bundle: [first, second], next };
    conversation.updatedMs = nowMs;
    return conversation;
  }

  /** E2E-021, E2E-022. */
  static async join(identity: Identity, peer: Peer, envelope: Envelope, own: OwnKeyPackage, nowMs: number): Promise<Conversation> {
    const { header } = envelope;
    const { key } = peer.identity ?? fail("peer_unknown", peer.id);
    const id = copy(header.conversation ?? fail("malformed", "welcome without a conversation"));
    const conversation = new Conversation(identity, id, header.incarnation, peer.agent, key);
    check(header.epoch === 0n && header.recipients?.length === 1 && equal(header.recipients[0]?.instance ?? id, identity.key),
      "malformed", "not the welcome of an opening bundle");
    const group = await Group.join(envelope.body, own, groupIdOf(id, header.incarnation), [identity.key, key]);
    check(group.epoch === header.epoch + 1n, "undecryptable", "welcome to another epoch than its header's");
    conversation.group = group;
    conversation.theirs = chainStart(group.epoch, copy(header.names ?? fail("malformed", "welcome without names")));
    conversation.own = chainStart(group.epoch);
    conversation.updatedMs = nowMs;
    return conversation;
  }

  private header(given: Partial<Draft<typeof t.Header>>, nowMs: number, expiresMs?: bigint): Bytes {
    const { seq, previous } = nextIn(this.own, given.epoch ?? 0n);
    return encode(t.Header, "SWHD", {
      suite: 1, id: uuid7(nowMs, randomBytes(10)), sender: this.identity.key, conversation: this.id, incarnation: this.incarnation,
      created_ms: BigInt(nowMs), expires_ms: expiresMs ?? BigInt(nowMs) + never, sender_seq: seq,
      ...(this.own.previous.some((byte) => byte !== 0) && { previous }), ...given,
    });
  }

  /** E2E-009, with room to spare for what is in flight. */
  needsUpdate(nowMs: number): boolean {
    return this.sent >= sentPerEpochMax / 2 || nowMs - this.updatedMs >= dayMs;
  }

  async seal(content: Bytes, transient: boolean, expiresMs: bigint, nowMs: number): Promise<Envelope> {
    const group = this.group ?? fail("unavailable", "the conversation is not open");
    const durability = transient ? t.Durability.transient : t.Durability.durable;
    const header = this.header({ kind: t.Kind.application, epoch: group.epoch, durability }, nowMs, expiresMs);
    const { body, next } = await group.seal(content, headerHash(header));
    const envelope = await sealEnvelope(this.identity.signing, header, body);
    this.group = next;
    ++this.sent;
    if (!transient) this.own = advance(envelope.header, linkOf(envelope));
    return envelope;
  }

  /** A commit that renews the own leaf; it counts once the broker has accepted it (E2E-010). */
  async update(nowMs: number): Promise<readonly Envelope[]> {
    const group = this.group ?? fail("unavailable", "the conversation is not open");
    const members = [this.identity.key, this.peerKey].map((instance) => ({ instance }));
    const header = this.header({ kind: t.Kind.commit, epoch: group.epoch, recipients: members }, nowMs);
    const { commit, next } = await group.commit(headerHash(header));
    const bundle = [await sealEnvelope(this.identity.signing, header, commit)];
    this.pending = { bundle, next };
    this.updatedMs = nowMs;
    return bundle;
  }

  accepted(): void {
    const { bundle, next } = this.pending ?? fail("malformed", "no commit is pending");
    const [commit] = bundle;
    if (!commit) return;
    this.own = advance(commit.header, linkOf(commit));
    this.group = next;
    this.sent = 0;
    this.pending = undefined;
  }

  /**
   * After a lost connection the peer's next envelope may be here before the broker's answer to our commit; that it is of
   * the epoch which the commit begins says the same (E2E-010).
   */
  provesAcceptance(header: Header): boolean {
    return this.pending?.next.epoch === header.epoch && equal(header.sender, this.peerKey);
  }

  /** The position before an envelope that was refused. */
  rollBack(header: Header): void {
    this.own = { epoch: header.epoch, seq: header.sender_seq, previous: copy(header.previous ?? new Uint8Array(32)) };
  }

  place(header: Header): "next" | "past" | "ahead" {
    return placeOf(this.theirs, header);
  }

  /** The place of what could not be opened, or was taken away, counts all the same. */
  skip(header: Header, link: Bytes): void {
    this.theirs = advance(header, link);
  }

  /** An application envelope whose place is the next. */
  async openMessage(envelope: Envelope): Promise<Bytes> {
    const group = this.group ?? fail("undecryptable", "the conversation is not open");
    check(equal(envelope.header.sender, this.peerKey), "undecryptable", "not a member");
    const { content, next } = await group.open(envelope.body, this.peerKey, headerHash(envelope.headerBytes));
    this.group = next;
    if (envelope.header.durability === t.Durability.durable) this.theirs = advance(envelope.header, linkOf(envelope));
    return content;
  }

  /** The peer's commit: it has won over one of ours. */
  async processCommit(envelope: Envelope): Promise<void> {
    const group = this.group ?? fail("undecryptable", "the conversation is not open");
    check(equal(envelope.header.sender, this.peerKey), "undecryptable", "not a member");
    this.group = await group.process(envelope.body, this.peerKey, headerHash(envelope.headerBytes));
    this.pending = undefined;
    this.sent = 0;
    this.theirs = advance(envelope.header, linkOf(envelope));
  }

  save(state: State): void {
    state.put(`conversation/${this.name}`, ConversationRecord, {
      id: this.id, incarnation: this.incarnation, peer: this.peer, group: this.group?.save(), own: this.own, theirs: this.theirs,
      pending: this.pending?.bundle.map(({ bytes }) => ({ bytes })), next: this.pending?.next.save(),
      sent: this.sent, updated_ms: BigInt(this.updatedMs), lost: this.lost ? 1 : 0,
    });
  }

  static load(identity: Identity, state: State, peerOf: (agent: Bytes) => Peer | undefined): Conversation[] {
    return state.all("conversation/", ConversationRecord).flatMap(([, record]) => {
      const key = peerOf(record.peer)?.identity?.key;
      if (!key) return [];
      const conversation = new Conversation(identity, record.id, record.incarnation, record.peer, key);
      conversation.group = record.group && Group.restore(record.group);
      conversation.own = record.own;
      conversation.theirs = record.theirs;
      if (record.pending && record.next) {
        conversation.pending = { bundle: record.pending.map(({ bytes }) => parseEnvelope(bytes)), next: Group.restore(record.next) };
      }
      conversation.sent = record.sent;
      conversation.updatedMs = Number(record.updated_ms);
      conversation.lost = record.lost === 1;
      return [conversation];
    });
  }
}
