/** How frames travel in one direction: sealed where the transport gives no binding (SES-021), as they are otherwise. */
import { openAead, sealAead } from "#platform-crypto";
import type { Bytes } from "../bytes.js";
import { fail } from "../errors.js";

export interface Protection {
  seal(frame: Bytes): Bytes;
  open(message: Bytes): Bytes;
}

export const unsealed: Protection = { seal: (frame) => frame, open: (message) => message };

const noData = new Uint8Array();

/** ChaCha20-Poly1305 with a counter for a nonce. */
export class Sealing implements Protection {
  private counter = 0n;
  constructor(private readonly key: Bytes) {}

  private nonce(): Bytes {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, this.counter++);
    return nonce;
  }

  seal(frame: Bytes): Bytes {
    return sealAead(this.key, this.nonce(), noData, frame);
  }

  open(message: Bytes): Bytes {
    try {
      return openAead(this.key, this.nonce(), noData, message);
    } catch {
      return fail("unauthenticated", "a message of the session does not open");
    }
  }
}
