/** SPEC chapter 0: `H` and the labelled string `L`; HKDF, which SES-020 and MLS use. */
import { hmacSha256 } from "#platform-crypto";
import { blake2b } from "@noble/hashes/blake2.js";
import type { Bytes } from "../bytes.js";
import { concat, copy, u32, utf8 } from "../bytes.js";
import { check } from "../errors.js";

export const zeroDigest: Bytes = new Uint8Array(32);

export const H = (data: Uint8Array): Bytes => copy(blake2b(data, { dkLen: 32 }));

export function L(label: string, ...parts: Uint8Array[]): Bytes {
  return concat(...[utf8(label), ...parts].flatMap((part) => [u32(part.length), part]));
}

/** HKDF-Extract and HKDF-Expand with SHA-256 (RFC 5869 sections 2.2 and 2.3). */
export const extract = (salt: Uint8Array, secret: Uint8Array): Bytes => hmacSha256(salt, secret);

export function expand(key: Uint8Array, info: Uint8Array, length: number): Bytes {
  check(length <= 255 * 32, "invalid_argument", "more than HKDF gives");
  const whole = new Uint8Array(length);
  let block: Bytes = new Uint8Array();
  for (let at = 0; at < length; at += block.length) {
    block = hmacSha256(key, concat(block, info, Uint8Array.of(at / 32 + 1)));
    whole.set(block.subarray(0, length - at), at);
  }
  return whole;
}

export function hkdf(salt: Uint8Array, secret: Uint8Array, info: Uint8Array, length: number): Bytes {
  return expand(extract(salt, secret), info, length);
}
