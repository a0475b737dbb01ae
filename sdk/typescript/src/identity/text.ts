/** The text forms of KEY-004, each with one spelling. */
import type { Bytes } from "../bytes.js";
import { base58, concat, unbase58 } from "../bytes.js";
import { check } from "../errors.js";

const ed25519Multicodec = Uint8Array.of(0xed, 0x01);

export const didKey = (key: Uint8Array): string => "did:key:z" + base58(concat(ed25519Multicodec, key));
export const agentText = (id: Uint8Array): string => "agent:z" + base58(id);

export function parseDidKey(text: string): Bytes {
  check(text.startsWith("did:key:z"), "malformed", "not a did:key");
  const key = unbase58(text.slice(9)).slice(2);
  check(key.length === 32 && didKey(key) === text, "malformed", "not the did:key of an Ed25519 key");
  return key;
}

export function parseAgentText(text: string): Bytes {
  check(text.startsWith("agent:z"), "malformed", "not an agent id");
  const id = unbase58(text.slice(7));
  check(id.length === 32 && agentText(id) === text, "malformed", "not an agent id");
  return id;
}
