/** Signed prekeys, to which letters are sealed (KEY-005, E2E-042). */
import type { Bytes } from "../bytes.js";
import { equal } from "../bytes.js";
import { newRawExchangeKey } from "../crypto/x25519.js";
import { check } from "../errors.js";
import { clockSkewMs, prekeyLifetimeMsMax } from "../limits.js";
import type { Signed } from "../wire/statement.js";
import { openStatement, prekeyKind, signStatement } from "../wire/statement.js";
import type { Identity } from "./identity.js";

export interface OwnPrekey {
  readonly signed: Signed;
  readonly publicKey: Bytes;
  readonly secret: Bytes;
}

export async function newPrekey(identity: Identity, nowMs: number): Promise<OwnPrekey> {
  const { publicKey, secret } = await newRawExchangeKey();
  const signed = await signStatement(prekeyKind, identity.signing, {
    suite: 1, instance: identity.key, key: publicKey, created_ms: BigInt(nowMs),
    expires_ms: BigInt(nowMs + prekeyLifetimeMsMax),
  });
  return { signed, publicKey, secret };
}

/** The key in a prekey of the instance `key`. */
export async function checkPrekey(signed: Signed, key: Bytes, nowMs: number): Promise<Bytes> {
  const prekey = await openStatement(prekeyKind, key, signed);
  check(equal(prekey.instance, key), "unauthenticated", "a prekey of another instance");
  const created = Number(prekey.created_ms);
  const expires = Number(prekey.expires_ms);
  check(prekey.suite === 1, "unsupported", "a prekey of another suite");
  check(created - clockSkewMs <= nowMs && nowMs < expires && expires - created <= prekeyLifetimeMsMax, "malformed",
    "a prekey out of its time");
  return prekey.key;
}
