/** An agent without its application: state, session and turns. Everything that changes state runs in a turn of its own. */
import type { Bytes } from "../bytes.js";
import { hex } from "../bytes.js";
import { signingKey } from "../crypto/ed25519.js";
import type { ErrorName } from "../errors.js";
import { check, fail, SealwireError } from "../errors.js";
import type { Identity } from "../identity/identity.js";
import { identityOf, newIdentity } from "../identity/identity.js";
import type { Invite } from "../identity/invite.js";
import { parseInvite } from "../identity/invite.js";
import * as limits from "../limits.js";
import type { Platform } from "../platform/platform.js";
import { Session } from "../session/session.js";
import type { StateStore } from "../state/store.js";
import type { BodyOf } from "../wire/frame.js";
import type { Header } from "../envelope/header.js";
import { Conversation } from "./conversation.js";
import type { Notice } from "./events.js";
import type { Received } from "./inbox.js";
import { Inbox } from "./inbox.js";
import { KeySupply } from "./key-supply.js";
import { Outbox } from "./outbox.js";
import type { Peer } from "./peers.js";
import { Peers } from "./peers.js";
import { CursorRecord, IdentityRecord } from "./records.js";
import { State } from "./state.js";

export interface CoreOptions {
  readonly endpoint?: string | undefined;
  readonly broker?: Bytes | undefined;
  readonly invite?: string | undefined;
  readonly trustFirstUse?: boolean | undefined;
}

export interface CoreEvents {
  received(messages: readonly Received[]): void;
  notice(notice: Notice): void;
  /** Nothing more will happen. */
  stopped(error: SealwireError | undefined): void;
}

/** After these, coming back would meet the same answer. */
const final: readonly ErrorName[] = ["denied", "replaced", "unauthenticated", "unsupported", "state_corrupt"];

export class Core {
  readonly peers: Peers;
  readonly keys: KeySupply;
  readonly conversations = new Map<string, Conversation>();
  readonly cursor: { incarnation: Bytes | undefined; acked: bigint } = { incarnation: undefined, acked: 0n };
  private readonly inbox = new Inbox(this);
  readonly outbox = new Outbox(this);
  private session: Session | undefined;
  private turns: Promise<unknown> = Promise.resolve();
  private attempts = 0;
  private reconnect: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;
  private readonly credit = { entries: 0n, bytes: 0n };
  private takenEntries = 0n;
  private takenBytes = 0n;
  private waiting = 0;
  private pumping = false;

  private constructor(
    private readonly platform: Platform, readonly state: State, readonly identity: Identity,
    private readonly home: { endpoint: string; broker: Bytes | undefined; invite: Invite | undefined; inviteText: string | undefined },
    private readonly events: CoreEvents,
  ) {
    this.peers = new Peers(state);
    this.keys = new KeySupply(identity, state, this.now);
  }

  readonly now = (): number => Date.now();

  static async open(platform: Platform, store: StateStore, options: CoreOptions, events: CoreEvents): Promise<Core> {
    const state = new State(store);
    const saved = state.get("identity", IdentityRecord);
    const identity = saved
      ? identityOf(await signingKey(saved.seed), saved.inception)
      : await newIdentity(Date.now());
    const inviteText = options.invite ?? saved?.invite;
    const invite = inviteText === undefined || (saved?.broker && options.invite === undefined) && !saved.invite
      ? undefined : await parseInvite(inviteText);
    const broker = options.broker ?? saved?.broker ?? invite?.broker;
    const endpoint = options.endpoint ?? saved?.endpoint ?? invite?.endpoints.find((uri) => /^wss?:/.test(uri))
      ?? fail("invalid_argument", "no broker is known yet: set SEALWIRE_INVITE to the text of `sealwire invite`, or give an endpoint and the broker's key");
    if (!broker && options.trustFirstUse !== true) fail("invalid_argument", "the broker's key, an invite, or trustFirstUse is needed");
    const core = new Core(platform, state, identity, { endpoint, broker, invite, inviteText: invite && inviteText }, events);
    core.saveIdentity();
    await core.load(invite);
    return core;
  }

  private async load(invite: Invite | undefined): Promise<void> {
    await this.peers.load();
    // Named by the person who handed it over, so pinned; the broker makes the two contacts (KEY-023).
    if (invite) this.peers.put(invite.inviter.agent, { identity: invite.inviter, contact: "allowed" });
    const cursor = this.state.get("cursor", CursorRecord);
    if (cursor) Object.assign(this.cursor, { incarnation: cursor.incarnation, acked: cursor.acked });
    for (const conversation of Conversation.load(this.identity, this.state, (agent) => this.peers.ofAgent(agent))) {
      this.conversations.set(conversation.name, conversation);
    }
    await this.state.commit();
    this.outbox.restore();
    const received = this.inbox.restore();
    this.waiting += received.length;
    if (received.length > 0) this.events.received(received);
  }

