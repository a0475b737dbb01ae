/** Every failure of this package: a named code, a sentence for people, and nothing secret. */
export type ErrorName =
  // what a peer or the broker may say (SPEC chapter ERR)
  | "malformed" | "unsupported" | "unauthenticated" | "denied" | "unknown" | "too_large" | "expired"
  | "stale_epoch" | "epoch_conflict" | "chain_broken" | "id_conflict" | "quota_exceeded" | "rate_limited"
  | "unavailable" | "replaced" | "undecryptable" | "closing" | "timeout"
  // what only this side says
  | "aborted" | "closed" | "disconnected" | "invalid_argument" | "peer_unknown" | "rolled_back"
  | "state_corrupt" | "state_locked" | "state_missing";

export class SealwireError extends Error {
  override readonly name = "SealwireError";
  constructor(readonly code: ErrorName, readonly detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
  }
}

export function fail(code: ErrorName, detail: string): never {
  throw new SealwireError(code, detail);
}

/** Handles what others sent: throws the named error unless the condition holds. */
export function check(holds: boolean, code: ErrorName, detail: string): asserts holds {
  if (!holds) fail(code, detail);
}
