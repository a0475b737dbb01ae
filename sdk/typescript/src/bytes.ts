/** Byte strings: joining, comparing, and their text forms. */
import { fail } from "./errors.js";

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const utf8 = (text: string): Bytes => encoder.encode(text);
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);

/** A copy with a buffer of its own. */
export const copy = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);

export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function u16(value: number): Bytes {
  return Uint8Array.of(value >>> 8, value);
}

export function u32(value: number): Bytes {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function readU32(bytes: Uint8Array, at = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}

/** Not constant in time: for what is public. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

const hexOf = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += hexOf[byte] ?? "";
  return text;
}

export function unhex(text: string): Bytes {
  if (!/^([0-9a-f]{2})*$/.test(text)) fail("malformed", "not lower-case hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** RFC 4648 section 5, without padding. */
export function base64url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function unbase64url(text: string): Bytes {
  let bytes: Bytes;
  try {
    bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  } catch {
    return fail("malformed", "not base64url");
  }
  if (base64url(bytes) !== text) fail("malformed", "not the one base64url form");
  return bytes;
}

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** base58btc. */
export function base58(bytes: Uint8Array): string {
  let number = BigInt("0x0" + hex(bytes));
  let text = "";
  for (; number > 0n; number /= 58n) text = base58Digits.charAt(Number(number % 58n)) + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros < 0 ? bytes.length : zeros) + text;
}

export function unbase58(text: string): Bytes {
  // Bounded, since the cost grows with the square; no text form here is longer than 60.
  if (text.length > 64) fail("malformed", "base58 text too long");
  let number = 0n;
  for (const digit of text) {
    const value = base58Digits.indexOf(digit);
    if (value < 0) fail("malformed", "not base58");
    number = number * 58n + BigInt(value);
  }
  const digits = number === 0n ? "" : number.toString(16);
  const zeros = text.length - text.replace(/^1+/, "").length;
  return concat(new Uint8Array(zeros), unhex(digits.length % 2 === 0 ? digits : "0" + digits));
}
