/** X25519 by WebCrypto: one ephemeral exchange a session (SES-020, SES-023), and prekeys. */
import type { Bytes } from "../bytes.js";
import { copy, isZero, unbase64url } from "../bytes.js";
import { check, fail } from "../errors.js";

const algorithm = { name: "X25519" };
const { subtle } = globalThis.crypto;

export interface ExchangeKey {
  readonly publicKey: Bytes;
  /** The shared secret; refuses a peer's key of small order. */
  agree(peer: Uint8Array): Promise<Bytes>;
}

async function generate(extractable: boolean): Promise<CryptoKeyPair> {
  return await subtle.generateKey(algorithm, extractable, ["deriveBits"]) as CryptoKeyPair;
}

async function raw(key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await subtle.exportKey("raw", key));
}

/** The secret half cannot be exported. */
export async function newExchangeKey(): Promise<ExchangeKey> {
  const pair = await generate(false);
  return {
    publicKey: await raw(pair.publicKey),
    async agree(peer) {
      let shared: Bytes;
      try {
        const theirs = await subtle.importKey("raw", copy(peer), algorithm, false, []);
        shared = new Uint8Array(await subtle.deriveBits({ ...algorithm, public: theirs }, pair.privateKey, 256));
      } catch (cause) {
        return fail("unauthenticated", `key exchange: ${String(cause)}`);
      }
      check(!isZero(shared), "unauthenticated", "key exchange with a key of small order");
      return shared;
    },
  };
}

export async function newRawExchangeKey(): Promise<{ publicKey: Bytes; secret: Bytes }> {
  const pair = await generate(true);
  const { d } = await subtle.exportKey("jwk", pair.privateKey);
  return { publicKey: await raw(pair.publicKey), secret: unbase64url(d ?? fail("unsupported", "X25519 without d")) };
}
