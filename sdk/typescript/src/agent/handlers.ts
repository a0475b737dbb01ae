/** Who gets a message: listeners by what it is, and loops that take one after another. */
import type { ContentKind } from "../content.js";
import type { Message } from "./message.js";
import type { Notice } from "./events.js";

/** `text` and `json` go by the media type, the rest by the kind; `message` is every one. */
export type MessageEvent = "message" | "text" | "json" | "request";
export type Handler = (context: Message) => unknown;
export type NoticeHandler = (notice: Notice) => void;

const matches: Record<MessageEvent, (message: Message) => boolean> = {
  message: () => true,
  text: (message) => message.isText,
  json: (message) => message.isJson,
  request: (message) => message.kind === ("request" satisfies ContentKind),
};

interface Taker {
  give(message: Message | undefined): void;
}

const retryMinMs = 1000;
const retryMaxMs = 60_000;

/**
 * Messages one at a time, in order. Each is acknowledged when every listener that it concerns has returned; one whose
 * listener throws is tried again after 1 s, then 2 s, up to 60 s, and those behind it wait.
 */
export class Dispatcher {
  private readonly queue: Message[] = [];
  private readonly handlers: [MessageEvent, Handler][] = [];
  private readonly takers: Taker[] = [];
  private loops = 0;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly acknowledge: (message: Message) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  on(event: MessageEvent, handler: Handler): void {
    this.handlers.push([event, handler]);
    this.run();
  }

  push(message: Message): void {
    this.queue.push(message);
    this.run();
  }

  private run(): void {
    if (this.stopped || this.queue.length === 0) return;
    const taker = this.takers.shift();
    if (taker) {
      taker.give(this.queue.shift());
      return;
    }
    if (this.loops > 0 || this.handlers.length === 0 || this.running) return;
    this.running = this.handleAll().finally(() => {
      this.running = undefined;
      this.run();
    });
  }

  private async handleAll(): Promise<void> {
    for (let message = this.queue[0]; message && !this.stopped; message = this.queue[0]) {
      if (!await this.handle(message)) return;
      this.queue.shift();
      this.acknowledge(message);
    }
  }

  private async handle(message: Message): Promise<boolean> {
    for (let waitMs = retryMinMs; !this.stopped; waitMs = Math.min(2 * waitMs, retryMaxMs)) {
      try {
        for (const [event, handler] of [...this.handlers]) if (matches[event](message)) await handler(message);
        return true;
      } catch (error) {
        this.failed(error);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, waitMs);
          this.wake = () => { clearTimeout(timer); resolve(); };
        });
      }
    }
    return false;
  }

  private wake: () => void = () => undefined;

  /** Each message is acknowledged when the next one is asked for. */
  async *loop(): AsyncGenerator<Message, void, void> {
    ++this.loops;
    try {
      while (!this.stopped) {
        const message = this.queue.shift() ?? await new Promise<Message | undefined>((resolve) => {
          this.takers.push({ give: resolve });
        });
        if (!message) return;
        yield message;
        this.acknowledge(message);
      }
    } finally {
      --this.loops;
      this.run();
    }
  }

  /** No new message is begun; resolves when the one that is being handled is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    for (const taker of this.takers.splice(0)) taker.give(undefined);
    await this.running;
  }
}
