/** Sealed letters: HPKE to a signed prekey, outside any conversation (E2E-040 to E2E-044). */
import type { Bytes } from "./bytes.js";
import { concat, copy, isZero, readU32, u32, utf8 } from "./bytes.js";
import { hpke } from "./crypto/hpke.js";
import { padme } from "./crypto/padme.js";
import { check, fail } from "./errors.js";

const info = utf8("sealwire/0 letter");

export async function sealLetter(prekey: Bytes, headerBytes: Bytes, batch: Bytes): Promise<Bytes> {
  const plaintext = new Uint8Array(padme(4 + batch.length));
  plaintext.set(u32(batch.length));
  plaintext.set(batch, 4);
  const recipientPublicKey = await hpke.kem.deserializePublicKey(copy(prekey).buffer);
  const { enc, ct } = await hpke.seal({ recipientPublicKey, info: info.buffer }, plaintext.buffer, copy(headerBytes).buffer);
  return concat(prekey, new Uint8Array(enc), new Uint8Array(ct));
}

/** The prekey that a letter is sealed to. */
export const letterPrekey = (body: Bytes): Bytes => body.subarray(0, 32);

export async function openLetter(secret: Bytes, headerBytes: Bytes, body: Bytes): Promise<Bytes> {
  let plaintext: Bytes;
  try {
    const recipientKey = await hpke.kem.deserializePrivateKey(copy(secret).buffer);
    plaintext = new Uint8Array(await hpke.open(
      { recipientKey, enc: copy(body.subarray(32, 64)).buffer, info: info.buffer },
      copy(body.subarray(64)).buffer, copy(headerBytes).buffer));
  } catch {
    return fail("undecryptable", "letter");
  }
  check(plaintext.length >= 4, "malformed", "letter's length");
  const end = 4 + readU32(plaintext);
  check(end <= plaintext.length && plaintext.length === padme(end) && isZero(plaintext.subarray(end)), "malformed", "letter's padding");
  return plaintext.slice(4, end);
}
