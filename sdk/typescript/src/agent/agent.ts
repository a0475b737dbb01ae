/** The agent: what an application has in hand. */
import type { Bytes } from "../bytes.js";
import { hex, unhex } from "../bytes.js";
import type { Content, Sendable } from "../content.js";
import { payloadOf } from "../content.js";
import { randomBytes, signingKey } from "../crypto/ed25519.js";
import { check, fail, SealwireError } from "../errors.js";
import { inviteText, parseInvite, redemption } from "../identity/invite.js";
import { parseAgentText } from "../identity/text.js";
import { applicationLifetimeMsMax, letterLifetimeMsMax } from "../limits.js";
import type { Platform } from "../platform/platform.js";
import type { StateStore } from "../state/store.js";
import type { CoreOptions } from "./core.js";
import { Core } from "./core.js";
import type { Notice } from "./events.js";
import type { Handler, MessageEvent, NoticeHandler } from "./handlers.js";
import { Dispatcher } from "./handlers.js";
import type { Received } from "./inbox.js";
import type { SendOptions } from "./message.js";
import { Message } from "./message.js";
import type { Peer } from "./peers.js";
import { InviteRecord } from "./records.js";

export interface AgentOptions {
  /** Which of this machine's agents it is; `default` by default. */
  readonly name?: string;
  /** The text of an invite, which a new agent needs unless the broker admits it by name. */
  readonly invite?: string;
  /** `wss://host:port`; by default the invite's, and afterwards the one used before. */
  readonly endpoint?: string;
  /** The broker's public key in hexadecimal; by default the invite's. */
  readonly brokerKey?: string;
  /** Takes whatever key the broker shows the first time. Only where a person decided it. */
  readonly trustFirstUse?: boolean;
  /** State of one's own making instead of the platform's. */
  readonly store?: StateStore;
}

export interface RequestOptions extends Omit<SendOptions, "transient"> {
  /** 30 s by default. It travels with the request: what comes too late is dropped. */
  readonly timeoutMs?: number;
}

interface Request {
  resolve(reply: Message): void;
}

const defaultLifetimeMs = letterLifetimeMsMax;
const defaultTimeoutMs = 30_000;
const drainMs = 10_000;
const abandonedMax = 1024;

export class Agent implements AsyncIterable<Message> {
  private core!: Core;
  private opened = false;
  private readonly requests = new Map<string, Request>();
  /** Requests that nobody waits for any more: their answers are dropped. */
  private readonly abandoned = new Set<string>();
  private readonly noticeHandlers: NoticeHandler[] = [];
  private readonly dispatcher = new Dispatcher(
    (message) => { this.core.acknowledged(message.received); },
    (error) => { this.tell({ type: "error", error }); },
  );
  private endWith: (error: SealwireError | undefined) => void = () => undefined;
  /** Resolves when the agent has ended: with what ended it, or undefined after `close` and `drain`. */
  readonly ended = new Promise<SealwireError | undefined>((resolve) => { this.endWith = resolve; });

  private constructor() { /* by `open` only */ }

  /** Opens the agent's state; makes a new identity where there is none. Nothing is sent before `start`. */
  static async open(platform: Platform, options: AgentOptions = {}): Promise<Agent> {
    const store = options.store ?? await platform.openState(options.name ?? "default");
    const agent = new Agent();
    const early: Received[] = [];
    const coreOptions: CoreOptions = {
      endpoint: options.endpoint, broker: options.brokerKey === undefined ? undefined : unhex(options.brokerKey),
      invite: options.invite ?? platform.invite, trustFirstUse: options.trustFirstUse,
    };
    try {
      agent.core = await Core.open(platform, store, coreOptions, {
        received: (messages) => { if (agent.opened) agent.receive(messages); else early.push(...messages); },
        notice: (notice) => { agent.tell(notice); },
        stopped: (error) => { agent.endWith(error); },
      });
    } catch (error) {
      await store.close();
      throw error;
    }
    agent.opened = true;
    agent.receive(early);
    return agent;
  }

  /** The agent id, `agent:z…`, as others need it. */
  get id(): string {
    return this.core.identity.text;
  }

  /** Connects, and stays connected until `close` or `drain`. Resolves when the broker has let the agent in. */
  start(): Promise<void> {
    return this.core.start();
  }

