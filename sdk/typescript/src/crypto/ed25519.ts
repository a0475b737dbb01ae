/** Ed25519 by the platform, held to KEY-001, which the platforms' own checks do not all reach. */
import { importPublic, importSeed } from "#platform-crypto";
import type { Bytes } from "../bytes.js";
import { copy, hex, unhex } from "../bytes.js";

export interface SigningKey {
  readonly seed: Bytes;
  readonly publicKey: Bytes;
  sign(message: Uint8Array): Promise<Bytes>;
}

export async function signingKey(seed: Uint8Array): Promise<SigningKey> {
  const bytes = copy(seed);
  return { seed: bytes, ...await importSeed(bytes) };
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

type Verifier = (message: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>;

const imported = new Map<string, Promise<Verifier | undefined>>();
const importedMax = 256;

/** The platform's check, or undefined where KEY-001 refuses the encoding. Importing a key costs more than a check. */
function verifier(raw: Uint8Array): Promise<Verifier | undefined> {
  const name = hex(raw);
  let key = imported.get(name);
  if (key === undefined) {
    key = raw.length === 32 && soundPoint(raw) ? importPublic(copy(raw)).catch(() => undefined) : Promise.resolve(undefined);
    const oldest = imported.size >= importedMax ? imported.keys().next().value : undefined;
    if (oldest !== undefined) imported.delete(oldest);
    imported.set(name, key);
  }
  return key;
}

export async function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const sound = await verifier(key);
  if (sound === undefined || signature.length !== 64) return false;
  if (!soundPoint(signature.subarray(0, 32)) || littleEndian(signature.subarray(32)) >= order) return false;
  return sound(message, signature);
}
