/** What an agent tells its application of its own accord. */
import type { ErrorName } from "../errors.js";

export type Notice =
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly code: ErrorName; readonly retryMs: number | undefined }
  /** A message accepted earlier expired unread, or its receiver refused it. */
  | { readonly type: "refused"; readonly envelope: string; readonly code: ErrorName }
  | { readonly type: "redeemed"; readonly peer: string }
  /** An entry of the mailbox that could not be taken: a forgery, a loss, or a group that is wedged. */
  | { readonly type: "undelivered"; readonly code: ErrorName; readonly detail: string }
  | { readonly type: "rolled_back"; readonly peer: string }
  | { readonly type: "error"; readonly error: unknown };