  /** Calls `handler` for each message of a sort, in order. What it returns is awaited, then the message is acknowledged. */
  on(event: MessageEvent, handler: Handler): this {
    this.dispatcher.on(event, handler);
    return this;
  }

  /** What happened that no call of one's own failed with. Without a listener it is not told. */
  onNotice(handler: NoticeHandler): this {
    this.noticeHandlers.push(handler);
    return this;
  }

  /** `for await (const message of agent)`: each is acknowledged when the next one is asked for. */
  [Symbol.asyncIterator](): AsyncGenerator<Message, void, void> {
    return this.dispatcher.loop();
  }

  peers(): readonly Peer[] {
    return this.core.peers.list();
  }

  /** Lets an agent write to this one, and gives it a name. Its key is fetched as soon as it allows that. */
  async addPeer(id: string, name?: string): Promise<Peer> {
    const agent = parseAgentText(id);
    const session = this.core.connected;
    await session.call({ type: "SetContact", agent, contact: 1 }, "Done");
    const peer = await this.core.serial(async () => {
      const known = this.core.peers.put(agent, { name, contact: "allowed" });
      await this.core.state.commit();
      return known;
    });
    return await this.core.serial(async () => {
      const found = await this.core.peers.lookUp(peer, session);
      await this.core.state.commit();
      return found ?? peer;
    });
  }

  /** Refuses everything from a peer from now on. */
  async blockPeer(peer: string): Promise<void> {
    const { agent } = this.find(peer);
    await this.core.connected.call({ type: "SetContact", agent, contact: 2 }, "Done");
    await this.core.serial(() => {
      this.core.peers.put(agent, { contact: "blocked" });
      return this.core.state.commit();
    });
  }

  /** The text of an invite for one other agent, which makes the two contacts of each other. By default for one day. */
  async invite(lifetimeMs = 24 * 3_600_000): Promise<string> {
    const session = this.core.connected;
    const key = await signingKey(randomBytes(32));
    const expiresMs = this.core.now() + lifetimeMs;
    await this.core.serial(() => {
      this.core.state.put(`invite/${hex(key.publicKey)}`, InviteRecord, { seed: key.seed, expires_ms: BigInt(expiresMs) });
      return this.core.state.commit();
    });
    await session.call({ type: "IssueInvite", key: key.publicKey, expires_ms: BigInt(expiresMs) }, "Done");
    const { endpoint } = this.core;
    return inviteText({ inviter: this.core.identity, broker: session.terms.broker, endpoints: [endpoint], expiresMs, seed: key.seed });
  }

  /** Redeems another agent's invite at the same broker, and names the inviter. */
  async redeem(text: string, name?: string): Promise<Peer> {
    const session = this.core.connected;
    const invite = await parseInvite(text);
    check(hex(invite.broker) === hex(session.terms.broker), "invalid_argument", "an invite to another broker");
    const shown = await redemption(invite, this.core.identity.agent, session.transcript);
    await session.call({ type: "Redeem", redemption: shown }, "Done");
    return this.core.serial(async () => {
      const peer = this.core.peers.put(invite.inviter.agent, { identity: invite.inviter, name, contact: "allowed" });
      await this.core.state.commit();
      return peer;
    });
  }

  private find(peer: string): Peer {
    return this.core.peers.find(peer) ?? fail("peer_unknown", `no peer is called "${peer}"`);
  }

  /**
   * Sends to a peer, by its name or agent id. Resolves when the broker has the message on its disk; until then it
   * waits, encrypted, in this agent's state, also when the process ends: the next one sends it.
   */
  async send(peer: string, content: Sendable, options: SendOptions = {}): Promise<{ readonly id: string }> {
    return this.post(this.find(peer), { kind: "message", ...payloadOf(content), trace: options.trace }, options);
  }

