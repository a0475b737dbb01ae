/** Ed25519 by WebCrypto, held to KEY-001, which the platforms' own checks do not all reach. */
import type { Bytes } from "../bytes.js";
import { concat, copy, hex, unbase64url, unhex } from "../bytes.js";
import { fail } from "../errors.js";

const algorithm = { name: "Ed25519" };
const pkcs8 = unhex("302e020100300506032b657004220420"); // RFC 8410, before the seed
const { subtle } = globalThis.crypto;

export interface SigningKey {
  readonly seed: Bytes;
  readonly publicKey: Bytes;
  sign(message: Uint8Array): Promise<Bytes>;
}

export async function signingKey(seed: Uint8Array): Promise<SigningKey> {
  const bytes = copy(seed);
  const der = concat(pkcs8, bytes);
  // WebCrypto tells the public key of a seed through an extractable key only.
  const jwk = await subtle.exportKey("jwk", await subtle.importKey("pkcs8", der, algorithm, true, ["sign"]));
  const secret = await subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  der.fill(0);
  return {
    seed: bytes,
    publicKey: unbase64url(jwk.x ?? fail("unsupported", "Ed25519 without x")),
    sign: async (message) => new Uint8Array(await subtle.sign(algorithm, secret, copy(message))),
  };
}

export const newSigningKey = (): Promise<SigningKey> => signingKey(randomBytes(32));

export function randomBytes(size: number): Bytes {
  return globalThis.crypto.getRandomValues(new Uint8Array(size));
}

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt("0x" + hex(bytes.slice().reverse()));
}

// The y coordinates of the eight points of small order: 0, 1, −1, and two of order 8.
const y8 = littleEndian(unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"));
const smallOrder = new Set([0n, 1n, p - 1n, y8, p - y8]);

function soundPoint(bytes: Uint8Array): boolean {
  const y = BigInt.asUintN(255, littleEndian(bytes));
  return y < p && !smallOrder.has(y);
}

const imported = new Map<string, Promise<CryptoKey | undefined>>();
const importedMax = 256;

/** The platform's key, or undefined where KEY-001 refuses the encoding. */
function publicKey(raw: Uint8Array): Promise<CryptoKey | undefined> {
  const name = hex(raw);
  let key = imported.get(name);
  if (key === undefined) {
    key = raw.length === 32 && soundPoint(raw)
      ? subtle.importKey("raw", copy(raw), algorithm, false, ["verify"]).catch(() => undefined)
      : Promise.resolve(undefined);
    const oldest = imported.size >= importedMax ? imported.keys().next().value : undefined;
    if (oldest !== undefined) imported.delete(oldest);
    imported.set(name, key);
  }
  return key;
}

export async function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const sound = await publicKey(key);
  if (sound === undefined || signature.length !== 64) return false;
  if (!soundPoint(signature.subarray(0, 32)) || littleEndian(signature.subarray(32)) >= order) return false;
  return subtle.verify(algorithm, sound, copy(signature), copy(message));
}
