/**
 * What waits to be sent, in order. A message waits unsealed, encrypted at rest, and is sealed when it can leave; sealed
 * bytes, ratchet and chain are one transaction before they do. A retry sends the same bytes; what the broker refuses
 * for its place is sealed again at the place that the chain then has.
 */
import type { Bytes } from "../bytes.js";
import { copy, equal, hex } from "../bytes.js";
import type { Content } from "../content.js";
import { encodeContents } from "../content.js";
import { randomBytes } from "../crypto/ed25519.js";
import { advance, chainStart } from "../envelope/chain.js";
import type { Envelope } from "../envelope/envelope.js";
import { checkSignature, digestOf, linkOf, parseEnvelope, parseRemains, sealEnvelope } from "../envelope/envelope.js";
import type { ErrorName } from "../errors.js";
import { check, fail, SealwireError } from "../errors.js";
import { agentId, uuid7 } from "../identity/identity.js";
import { checkPrekey } from "../identity/prekey.js";
import { sealLetter } from "../letter.js";
import * as limits from "../limits.js";
import type { Session } from "../session/session.js";
import { encode } from "../wire/encode.js";
import type { BodyOf } from "../wire/frame.js";
import { codeName } from "../wire/frame.js";
import type { Value } from "../wire/schema.js";
import { acceptanceKind, openStatement } from "../wire/statement.js";
import * as t from "../wire/tables.js";
import { Conversation } from "./conversation.js";
import type { Core } from "./core.js";
import type { Peer } from "./peers.js";
import { ordinal, OutRecord } from "./records.js";

export interface Item {
  readonly place: string;
  readonly peer: Bytes;
  readonly content: Content;
  readonly letter: boolean;
  readonly transient: boolean;
  readonly expiresMs: number;
  envelope: Envelope | undefined;
  conversation: Conversation | undefined;
  stored: boolean;
  /** Told each time it is sealed: its answer names that envelope, and may be here before the receipt. */
  readonly sealed: (id: Bytes) => void;
  readonly resolve: (id: Bytes) => void;
  readonly reject: (error: SealwireError) => void;
}

type Rejection = Value<typeof t.Rejection>;

const sendBytesMax = 1_048_576;
const retrySoonMs = 50;
const retryLaterMs = 500;

export class Outbox {
  private readonly items = new Map<string, Item>();
  private readonly inFlight = new Map<string, Item>();
  /** Envelope ids of the opening and update commits that are on their way. */
  private readonly commits = new Map<string, Conversation>();
  private readonly fetching = new Set<string>();
  private readonly recent = new Map<string, Conversation>();
  private nextPlace = 0;
  /** Until when a peer's messages wait for another attempt. */
  private readonly retryAt = new Map<string, number>();

  constructor(private readonly core: Core) {}

  restore(): void {
    for (const [place, record] of this.core.state.all("out/", OutRecord)) {
      this.nextPlace = Number(place.slice(4)) + 1;
      const { content } = record;
      const envelope = record.envelope && parseEnvelope(record.envelope);
      this.items.set(place, {
        place, peer: record.peer, letter: record.letter === 1, transient: record.transient === 1, expiresMs: Number(record.expires_ms),
        content: {
          kind: t.ContentKind[content.kind] ?? "message", mediaType: content.media_type, data: content.data,
          replyTo: content.reply_to, deadlineMs: content.deadline_ms === 0n ? undefined : Number(content.deadline_ms), trace: content.trace,
        },
        envelope, conversation: envelope && this.core.conversation(envelope.header), stored: true,
        sealed: () => undefined, resolve: () => undefined, reject: () => undefined,
      });
    }
  }

  get size(): number {
    return this.items.size;
  }

  add(given: Omit<Item, "place" | "envelope" | "conversation" | "stored">): void {
    const place = `out/${ordinal(this.nextPlace++)}`;
    this.items.set(place, { ...given, place, envelope: undefined, conversation: undefined, stored: false });
  }

  /** A new session: what may have been lost with the old one goes again, the same bytes in the same order. */
  reconnected(): void {
    this.inFlight.clear();
    this.commits.clear();
    this.fetching.clear();
  }

  /** What waits is on disk, and goes when the agent is opened again; nobody waits for it here any more. */
  async close(): Promise<void> {
    await this.pump(undefined);
    for (const item of this.items.values()) item.reject(new SealwireError("closed", "the agent was closed; what waits goes when it is opened again"));
  }

