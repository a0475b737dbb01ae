/** What differs between Node and a browser: sockets, where state is kept, and what is found in the environment. */
import type { Bytes } from "../bytes.js";
import type { ChannelBinding } from "../session/handshake.js";
import type { StateStore } from "../state/store.js";

export interface SocketEvents {
  open(binding: ChannelBinding): void;
  message(bytes: Bytes): void;
  /** Once, whatever the reason. */
  close(): void;
}

export interface Socket {
  send(bytes: Bytes): void;
  /** Bytes that were given to `send` and have not left. */
  readonly buffered: number;
  close(): void;
}

export interface Platform {
  /** A WebSocket with the subprotocol `sealwire.0` and no extensions (SES-040). */
  connect(url: string, events: SocketEvents): Socket;
  /** The only writer of the state of this name; `state_locked` while another has it. */
  openState(name: string): Promise<StateStore>;
  /** An invite that the environment holds, if any. */
  readonly invite: string | undefined;
}
