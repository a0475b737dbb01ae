/** Ed25519 by Node's own module: a signature takes less time than handing it to WebCrypto's threads would. */
import { createPrivateKey, createPublicKey, sign as signNow, verify as verifyNow } from "node:crypto";
import type { Bytes } from "../bytes.js";
import { concat, copy, unhex } from "../bytes.js";

const pkcs8 = unhex("302e020100300506032b657004220420"); // RFC 8410, before the seed
const spki = unhex("302a300506032b6570032100"); // and before the public key

export function importSeed(seed: Bytes): Promise<{ publicKey: Bytes; sign(message: Uint8Array): Promise<Bytes> }> {
  const secret = createPrivateKey({ key: Buffer.from(concat(pkcs8, seed)), format: "der", type: "pkcs8" });
  const whole = createPublicKey(secret).export({ format: "der", type: "spki" });
  return Promise.resolve({
    publicKey: copy(whole.subarray(spki.length)),
    sign: (message) => Promise.resolve(copy(signNow(null, message, secret))),
  });
}

export function importPublic(raw: Bytes): Promise<(message: Uint8Array, signature: Uint8Array) => boolean> {
  const key = createPublicKey({ key: Buffer.from(concat(spki, raw)), format: "der", type: "spki" });
  return Promise.resolve((message, signature) => verifyNow(null, message, key, signature));
}
