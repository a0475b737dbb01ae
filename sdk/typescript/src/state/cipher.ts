/** Seals what is kept at rest: AES-256-GCM by WebCrypto, under a key that need not be extractable. */
import type { Bytes } from "../bytes.js";
import { concat, copy, utf8 } from "../bytes.js";
import { randomBytes } from "../crypto/ed25519.js";
import { check, fail } from "../errors.js";

const { subtle } = globalThis.crypto;
const nonceBytes = 12;

export class RecordCipher {
  constructor(private readonly key: CryptoKey) {}

  static async of(key: Uint8Array): Promise<RecordCipher> {
    return new RecordCipher(await subtle.importKey("raw", copy(key), "AES-GCM", false, ["encrypt", "decrypt"]));
  }

  static async generateKey(): Promise<CryptoKey> {
    return subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  }

  /** `place` says where the record stands, so that none can be put in the place of another. */
  async seal(place: string, record: Uint8Array): Promise<Bytes> {
    const iv = randomBytes(nonceBytes);
    const parameters = { name: "AES-GCM", iv, additionalData: utf8(place) };
    return concat(iv, new Uint8Array(await subtle.encrypt(parameters, this.key, copy(record))));
  }

  async open(place: string, sealed: Uint8Array): Promise<Bytes> {
    check(sealed.length > nonceBytes, "state_corrupt", `a record of ${String(sealed.length)} bytes`);
    const parameters = { name: "AES-GCM", iv: copy(sealed.subarray(0, nonceBytes)), additionalData: utf8(place) };
    try {
      return new Uint8Array(await subtle.decrypt(parameters, this.key, copy(sealed.subarray(nonceBytes))));
    } catch {
      return fail("state_corrupt", `the record ${place} does not open`);
    }
  }
}
