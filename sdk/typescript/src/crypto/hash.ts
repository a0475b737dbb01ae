/** SPEC chapter 0: `H`, the labelled string `L`, and the key derivation that SES-020 uses. */
import { blake2b } from "@noble/hashes/blake2.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../bytes.js";
import { concat, copy, u32, utf8 } from "../bytes.js";

export const zeroDigest: Bytes = new Uint8Array(32);

export const H = (data: Uint8Array): Bytes => copy(blake2b(data, { dkLen: 32 }));

export function L(label: string, ...parts: Uint8Array[]): Bytes {
  return concat(...[utf8(label), ...parts].flatMap((part) => [u32(part.length), part]));
}

export function hkdf(salt: Uint8Array, secret: Uint8Array, info: Uint8Array, length: number): Bytes {
  return copy(expand(sha256, extract(sha256, secret, salt), info, length));
}
