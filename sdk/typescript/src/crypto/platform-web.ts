/** Primitives of a page: Ed25519 by WebCrypto, the rest by @noble, at once. */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as digest } from "@noble/hashes/sha2.js";
import type { Bytes } from "../bytes.js";
import { concat, copy, unbase64url, unhex } from "../bytes.js";
import { fail } from "../errors.js";

const { subtle } = globalThis.crypto;
const algorithm = { name: "Ed25519" };
const pkcs8 = unhex("302e020100300506032b657004220420"); // RFC 8410, before the seed

export async function importSeed(seed: Bytes): Promise<{ publicKey: Bytes; sign(message: Uint8Array): Promise<Bytes> }> {
  const der = concat(pkcs8, seed);
  // WebCrypto tells the public key of a seed through an extractable key only.
  const jwk = await subtle.exportKey("jwk", await subtle.importKey("pkcs8", der, algorithm, true, ["sign"]));
  const secret = await subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  der.fill(0);
  return {
    publicKey: unbase64url(jwk.x ?? fail("unsupported", "Ed25519 without x")),
    sign: async (message) => new Uint8Array(await subtle.sign(algorithm, secret, copy(message))),
  };
}

export async function importPublic(raw: Bytes): Promise<(message: Uint8Array, signature: Uint8Array) => Promise<boolean>> {
  const key = await subtle.importKey("raw", raw, algorithm, false, ["verify"]);
  return (message, signature) => subtle.verify(algorithm, key, copy(signature), copy(message));
}

export const sha256 = (data: Uint8Array): Bytes => copy(digest(data));

export const hmacSha256 = (key: Uint8Array, data: Uint8Array): Bytes => copy(hmac(digest, key, data));

/** ChaCha20-Poly1305 (RFC 8439): the ciphertext and its tag. */
export const sealAead = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes =>
  copy(chacha20poly1305(key, nonce, aad).encrypt(plaintext));

/** Throws where the tag is another. */
export const openAead = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Bytes =>
  copy(chacha20poly1305(key, nonce, aad).decrypt(sealed));
