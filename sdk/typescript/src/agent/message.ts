/** A message as the application sees it. */
import type { Bytes } from "../bytes.js";
import { hex } from "../bytes.js";
import type { Content, ContentKind, Sendable } from "../content.js";
import { isJson, isText, textOf } from "../content.js";
import type { Received } from "./inbox.js";
import type { Peer } from "./peers.js";

export interface SendOptions {
  /** Never stored, never promised: for what is worthless a moment later. */
  readonly transient?: boolean;
  /** Sealed to the peer's key, outside any conversation: for first contact. */
  readonly letter?: boolean;
  /** The broker may throw it away unread after so long; its sender is told. By default 7 days. */
  readonly lifetimeMs?: number;
  /** W3C trace context; it travels inside the encryption. */
  readonly trace?: string;
  /** Gives up waiting; what is already on its way still goes. */
  readonly signal?: AbortSignal;
}

/** What a message can do to its agent. */
export interface Replier {
  reply(to: Message, content: Sendable, kind: "reply" | "error", options?: SendOptions): Promise<{ readonly id: string }>;
}

export class Message {
  /** Stable over redeliveries, in lower-case hexadecimal. */
  readonly id: string;
  readonly kind: ContentKind;
  readonly mediaType: string;
  readonly data: Bytes;
  readonly sentAt: Date;
  /** A request's: after it, no answer is of use. */
  readonly deadline: Date | undefined;
  /** The message that this one answers. */
  readonly replyTo: string | undefined;
  readonly trace: string | undefined;
  /** It came as a sealed letter. */
  readonly letter: boolean;
  /** `bridged:<channel>` where it came from a world without keys. */
  readonly provenance: string | undefined;
  private readonly content: Content;

  constructor(readonly received: Received, readonly from: Peer, private readonly agent: Replier) {
    const { content } = received;
    this.content = content;
    this.id = hex(received.id);
    this.kind = content.kind;
    this.mediaType = content.mediaType;
    this.data = content.data;
    this.sentAt = new Date(received.createdMs);
    this.deadline = content.deadlineMs === undefined ? undefined : new Date(content.deadlineMs);
    this.replyTo = content.replyTo && hex(content.replyTo);
    this.trace = content.trace;
    this.letter = received.letter;
    this.provenance = received.provenance;
  }

  get isText(): boolean {
    return isText(this.mediaType);
  }

  get isJson(): boolean {
    return isJson(this.mediaType);
  }

  get text(): string {
    return textOf(this.content);
  }

  /** The parsed value of a JSON message. Its shape is its sender's word: check it. */
  json(): unknown {
    return JSON.parse(this.text);
  }

  /** Resolves when the broker has the answer on its disk. */
  reply(content: Sendable, options?: SendOptions): Promise<{ readonly id: string }> {
    return this.agent.reply(this, content, "reply", options);
  }

  /** Answers a request with what went wrong. */
  replyError(content: Sendable, options?: SendOptions): Promise<{ readonly id: string }> {
    return this.agent.reply(this, content, "error", options);
  }
}
