/** One direction of a sealed session (SES-021): ChaCha20-Poly1305 with a counter for a nonce. */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Bytes } from "../bytes.js";
import { copy } from "../bytes.js";
import { fail } from "../errors.js";

export class Protection {
  private counter = 0n;
  constructor(private readonly key: Bytes) {}

  private cipher(): ReturnType<typeof chacha20poly1305> {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, this.counter++);
    return chacha20poly1305(this.key, nonce);
  }

  seal(frame: Bytes): Bytes {
    return copy(this.cipher().encrypt(frame));
  }

  open(message: Bytes): Bytes {
    try {
      return copy(this.cipher().decrypt(message));
    } catch {
      return fail("unauthenticated", "a message of the session does not open");
    }
  }
}