  /** Seals what can leave, writes it down, sends it. */
  async pump(session: Session | undefined): Promise<void> {
    const bundles: Envelope[][] = [];
    if (session) await this.fill(bundles, session);
    for (const item of this.items.values()) if (!item.stored && !item.transient) this.save(item);
    await this.core.state.commit();
    if (!session) return;
    let some: Envelope[][] = [];
    let size = 0;
    const flush = (): void => {
      if (some.length > 0) {
        session.send({ type: "Send", bundles: some.map((bundle) => ({ envelopes: bundle.map(({ bytes }) => ({ bytes })) })) });
      }
      some = [];
      size = 0;
    };
    for (const bundle of bundles) {
      const bytes = bundle.reduce((sum, envelope) => sum + envelope.bytes.length, 0);
      if (some.length === limits.bundlesPerSendMax || size + bytes > sendBytesMax) flush();
      some.push(bundle);
      size += bytes;
    }
    flush();
  }

  private async fill(bundles: Envelope[][], session: Session): Promise<void> {
    const now = this.core.now();
    for (const conversation of this.core.conversations.values()) {
      const [first] = conversation.pending?.bundle ?? [];
      if (!first || !conversation.pending || this.commits.has(hex(first.header.id))) continue;
      this.commits.set(hex(first.header.id), conversation);
      bundles.push([...conversation.pending.bundle]);
    }
    const blocked = new Set<string>(); // peers whose order a waiting message keeps
    const changed = new Set<Conversation>();
    for (const item of this.items.values()) {
      if (this.inFlight.size >= limits.inFlightMax) break;
      if (item.envelope && this.inFlight.has(hex(item.envelope.header.id))) continue;
      const peer = hex(item.peer);
      if ((!item.letter && blocked.has(peer)) || now < (this.retryAt.get(peer) ?? 0)) continue;
      try {
        if (!item.envelope) {
          if (now >= item.expiresMs) fail("expired", "not sent in time");
          const conversation = item.letter ? undefined : await this.sendingConversation(item, now, session, bundles);
          if (item.letter ? !this.prekey(item, session) : !conversation) {
            blocked.add(peer);
            continue;
          }
          item.envelope = conversation
            ? await conversation.seal(encodeContents([item.content]), item.transient, BigInt(item.expiresMs), now)
            : await this.letter(item, now);
          item.conversation = conversation;
          item.stored = false;
          item.sealed(item.envelope.header.id);
          if (conversation) changed.add(conversation);
        }
        this.inFlight.set(hex(item.envelope.header.id), item);
        bundles.push([item.envelope]);
      } catch (error) {
        this.finish(item, error instanceof SealwireError ? error : new SealwireError("malformed", String(error)));
      }
    }
    for (const conversation of changed) conversation.save(this.core.state);
  }

  /** The open conversation with a peer, or undefined while one is being opened or a commit is on its way. */
  private async sendingConversation(item: Item, now: number, session: Session, bundles: Envelope[][]): Promise<Conversation | undefined> {
    const conversation = this.core.conversationWith(item.peer);
    if (!conversation || (conversation.lost && !conversation.pending)) {
      this.open(item.peer, conversation, session);
      return undefined;
    }
    if (conversation.pending || !conversation.group) return undefined;
    if (!conversation.needsUpdate(now)) return conversation;
    // The update stands in the chain behind what is on its way.
    if ([...this.inFlight.values()].some((each) => each.conversation === conversation)) return undefined;
    const bundle = await conversation.update(now);
    conversation.save(this.core.state);
    if (bundle[0]) this.commits.set(hex(bundle[0].header.id), conversation);
    bundles.push([...bundle]);
    return undefined;
  }

  /** Runs `work` once at a time for a name, outside the agent's turn, and the outbox again afterwards. */
  private fetch(name: string, peer: Bytes, work: () => Promise<void>): void {
    if (this.fetching.has(name)) return;
    this.fetching.add(name);
    work().catch(async (error: unknown) => {
      const known = error instanceof SealwireError ? error : new SealwireError("unavailable", String(error));
      // An agent that is only just beginning has published nothing yet: `unknown` passes.
      if (["rate_limited", "unavailable", "unknown", "timeout"].includes(known.code)) this.retry(peer, retryLaterMs);
      else if (!["disconnected", "closing", "closed"].includes(known.code)) await this.core.serial(() => { this.failWaiting(peer, known); });
    }).finally(() => {
      this.fetching.delete(name);
      this.core.pumpSoon(0);
    });
  }

