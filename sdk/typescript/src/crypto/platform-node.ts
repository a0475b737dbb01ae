/** Primitives by Node's own module, at once: handing them to WebCrypto's threads would take longer than they do. */
import { createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { Bytes } from "../bytes.js";
import { concat, copy, unhex } from "../bytes.js";

const pkcs8 = unhex("302e020100300506032b657004220420"); // RFC 8410, before the seed
const spki = unhex("302a300506032b6570032100"); // and before the public key
const tagBytes = 16;
const aead = "chacha20-poly1305";

export function importSeed(seed: Bytes): Promise<{ publicKey: Bytes; sign(message: Uint8Array): Promise<Bytes> }> {
  const secret = createPrivateKey({ key: Buffer.from(concat(pkcs8, seed)), format: "der", type: "pkcs8" });
  const whole = createPublicKey(secret).export({ format: "der", type: "spki" });
  return Promise.resolve({
    publicKey: copy(whole.subarray(spki.length)),
    sign: (message) => Promise.resolve(copy(sign(null, message, secret))),
  });
}

export function importPublic(raw: Bytes): Promise<(message: Uint8Array, signature: Uint8Array) => boolean> {
  const key = createPublicKey({ key: Buffer.from(concat(spki, raw)), format: "der", type: "spki" });
  return Promise.resolve((message, signature) => verify(null, message, key, signature));
}

export const sha256 = (data: Uint8Array): Bytes => copy(createHash("sha256").update(data).digest());

export const hmacSha256 = (key: Uint8Array, data: Uint8Array): Bytes => copy(createHmac("sha256", key).update(data).digest());

/** ChaCha20-Poly1305 (RFC 8439): the ciphertext and its tag. */
export function sealAead(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes {
  const cipher = createCipheriv(aead, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return concat(ciphertext, cipher.getAuthTag());
}

/** Throws where the tag is another. */
export function openAead(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Bytes {
  const size = Math.max(sealed.length - tagBytes, 0);
  const cipher = createDecipheriv(aead, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(aad, { plaintextLength: size });
  cipher.setAuthTag(sealed.subarray(size));
  const plaintext = copy(cipher.update(sealed.subarray(0, size)));
  cipher.final();
  return plaintext;
}
