/** What the package exports on every platform, beside `Agent`. */
export type { AgentOptions, RequestOptions } from "./agent/agent.js";
export type { Notice } from "./agent/events.js";
export type { Handler, MessageEvent, NoticeHandler } from "./agent/handlers.js";
export { Message } from "./agent/message.js";
export type { SendOptions } from "./agent/message.js";
export type { Peer } from "./agent/peers.js";
export type { ContentKind, Sendable } from "./content.js";
export { SealwireError } from "./errors.js";
export type { ErrorName } from "./errors.js";
export { MemoryStore } from "./state/memory.js";
export type { Changes, StateStore } from "./state/store.js";