  private post(
    peer: Peer, content: Content, options: SendOptions, sealed: (id: string) => void = () => undefined,
  ): Promise<{ readonly id: string }> {
    const { transient = false, letter = false, signal } = options;
    check(!(transient && letter), "invalid_argument", "a letter is never transient");
    const lifetimeMs = options.lifetimeMs ?? defaultLifetimeMs;
    const most = letter ? letterLifetimeMsMax : applicationLifetimeMsMax;
    check(lifetimeMs > 0 && lifetimeMs <= most, "invalid_argument", "lifetime");
    if (signal?.aborted) return Promise.reject(new SealwireError("aborted", "the signal was aborted"));
    return new Promise((resolve, reject) => {
      const abort = (): void => { reject(new SealwireError("aborted", "the signal was aborted")); };
      signal?.addEventListener("abort", abort, { once: true });
      this.core.outbox.add({
        peer: peer.agent, content, letter, transient, expiresMs: this.core.now() + lifetimeMs,
        sealed: (id) => { sealed(messageId(id)); },
        resolve: (id) => {
          signal?.removeEventListener("abort", abort);
          resolve({ id: messageId(id) });
        },
        reject: (error) => {
          signal?.removeEventListener("abort", abort);
          reject(error);
        },
      });
      this.core.pumpSoon(0);
    });
  }

  /** Sends a request and waits for its answer. One that says that the request failed has the kind `error`. */
  async request(peer: string, content: Sendable, options: RequestOptions = {}): Promise<Message> {
    const { timeoutMs = defaultTimeoutMs, signal } = options;
    const to = this.find(peer);
    const deadlineMs = this.core.now() + timeoutMs;
    const ids: string[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let abort: (() => void) | undefined;
    try {
      return await new Promise<Message>((resolve, reject) => {
        timer = setTimeout(() => { reject(new SealwireError("timeout", "no answer in time")); }, timeoutMs);
        abort = () => { reject(new SealwireError("aborted", "the signal was aborted")); };
        signal?.addEventListener("abort", abort, { once: true });
        void this.ended.then((error) => { reject(error ?? new SealwireError("closed", "the agent was closed")); });
        const sealed = (id: string): void => {
          ids.push(id);
          this.requests.set(id, { resolve });
        };
        this.post(to, { kind: "request", ...payloadOf(content), deadlineMs, trace: options.trace },
          { ...options, lifetimeMs: options.lifetimeMs ?? timeoutMs }, sealed).catch(reject);
      });
    } finally {
      clearTimeout(timer);
      if (abort) signal?.removeEventListener("abort", abort);
      for (const id of ids) {
        if (this.requests.delete(id)) this.abandon(id);
      }
    }
  }

  private abandon(id: string): void {
    const oldest = this.abandoned.size >= abandonedMax ? this.abandoned.values().next().value : undefined;
    if (oldest !== undefined) this.abandoned.delete(oldest);
    this.abandoned.add(id);
  }

  /** What `Message.reply` does. */
  async reply(to: Message, content: Sendable, kind: "reply" | "error", options: SendOptions = {}): Promise<{ readonly id: string }> {
    const answer: Content = { kind, ...payloadOf(content), replyTo: to.received.id, trace: options.trace ?? to.trace };
    return this.post(to.from, answer, options);
  }

  private receive(messages: readonly Received[]): void {
    for (const received of messages) {
      const peer = this.core.peers.ofAgent(received.from);
      const answers = received.content.replyTo && hex(received.content.replyTo);
      const late = received.content.deadlineMs !== undefined && received.content.deadlineMs < this.core.now();
      const request = answers === undefined ? undefined : this.requests.get(answers);
      if (!peer || late || (answers !== undefined && this.abandoned.has(answers))) {
        this.core.acknowledged(received);
      } else if (request && answers !== undefined) {
        this.requests.delete(answers);
        request.resolve(new Message(received, peer, this));
        this.core.acknowledged(received);
      } else {
        this.dispatcher.push(new Message(received, peer, this));
      }
    }
  }

  private tell(notice: Notice): void {
    for (const handler of this.noticeHandlers) handler(notice);
  }

  /** Drops the connection, which comes back by itself. */
  reconnect(): void {
    this.core.interrupt();
  }

  /** Begins no new handler; what was sent is accepted, what was handled is acknowledged; then it closes. */
  async drain(timeoutMs = drainMs): Promise<void> {
    const until = this.core.now() + timeoutMs;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLong = new Promise<void>((resolve) => { timer = setTimeout(resolve, timeoutMs); });
    await Promise.race([this.dispatcher.stop(), tooLong]);
    clearTimeout(timer);
    while (this.core.outbox.size > 0 && this.core.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    await this.close();
  }

  /** Ends at once. What is unsent or unacknowledged is there when the agent is opened again. */
  async close(): Promise<void> {
    void this.dispatcher.stop();
    await this.core.close();
  }
}

/** The id of the only content of an envelope. */
const messageId = (envelope: Bytes): string => hex(envelope) + "0000";