  private saveIdentity(): void {
    const { endpoint, broker, inviteText } = this.home;
    this.state.put("identity", IdentityRecord,
      { seed: this.identity.signing.seed, inception: this.identity.inception, endpoint, broker, invite: inviteText });
  }

  saveCursor(): void {
    const { incarnation, acked } = this.cursor;
    if (incarnation) this.state.put("cursor", CursorRecord, { incarnation, acked });
  }

  notice(notice: Notice): void {
    this.events.notice(notice);
  }

  /** The next turn: nothing else changes state meanwhile. */
  serial<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.turns.then(work);
    this.turns = turn.catch(() => undefined);
    return turn;
  }

  conversation(header: Header): Conversation | undefined {
    return header.conversation && this.conversations.get(hex(header.conversation));
  }

  /** Of several with one peer both sides may use any; the lowest id makes them meet in one. */
  conversationWith(peer: Bytes): Conversation | undefined {
    const name = hex(peer);
    const all = [...this.conversations.values()].filter((each) => hex(each.peer) === name);
    all.sort((a, b) => Number(a.lost) - Number(b.lost) || (a.name < b.name ? -1 : 1));
    return all[0];
  }

  replace(conversation: Conversation): void {
    this.conversations.set(conversation.name, conversation);
    conversation.save(this.state);
  }

  forget(conversation: Conversation): void {
    this.conversations.delete(conversation.name);
    this.state.erase(`conversation/${conversation.name}`);
  }

  /** A refusal of what was accepted before. What a peer cannot open shows that its group is another than ours. */
  refused(id: Bytes, code: ErrorName, peer: Peer | undefined): void {
    const conversation = code === "undecryptable" && peer ? this.outbox.conversationOf(id) : undefined;
    if (conversation) {
      conversation.lost = true;
      conversation.save(this.state);
    }
    this.notice({ type: "refused", envelope: hex(id), code });
  }

  /** Connects, and keeps connected; resolves at the first Ready, rejects where the broker refuses for good. */
  async start(): Promise<void> {
    for (;;) {
      try {
        await this.connect();
        return;
      } catch (error) {
        if (!(error instanceof SealwireError) || final.includes(error.code) || this.stopped) throw error;
        await new Promise((resolve) => setTimeout(resolve, this.backoff(error.code)));
      }
    }
  }

  /** Full jitter, so that a broker's restart does not bring everybody back at once. */
  private backoff(code: ErrorName): number {
    const most = Math.min(limits.reconnectMaxMs, limits.reconnectMinMs * 2 ** this.attempts++);
    const retryMs = Math.ceil(Math.random() * most);
    this.notice({ type: "disconnected", code, retryMs });
    return retryMs;
  }

  private async connect(): Promise<void> {
    const { incarnation, acked } = this.cursor;
    const { endpoint, broker, invite } = this.home;
    const session = await Session.open(this.platform, {
      url: endpoint, identity: this.identity, broker, invite, resume: incarnation && { incarnation, acked },
    }, {
      frame: (body) => { this.frame(body, session); },
      ended: (error) => { this.ended(error, session); },
    });
    if (this.stopped) {
      session.close();
      fail("closed", "the agent was closed");
    }
    this.session = session;
    this.attempts = 0;
    await this.serial(async () => {
      const { ready, terms } = session;
      // A store that was restored from a backup counts anew.
      this.cursor.incarnation = ready.incarnation;
      this.cursor.acked = ready.mailbox_acked;
      this.saveCursor();
      this.home.broker = terms.broker;
      this.home.invite = this.home.inviteText = undefined;
      this.saveIdentity();
      await this.state.commit();
      this.takenEntries = this.takenBytes = 0n;
      this.credit.entries = this.credit.bytes = 0n;
      this.outbox.reconnected();
    });
    this.notice({ type: "connected" });
    this.grant();
    this.pumpSoon(0);
    this.keys.refill(session, session.ready.key_packages, (work) => this.serial(work)).catch((error: unknown) => { this.failed(error); });
  }

  get endpoint(): string {
    return this.home.endpoint;
  }

  get connected(): Session {
    const { session } = this;
    return session?.open ? session : fail("disconnected", "not connected to the broker");
  }

  private frame(body: BodyOf<"Accepted" | "Rejected" | "Deliver">, session: Session): void {
    this.serial(async () => {
      if (!session.open) return;
      if (body.type === "Accepted") await this.outbox.accepted(body, session);
      else if (body.type === "Rejected") for (const rejection of body.rejections) await this.outbox.rejected(rejection);
      else await this.deliver(body, session);
    }).catch((error: unknown) => { this.failed(error, session); });
  }

  private async deliver(body: BodyOf<"Deliver">, session: Session): Promise<void> {
    for (const { item } of body.entries) this.takenBytes += BigInt(cost(item));
    this.takenEntries += BigInt(body.entries.length);
    // DLV-022: who is not held to it could fill this agent's memory.
    check(this.takenEntries <= this.credit.entries && this.takenBytes <= this.credit.bytes, "malformed", "a Deliver beyond the credit");
    const received = await this.inbox.take(body.entries, session);
    this.waiting += received.length;
    if (received.length > 0) this.events.received(received);
    this.grant();
    this.pumpSoon(0);
  }

  /** DLV-022: totals since Ready. What the application has not taken yet holds the broker back. */
  private grant(): void {
    const { session } = this;
    if (!session?.open || this.waiting >= limits.creditEntries) return;
    const entries = this.takenEntries + BigInt(limits.creditEntries);
    const bytes = this.takenBytes + BigInt(limits.creditBytes);
    if (entries - this.credit.entries < limits.creditEntries / 4 && bytes - this.credit.bytes < limits.creditBytes / 4) return;
    Object.assign(this.credit, { entries, bytes });
    session.send({ type: "Credit", entries, bytes });
  }

  /** The application has dealt with a message. The erasure rides on the next transaction. */
  acknowledged(message: Received): void {
    --this.waiting;
    if (message.place !== undefined) {
      this.state.erase(message.place);
      this.pumpSoon(0);
    }
    this.grant();
  }

  pumpSoon(delayMs: number): void {
    if (delayMs > 0) {
      setTimeout(() => { this.pumpSoon(0); }, delayMs);
      return;
    }
    if (this.pumping || this.stopped) return;
    this.pumping = true;
    this.serial(async () => {
      this.pumping = false;
      if (!this.stopped) await this.outbox.pump(this.session?.open ? this.session : undefined);
    }).catch((error: unknown) => { this.failed(error); });
  }

  /** A broker that breaks the protocol costs it the session; a disk that fails stops the agent. */
  private failed(error: unknown, session?: Session): void {
    const known = error instanceof SealwireError ? error : new SealwireError("unavailable", String(error), { cause: error });
    if (known.code === "state_corrupt") this.stop(known);
    else if (session?.open) session.close(known.code);
    else if (!["disconnected", "closed", "closing"].includes(known.code)) this.notice({ type: "error", error: known });
  }

  private ended(error: SealwireError, session: Session): void {
    if (this.session !== session || this.stopped) return;
    this.session = undefined;
    if (final.includes(error.code)) {
      this.notice({ type: "disconnected", code: error.code, retryMs: undefined });
      this.stop(error);
      return;
    }
    const again = (code: ErrorName): void => {
      this.reconnect = setTimeout(() => {
        this.connect().catch((cause: unknown) => {
          if (this.stopped) return;
          const known = cause instanceof SealwireError ? cause : new SealwireError("disconnected", String(cause));
          if (final.includes(known.code)) this.stop(known);
          else again(known.code);
        });
      }, this.backoff(code));
    };
    again(error.code);
  }

  /** Drops the connection; it comes back by itself. */
  interrupt(): void {
    this.session?.close();
  }

  private stop(error: SealwireError | undefined): void {
    if (this.stopped) return;
    this.stopped = true;
    clearTimeout(this.reconnect);
    this.session?.close();
    this.events.stopped(error);
  }

  async close(): Promise<void> {
    this.stop(undefined);
    await this.serial(() => this.outbox.close()).catch(() => undefined);
    await this.state.close();
  }
}

/** DLV-031. */
function cost(item: BodyOf<"Deliver">["entries"][number]["item"]): number {
  const signed = ({ statement, signature }: { statement: Bytes; signature: Bytes }): number => statement.length + signature.length;
  switch (item.type) {
    case "Delivery": return item.envelope.length;
    case "Tombstone": return item.header.length + item.body_hash.length + item.signature.length;
    case "Refused": return signed(item.refusal);
    case "Redeemed": return signed(item.redemption) + signed(item.inception);
  }
}
