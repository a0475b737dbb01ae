/** Node: the `ws` package, and folders below `~/.local/state/sealwire-js`. */
import { homedir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { copy } from "../bytes.js";
import { check } from "../errors.js";
import { frameBytesMax } from "../limits.js";
import { noBinding, tlsExporter } from "../session/handshake.js";
import { FolderStore } from "./node-state.js";
import type { Platform, Socket, SocketEvents } from "./platform.js";

function connect(url: string, events: SocketEvents): Socket {
  const socket = new WebSocket(url, "sealwire.0", {
    maxPayload: frameBytesMax, perMessageDeflate: false, skipUTF8Validation: true,
    // The broker is known by its key, which signs the handshake and so the keys that seal every frame.
    rejectUnauthorized: false,
  });
  socket.binaryType = "nodebuffer";
  let binding = noBinding;
  socket.on("upgrade", (response) => {
    // RFC 9266: the context is present and empty. Deno has no exporter: there frames are sealed, as in a browser.
    if (response.socket instanceof TLSSocket && "exportKeyingMaterial" in response.socket) {
      binding = tlsExporter(copy(response.socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0))));
    }
  });
  socket.on("open", () => { events.open(binding); });
  socket.on("message", (data: Buffer, binary: boolean) => {
    if (binary) events.message(copy(data));
    else socket.terminate();
  });
  socket.on("error", () => { socket.terminate(); });
  socket.on("close", () => { events.close(); });
  return {
    send: (bytes) => { if (socket.readyState === WebSocket.OPEN) socket.send(bytes); },
    get buffered() { return socket.bufferedAmount; },
    close: () => { socket.close(); },
  };
}

export function stateFolder(name: string): string {
  check(/^[\w.-]{1,64}$/.test(name) && !name.startsWith("."), "invalid_argument", "an agent's name is 1 to 64 of A-Z a-z 0-9 _ . -");
  const home = process.env["SEALWIRE_JS_HOME"]
    ?? join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "sealwire-js");
  return join(home, name);
}

export const platform: Platform = {
  connect,
  openState: (name) => FolderStore.open(stateFolder(name)),
  invite: process.env["SEALWIRE_INVITE"],
};
