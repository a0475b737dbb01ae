/** A session from connecting to its end: frames in and out, calls and their replies, pings (SPEC chapter SES). */
import type { Bytes } from "../bytes.js";
import type { ErrorName } from "../errors.js";
import { check, fail, SealwireError } from "../errors.js";
import type { Identity } from "../identity/identity.js";
import type { Invite } from "../identity/invite.js";
import { callTimeoutMs, frameBytesMax, handshakeTimeoutMs } from "../limits.js";
import type { Platform, Socket } from "../platform/platform.js";
import type { Body, BodyOf } from "../wire/frame.js";
import { codeName, codeOf, makeFrame, parseFrame } from "../wire/frame.js";
import type { Draft, Value } from "../wire/schema.js";
import type * as t from "../wire/tables.js";
import type { Resume } from "./handshake.js";
import { Handshake } from "./handshake.js";
import type { Protection } from "./protection.js";

type Request = Draft<typeof t.Call>["request"];
type Response = NonNullable<Value<typeof t.Reply>["response"]>;
export type ResponseName = Response["type"];

/** What the session does not answer itself. */
export interface SessionEvents {
  frame(body: BodyOf<"Accepted" | "Rejected" | "Deliver">): void;
  ended(error: SealwireError): void;
}

export interface SessionOptions {
  readonly url: string;
  readonly identity: Identity;
  readonly broker?: Bytes | undefined;
  readonly resume?: Resume | undefined;
  readonly invite?: Invite | undefined;
}

interface Waiting {
  resolve(reply: Value<typeof t.Reply>): void;
  reject(error: SealwireError): void;
}

export class Session {
  readonly ready: BodyOf<"Ready">;
  readonly terms: Value<typeof t.Terms>;
  readonly transcript: Bytes;
  private readonly calls = new Map<number, Waiting>();
  private lastCall = 0;
  private error: SealwireError | undefined;
  private readonly ping: ReturnType<typeof setInterval>;

  private constructor(
    private readonly socket: Socket, handshake: Handshake,
    private readonly outgoing: Protection, private readonly incoming: Protection,
    ready: BodyOf<"Ready">, private readonly events: SessionEvents,
  ) {
    this.ready = ready;
    this.terms = handshake.terms;
    this.transcript = handshake.transcript;
    this.ping = setInterval(() => { this.send({ type: "Ping" }); }, Math.max(1000, Math.floor(this.terms.idle_ms / 3)));
  }

  /** Connects and shakes hands; rejects with the broker's code where it refuses. */
  static open(platform: Platform, options: SessionOptions, events: SessionEvents): Promise<Session> {
    return new Promise((resolve, reject) => {
      let handshake: Handshake | undefined;
      let session: Session | undefined;
      let step: "challenge" | "ready" | "over" = "challenge";
      let proven = false;
      // Messages are taken one after another, however long one takes.
      let queue = Promise.resolve();
      const giveUp = (error: unknown): void => {
        if (step === "over") return;
        step = "over";
        clearTimeout(timer);
        const known = error instanceof SealwireError ? error : new SealwireError("disconnected", String(error));
        // SES-032; nothing may stand between Proof and Ready (SES-018).
        if (handshake && !proven) socket.send(makeFrame({ type: "Close", code: codeOf(known.code) }));
        socket.close();
        reject(known);
      };
      const timer = setTimeout(() => { giveUp(new SealwireError("timeout", "no Ready in time")); }, handshakeTimeoutMs);
      const take = async (message: Bytes): Promise<void> => {
        if (!handshake) return fail("malformed", "a message before Hello");
        if (step === "challenge") {
          await handshake.challenge(message);
          const proof = await handshake.proof(options.resume, options.invite);
          proven = true;
          socket.send(proof);
          step = "ready";
        } else if (step === "ready") {
          const { ready, outgoing, incoming } = handshake.ready(message);
          step = "over";
          clearTimeout(timer);
          session = new Session(socket, handshake, outgoing, incoming, ready, events);
          resolve(session);
        }
      };
      const socket = platform.connect(options.url, {
        open: (binding) => {
          queue = queue.then(async () => {
            handshake = await Handshake.begin(options.identity, binding, options.broker);
            socket.send(handshake.hello);
          }).catch(giveUp);
        },
        message: (bytes) => {
          if (session) session.receive(bytes);
          else queue = queue.then(async () => {
            if (session) session.receive(bytes);
            else await take(bytes);
          }).catch(giveUp);
        },
        close: () => {
          // What came before the end may still be waiting in the queue.
          void queue.then(() => {
            if (session) session.end(new SealwireError("disconnected", "the connection ended"));
            else giveUp(new SealwireError("disconnected", "the connection ended before Ready"));
          });
        },
      });
    });
  }

  get open(): boolean {
    return this.error === undefined;
  }

  /** Bytes that the transport has not taken yet. */
  get buffered(): number {
    return this.socket.buffered;
  }

  send(body: Draft<typeof t.Frame>["body"]): void {
    if (this.open) this.socket.send(this.outgoing.seal(makeFrame(body)));
  }

  /** DLV-050: each call has one reply; the response must be of the kind that was asked for. */
  async call<N extends ResponseName>(request: Request, expected: N): Promise<Extract<Response, { type: N }>> {
    if (this.error) throw this.error;
    const id = this.lastCall = (this.lastCall + 1) >>> 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const reply = await new Promise<Value<typeof t.Reply>>((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      timer = setTimeout(() => { reject(new SealwireError("timeout", `no reply to ${request.type}`)); }, callTimeoutMs);
      this.send({ type: "Call", id, request });
    }).finally(() => {
      clearTimeout(timer);
      this.calls.delete(id);
    });
    if (reply.code !== 0) return fail(codeName(reply.code), `the broker refused ${request.type}`);
    check(reply.response?.type === expected, "malformed", `${String(reply.response?.type)} instead of ${expected}`);
    return reply.response as Extract<Response, { type: N }>;
  }

  /** SES-032. */
  close(code: ErrorName = "closing"): void {
    this.send({ type: "Close", code: codeOf(code) });
    this.end(new SealwireError(code === "closing" ? "closed" : code, "this side closed the session"));
  }

  private receive(message: Bytes): void {
    if (!this.open) return;
    try {
      check(message.length <= frameBytesMax, "too_large", "a message over the limit");
      this.take(parseFrame(this.incoming.open(message), frameBytesMax));
    } catch (error) {
      // FRM-009, SES-022.
      const known = error instanceof SealwireError ? error : new SealwireError("malformed", String(error));
      this.send({ type: "Close", code: codeOf(known.code) });
      this.end(known);
    }
  }

  private take(body: Body): void {
    switch (body.type) {
      case "Accepted": case "Rejected": case "Deliver":
        this.events.frame(body);
        return;
      case "Reply":
        check(body.code === 0 || body.response === undefined, "malformed", "a response to what was refused");
        this.calls.get(body.id)?.resolve(body);
        return;
      case "Ping":
        this.send({ type: "Pong", nonce: body.nonce });
        return;
      case "Pong":
        return;
      case "Close":
        this.end(new SealwireError(codeName(body.code), "the broker closed the session"));
        return;
      default:
        fail("malformed", `${body.type} from the broker`); // FRM-007
    }
  }

  private end(error: SealwireError): void {
    if (this.error) return;
    this.error = error;
    clearInterval(this.ping);
    this.socket.close();
    for (const call of this.calls.values()) call.reject(error);
    this.events.ended(error);
  }
}
