/** Key packages (KEY-010 to KEY-013): made for oneself, and checked when they are another's. */
import { generateKeyPackageWithKey, makeKeyPackageRef, verifyKeyPackage } from "ts-mls/keyPackage.js";
import type { KeyPackage, PrivateKeyPackage } from "ts-mls/keyPackage.js";
import type { Credential } from "ts-mls/credential.js";
import { decodeMlsMessage, encodeMlsMessage } from "ts-mls/message.js";
import type { MLSMessage, MlsMessageContent } from "ts-mls/message.js";
import { verifyLeafNodeSignatureKeyPackage } from "ts-mls/leafNode.js";
import type { Bytes } from "../bytes.js";
import { copy, equal, fromUtf8, utf8 } from "../bytes.js";
import { check, fail } from "../errors.js";
import type { Identity } from "../identity/identity.js";
import { didKey } from "../identity/text.js";
import { clockSkewMs, keyPackageLifetimeSMax, keyPackageSlackS } from "../limits.js";
import { suite } from "./suite.js";

export interface OwnKeyPackage {
  readonly publicPackage: KeyPackage;
  readonly privatePackage: PrivateKeyPackage;
}

/** An MLSMessage that fills its bytes and has one encoding. */
export function decodeMessage<W extends MLSMessage["wireformat"]>(bytes: Bytes, wireformat: W): Extract<MLSMessage, { wireformat: W }> {
  let decoded: [MLSMessage, number] | undefined;
  try {
    decoded = decodeMlsMessage(bytes, 0);
  } catch (cause) {
    return fail("undecryptable", `not an MLS message: ${String(cause)}`);
  }
  if (!decoded || decoded[1] !== bytes.length) return fail("undecryptable", "not an MLS message");
  const [message] = decoded;
  check(message.wireformat === wireformat, "undecryptable", `${message.wireformat} instead of ${wireformat}`);
  check(equal(encodeMlsMessage(message), bytes), "undecryptable", "an MLS message in another encoding");
  return message as Extract<MLSMessage, { wireformat: W }>;
}

export function encodeMessage(message: MlsMessageContent): Bytes {
  return copy(encodeMlsMessage({ version: "mls10", ...message }));
}

/** E2E-002, KEY-010: basic, and naming the leaf's own key. */
export function soundCredential(credential: Credential, key: Uint8Array): boolean {
  return credential.credentialType === "basic" && "identity" in credential && fromUtf8(credential.identity) === didKey(key);
}

const capabilities = {
  versions: ["mls10" as const], ciphersuites: [suite.name], extensions: [], proposals: [], credentials: ["basic" as const],
};

export async function newKeyPackage(identity: Identity, nowMs: number): Promise<OwnKeyPackage> {
  const nowS = BigInt(Math.floor(nowMs / 1000));
  const lifetime = { notBefore: nowS - BigInt(keyPackageSlackS), notAfter: nowS + BigInt(keyPackageLifetimeSMax - keyPackageSlackS) };
  const keys = { signKey: identity.signing.seed, publicKey: identity.key };
  const credential = { credentialType: "basic" as const, identity: utf8(didKey(identity.key)) };
  return generateKeyPackageWithKey(credential, capabilities, lifetime, [], keys, suite);
}

export async function keyPackageRef(keyPackage: KeyPackage): Promise<Bytes> {
  return copy(await makeKeyPackageRef(keyPackage, suite.hash));
}

/** KEY-010, KEY-011, KEY-013, and the signatures, which ts-mls leaves to its caller. */
export async function checkKeyPackage(bytes: Bytes, key: Bytes, nowMs: number): Promise<KeyPackage> {
  const { keyPackage } = decodeMessage(bytes, "mls_key_package");
  const { leafNode } = keyPackage;
  check(keyPackage.cipherSuite === suite.name, "unsupported", "key package of another suite");
  check(equal(leafNode.signaturePublicKey, key), "unauthenticated", "key package of another instance");
  check(soundCredential(leafNode.credential, leafNode.signaturePublicKey), "unauthenticated", "key package's credential");
  check(!equal(keyPackage.initKey, leafNode.hpkePublicKey), "malformed", "key package with one key twice");
  check(await verifyLeafNodeSignatureKeyPackage(leafNode, suite.signature)
    && await verifyKeyPackage(keyPackage, suite.signature), "unauthenticated", "key package's signature");
  const nowS = BigInt(Math.floor(nowMs / 1000));
  const { notBefore, notAfter } = leafNode.lifetime;
  check(notAfter - notBefore <= BigInt(keyPackageLifetimeSMax + clockSkewMs / 1000), "malformed", "key package's lifetime");
  check(notBefore <= nowS && nowS <= notAfter, "expired", "key package");
  return keyPackage;
}
