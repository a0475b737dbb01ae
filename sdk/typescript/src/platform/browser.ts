/** Browsers: their own WebSocket, IndexedDB, and an invite in the page's fragment, which no server sees. */
import { noBinding } from "../session/handshake.js";
import type { Platform, Socket, SocketEvents } from "./platform.js";
import { IndexedDbStore } from "./indexeddb-state.js";

function connect(url: string, events: SocketEvents): Socket {
  const socket = new WebSocket(url, "sealwire.0");
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { events.open(noBinding); };
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) events.message(new Uint8Array(data));
    else socket.close();
  };
  socket.onclose = () => { events.close(); };
  return {
    send: (bytes) => { if (socket.readyState === WebSocket.OPEN) socket.send(bytes); },
    get buffered() { return socket.bufferedAmount; },
    close: () => { socket.close(); },
  };
}

function inviteInFragment(): string | undefined {
  const fragment = typeof location === "undefined" ? "" : decodeURIComponent(location.hash.slice(1));
  return fragment.startsWith("sealwire-invite:") ? fragment : undefined;
}

export const platform: Platform = {
  connect,
  openState: (name) => IndexedDbStore.open(name),
  get invite() { return inviteInFragment(); },
};
