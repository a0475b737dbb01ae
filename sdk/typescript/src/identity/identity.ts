/** Who an agent is: its key, its inception, and the agent id that the two give (SPEC chapter KEY). */
import type { Bytes } from "../bytes.js";
import { concat } from "../bytes.js";
import type { SigningKey } from "../crypto/ed25519.js";
import { newSigningKey } from "../crypto/ed25519.js";
import { H, L } from "../crypto/hash.js";
import { check } from "../errors.js";
import type { Signed } from "../wire/statement.js";
import { inceptionKind, openStatement, readStatement, signStatement } from "../wire/statement.js";
import { agentText } from "./text.js";

export interface PublicIdentity {
  readonly agent: Bytes;
  readonly key: Bytes;
  readonly inception: Signed;
}

export interface Identity extends PublicIdentity {
  readonly signing: SigningKey;
  readonly text: string;
}

export function agentId(inception: Signed): Bytes {
  return H(L("sealwire/0 agent id", inception.statement, inception.signature));
}

export async function newIdentity(nowMs: number): Promise<Identity> {
  const signing = await newSigningKey();
  const inception = await signStatement(inceptionKind, signing,
    { suite: 1, key: signing.publicKey, created_ms: BigInt(nowMs) });
  return identityOf(signing, inception);
}

export function identityOf(signing: SigningKey, inception: Signed): Identity {
  const agent = agentId(inception);
  return { agent, key: signing.publicKey, inception, signing, text: agentText(agent) };
}

/** KEY-003. */
export async function checkInception(inception: Signed): Promise<PublicIdentity> {
  const { key } = readStatement(inceptionKind.table, inceptionKind.identifier, inception.statement);
  const { suite } = await openStatement(inceptionKind, key, inception);
  check(suite === 1, "unsupported", "an inception of another suite");
  return { agent: agentId(inception), key, inception };
}

/** A UUIDv7 (RFC 9562 section 5.7) with 74 random bits. */
export function uuid7(nowMs: number, random: Uint8Array): Bytes {
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(nowMs));
  const id = concat(time.subarray(2), random.subarray(0, 10));
  id[6] = 0x70 | ((id[6] ?? 0) & 0x0f);
  id[8] = 0x80 | ((id[8] ?? 0) & 0x3f);
  return id;
}

export const isUuid7 = (id: Uint8Array): boolean =>
  id.length === 16 && (id[6] ?? 0) >>> 4 === 7 && (id[8] ?? 0) >>> 6 === 2;