  private retry(peer: Bytes, delayMs: number): void {
    this.retryAt.set(hex(peer), this.core.now() + delayMs);
    this.core.pumpSoon(delayMs + 1);
  }

  private failWaiting(peer: Bytes, error: SealwireError): void {
    for (const item of this.items.values()) if (equal(item.peer, peer) && !item.envelope) this.finish(item, error);
  }

  private async known(agent: Bytes, session: Session): Promise<Peer> {
    const peer = this.core.peers.ofAgent(agent) ?? fail("peer_unknown", "no such peer");
    return await this.core.peers.lookUp(peer, session) ?? fail("denied", `${peer.id} cannot be looked up`);
  }

  private open(agent: Bytes, before: Conversation | undefined, session: Session): void {
    this.fetch(`open/${hex(agent)}`, agent, async () => {
      const peer = await this.known(agent, session);
      const claimed = await session.call({ type: "Claim", agent }, "Claimed");
      check(equal(agentId(claimed.inception), agent), "unauthenticated", "the inception of another agent");
      const conversation = await Conversation.open(this.core.identity, peer, copy(claimed.key_package), this.core.now(), before);
      await this.core.serial(() => {
        // A welcome of the peer's may have come meanwhile.
        const now = this.core.conversationWith(agent);
        if (now === undefined || now === before) this.core.replace(conversation);
      });
    });
  }

  private readonly prekeys = new Map<string, Bytes>();

  private prekey(item: Item, session: Session): boolean {
    const agent = hex(item.peer);
    if (this.prekeys.has(agent)) return true;
    this.fetch(`prekey/${agent}`, item.peer, async () => {
      const { identity } = await this.known(item.peer, session);
      const { prekey } = await session.call({ type: "Lookup", agent: item.peer }, "Found");
      if (!prekey || !identity) return fail("unknown", "the peer has published no prekey");
      this.prekeys.set(agent, copy(await checkPrekey(prekey, identity.key, this.core.now())));
    });
    return false;
  }

  private async letter(item: Item, now: number): Promise<Envelope> {
    const { identity } = this.core;
    const prekey = this.prekeys.get(hex(item.peer)) ?? fail("unknown", "no prekey");
    this.prekeys.delete(hex(item.peer)); // the next letter asks again: it may have been renewed
    const key = this.core.peers.ofAgent(item.peer)?.identity?.key ?? fail("peer_unknown", "no such peer");
    const header = encode(t.Header, "SWHD", {
      suite: 1, id: uuid7(now, randomBytes(10)), sender: identity.key, kind: t.Kind.letter, recipients: [{ instance: key }],
      created_ms: BigInt(now), expires_ms: BigInt(Math.min(item.expiresMs, now + limits.letterLifetimeMsMax)),
    });
    return sealEnvelope(identity.signing, header, await sealLetter(prekey, header, encodeContents([item.content])));
  }

  private save(item: Item): void {
    const { content } = item;
    item.stored = true;
    this.core.state.put(item.place, OutRecord, {
      peer: item.peer, letter: item.letter ? 1 : 0, transient: item.transient ? 1 : 0, expires_ms: BigInt(item.expiresMs),
      envelope: item.envelope?.bytes,
      content: {
        kind: t.ContentKind.indexOf(content.kind), media_type: content.mediaType, data: content.data, reply_to: content.replyTo,
        deadline_ms: BigInt(content.deadlineMs ?? 0), trace: content.trace,
      },
    });
  }

  private finish(item: Item, result: Bytes | SealwireError): void {
    this.items.delete(item.place);
    if (item.envelope) this.inFlight.delete(hex(item.envelope.header.id));
    if (item.stored) this.core.state.erase(item.place);
    if (result instanceof SealwireError) item.reject(result);
    else item.resolve(result);
  }

