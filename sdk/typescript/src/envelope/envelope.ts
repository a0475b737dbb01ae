/** Envelopes: made once, and afterwards only the exact bytes (ENV-001 to ENV-006). */
import type { Bytes } from "../bytes.js";
import { copy } from "../bytes.js";
import type { SigningKey } from "../crypto/ed25519.js";
import { verify } from "../crypto/ed25519.js";
import { H, L } from "../crypto/hash.js";
import { check } from "../errors.js";
import * as limits from "../limits.js";
import { decode } from "../wire/decode.js";
import { encode } from "../wire/encode.js";
import * as t from "../wire/tables.js";
import type { Header } from "./header.js";
import { parseHeader } from "./header.js";

/** What is left of an envelope without its body: enough to check its signature and its place in a chain. */
export interface Remains {
  readonly header: Header;
  readonly headerBytes: Bytes;
  readonly bodyHash: Bytes;
  readonly signature: Bytes;
}

export interface Envelope extends Remains {
  readonly bytes: Bytes;
  readonly body: Bytes;
}

const signingInput = ({ headerBytes, bodyHash }: Remains): Bytes => L("sealwire/0 envelope", headerBytes, bodyHash);

/** ENV-005. */
export const linkOf = (remains: Remains): Bytes => H(signingInput(remains));

/** ENV-006. */
export const digestOf = ({ headerBytes, bodyHash, signature }: Remains): Bytes =>
  H(L("sealwire/0 envelope digest", headerBytes, bodyHash, signature));

/** MLS `authenticated_data` (E2E-004). */
export const headerHash = (headerBytes: Bytes): Bytes => H(L("sealwire/0 header", headerBytes));

export async function checkSignature(remains: Remains): Promise<void> {
  check(await verify(remains.header.sender, signingInput(remains), remains.signature), "unauthenticated", "envelope's signature");
}

export function parseRemains(header: Bytes, bodyHash: Bytes, signature: Bytes): Remains {
  // The header is checked in an aligned copy (ENV-002); here alignment is relative to its own first byte.
  return { header: parseHeader(copy(header)), headerBytes: copy(header), bodyHash, signature };
}

export function parseEnvelope(bytes: Bytes): Envelope {
  check(bytes.length <= limits.envelopeBytesMax, "too_large", "envelope");
  const { header, body, signature } = decode(t.Envelope, "SWEN", bytes, { bytes: limits.envelopeBytesMax, depth: 2, tables: 2 });
  check(body.length <= limits.bodyBytesMax, "too_large", "body");
  return { bytes, body, ...parseRemains(header, H(body), signature) };
}

export async function sealEnvelope(key: SigningKey, headerBytes: Bytes, body: Bytes): Promise<Envelope> {
  const bodyHash = H(body);
  const signature = await key.sign(L("sealwire/0 envelope", headerBytes, bodyHash));
  const bytes = encode(t.Envelope, "SWEN", { header: headerBytes, body, signature });
  return { bytes, body, bodyHash, signature, headerBytes, header: parseHeader(headerBytes) };
}
