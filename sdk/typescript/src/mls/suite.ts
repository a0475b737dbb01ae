/** MLS cipher suite 0x0003 behind the interface of ts-mls: the platform's primitives, and HPKE of @hpke. */
import { hmacSha256, openAead, sealAead, sha256 } from "#platform-crypto";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { Hpke, PrivateKey, PublicKey } from "ts-mls/crypto/hpke.js";
import type { SigningKey } from "../crypto/ed25519.js";
import { newSigningKey, randomBytes, signingKey, verify } from "../crypto/ed25519.js";
import { expand, extract } from "../crypto/hash.js";
import { hpke } from "../crypto/hpke.js";

interface KeyPair { privateKey: PrivateKey; publicKey: PublicKey }

/** Importing a seed costs more than a signature, and a group signs with one key. */
const keys = new WeakMap<Uint8Array, Promise<SigningKey>>();

function keyOf(seed: Uint8Array): Promise<SigningKey> {
  let key = keys.get(seed);
  if (!key) keys.set(seed, key = signingKey(seed));
  return key;
}

/** The length counts: a prefix of a tag is no tag. */
function sameTag(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length && i < b.length; ++i) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** A promise of what is there at once; what is thrown, it rejects with. */
const now = <T>(work: () => T): Promise<T> => new Promise((resolve) => { resolve(work()); });

const own = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
const empty = new Uint8Array();

const encryption: Hpke = {
  keyLength: 32,
  nonceLength: 12,
  seal: async (recipientPublicKey, plaintext, info, aad = empty) => {
    const { enc, ct } = await hpke.seal({ recipientPublicKey, info: own(info) }, own(plaintext), own(aad));
    return { enc: new Uint8Array(enc), ct: new Uint8Array(ct) };
  },
  open: async (recipientKey, enc, ciphertext, info, aad = empty) =>
    new Uint8Array(await hpke.open({ recipientKey, enc: own(enc), info: own(info) }, own(ciphertext), own(aad))),
  exportSecret: async (recipientPublicKey, context, length, info) => {
    const sender = await hpke.createSenderContext({ recipientPublicKey, info: own(info) });
    return { enc: new Uint8Array(sender.enc), secret: new Uint8Array(await sender.export(own(context), length)) };
  },
  importSecret: async (recipientKey, context, enc, length, info) => {
    const recipient = await hpke.createRecipientContext({ recipientKey, enc: own(enc), info: own(info) });
    return new Uint8Array(await recipient.export(own(context), length));
  },
  importPrivateKey: async (bytes) => await hpke.kem.deserializePrivateKey(own(bytes)) as PrivateKey,
  importPublicKey: async (bytes) => await hpke.kem.deserializePublicKey(own(bytes)) as PublicKey,
  exportPrivateKey: async (key) => new Uint8Array(await hpke.kem.serializePrivateKey(key)),
  exportPublicKey: async (key) => new Uint8Array(await hpke.kem.serializePublicKey(key)),
  deriveKeyPair: async (ikm) => await hpke.kem.deriveKeyPair(own(ikm)) as KeyPair,
  generateKeyPair: async () => await hpke.kem.generateKeyPair() as KeyPair,
  encryptAead: (key, nonce, aad = empty, plaintext) => now(() => sealAead(key, nonce, aad, plaintext)),
  decryptAead: (key, nonce, aad = empty, ciphertext) => now(() => openAead(key, nonce, aad, ciphertext)),
};

export const suite: CiphersuiteImpl = {
  name: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
  hash: {
    digest: (data) => now(() => sha256(data)),
    mac: (key, data) => now(() => hmacSha256(key, data)),
    verifyMac: (key, mac, data) => now(() => sameTag(hmacSha256(key, data), mac)),
  },
  kdf: {
    extract: (salt, ikm) => now(() => extract(salt, ikm)),
    expand: (prk, info, length) => now(() => expand(prk, info, length)),
    size: 32,
  },
  signature: {
    sign: async (seed, message) => (await keyOf(seed)).sign(message),
    verify,
    keygen: async () => {
      const { publicKey, seed } = await newSigningKey();
      return { publicKey, signKey: seed };
    },
  },
  rng: { randomBytes },
  hpke: encryption,
};