  /** DLV-003: the broker's word, signed, that these are on its disk. */
  async accepted(body: BodyOf<"Accepted">, session: Session): Promise<void> {
    const acceptance = await openStatement(acceptanceKind, session.terms.broker, { statement: body.acceptance, signature: body.signature });
    check(equal(acceptance.incarnation, session.ready.incarnation), "malformed", "an acceptance of another store");
    for (const receipt of acceptance.receipts) {
      const id = hex(receipt.id);
      const item = this.inFlight.get(id);
      if (item?.envelope) {
        check(equal(receipt.digest, digestOf(item.envelope)), "malformed", "a receipt of another envelope");
        if (item.conversation) this.remember(id, item.conversation);
        this.finish(item, copy(receipt.id));
      }
      const conversation = this.commits.get(id);
      const commit = conversation?.pending?.bundle[0];
      if (conversation && commit && hex(commit.header.id) === id) {
        check(equal(receipt.digest, digestOf(commit)), "malformed", "a receipt of another commit");
        conversation.accepted();
        conversation.save(this.core.state);
      }
      this.commits.delete(id);
    }
    this.core.pumpSoon(0);
  }

  private remember(id: string, conversation: Conversation): void {
    const oldest = this.recent.size >= 1024 ? this.recent.keys().next().value : undefined;
    if (oldest !== undefined) this.recent.delete(oldest);
    this.recent.set(id, conversation);
  }

  /** The conversation in which an accepted envelope was sent, as long as it is remembered. */
  conversationOf(id: Bytes): Conversation | undefined {
    return this.recent.get(hex(id));
  }

  async rejected(rejection: Rejection): Promise<void> {
    const id = hex(rejection.id);
    const code = codeName(rejection.code);
    const commit = this.commits.get(id);
    this.commits.delete(id);
    if (commit) {
      this.commitRejected(commit, code);
      return;
    }
    const item = this.inFlight.get(id);
    if (!item?.envelope) return; // sealed anew since, or answered before
    const { conversation, envelope } = item;
    if (conversation && code === "chain_broken") await this.rejoin(conversation, rejection);
    else if (conversation && !item.transient) conversation.rollBack(envelope.header);
    if (conversation) this.unseal(conversation, item);
    if (retried(code)) {
      this.inFlight.delete(id);
      item.envelope = undefined;
      item.stored = false;
      this.retry(item.peer, code === "stale_epoch" || code === "chain_broken" ? retrySoonMs : retryLaterMs);
    } else {
      this.finish(item, new SealwireError(code, "the broker refused the message"));
      this.core.pumpSoon(0);
    }
    conversation?.save(this.core.state);
  }

  /** What was sealed behind a refused envelope names it, and cannot stand without it. */
  private unseal(conversation: Conversation, from: Item): void {
    for (const item of this.items.values()) {
      if (item.place <= from.place || item.conversation !== conversation || !item.envelope) continue;
      this.inFlight.delete(hex(item.envelope.header.id));
      item.envelope = undefined;
      item.stored = false;
    }
  }

  /** ENV-034, ENV-036: the chain goes on from what the broker holds of it, unless that is ahead of what this agent knows. */
  private async rejoin(conversation: Conversation, rejection: Rejection): Promise<void> {
    const { last_header: header, last_body_hash: hash, last_signature: signature } = rejection;
    if (!header || !hash || !signature) {
      conversation.own = chainStart(conversation.own.epoch);
      return;
    }
    const last = parseRemains(header, hash, signature);
    await checkSignature(last);
    check(equal(last.header.sender, this.core.identity.key), "unauthenticated", "the remains of another's envelope");
    const { epoch, sender_seq: seq } = last.header;
    const ahead = epoch > conversation.own.epoch || (epoch === conversation.own.epoch && seq >= conversation.own.seq);
    if (ahead) {
      conversation.lost = true;
      this.core.notice({ type: "rolled_back", peer: this.core.peers.ofAgent(conversation.peer)?.id ?? "" });
    } else {
      conversation.own = advance(last.header, linkOf(last));
    }
  }

  private commitRejected(conversation: Conversation, code: ErrorName): void {
    const opening = !conversation.group;
    conversation.pending = undefined; // E2E-010: the winner's commit, or welcome, is in the mailbox
    if (opening) this.core.forget(conversation);
    else conversation.save(this.core.state);
    if (!retried(code)) {
      this.failWaiting(conversation.peer, new SealwireError(code, "the broker refused the conversation"));
    }
    this.retry(conversation.peer, code === "epoch_conflict" ? retrySoonMs : retryLaterMs);
  }
}

/** Refusals that another attempt, later or at another place, may not meet. */
const retried = (code: ErrorName): boolean =>
  ["stale_epoch", "epoch_conflict", "chain_broken", "rate_limited", "unavailable", "closing"].includes(code);
