/** Invites: their text, and the redemptions that bind an invitee to one session (KEY-020 to KEY-024). */
import type { Bytes } from "../bytes.js";
import { base64url, equal, unbase64url } from "../bytes.js";
import type { SigningKey } from "../crypto/ed25519.js";
import { signingKey } from "../crypto/ed25519.js";
import { check } from "../errors.js";
import { encode } from "../wire/encode.js";
import type { Value } from "../wire/schema.js";
import type { Signed } from "../wire/statement.js";
import { openStatement, readStatement, redemptionKind, signStatement } from "../wire/statement.js";
import * as t from "../wire/tables.js";
import type { PublicIdentity } from "./identity.js";
import { checkInception } from "./identity.js";

const prefix = "sealwire-invite:";

export interface Invite {
  readonly inviter: PublicIdentity;
  readonly broker: Bytes;
  readonly endpoints: readonly string[];
  readonly expiresMs: number;
  readonly seed: Bytes;
}

export function inviteText(invite: Invite): string {
  return prefix + base64url(encode(t.Invite, "SWIT", {
    inviter: invite.inviter.inception, broker: invite.broker, endpoints: invite.endpoints,
    expires_ms: BigInt(invite.expiresMs), seed: invite.seed,
  }));
}

export async function parseInvite(text: string): Promise<Invite> {
  const trimmed = text.trim();
  check(trimmed.startsWith(prefix), "malformed", "not an invite");
  const value = readStatement(t.Invite, "SWIT", unbase64url(trimmed.slice(prefix.length)));
  return {
    inviter: await checkInception(value.inviter), broker: value.broker, endpoints: value.endpoints,
    expiresMs: Number(value.expires_ms), seed: value.seed,
  };
}

export async function redemption(invite: Invite, agent: Bytes, transcript: Bytes): Promise<Signed> {
  const seed = await signingKey(invite.seed);
  return signStatement(redemptionKind, seed, { suite: 1, invite: seed.publicKey, agent, transcript });
}

/** KEY-024: who redeemed the invite that was made with this seed. */
export async function checkRedeemed(item: Value<typeof t.Redeemed>, seed: SigningKey): Promise<PublicIdentity> {
  const claimed = await openStatement(redemptionKind, seed.publicKey, item.redemption);
  const invitee = await checkInception(item.inception);
  check(equal(claimed.invite, seed.publicKey) && equal(claimed.agent, invitee.agent), "unauthenticated",
    "a redemption of another invite or agent");
  return invitee;
}
