/** One sender's chain in one incarnation of a conversation: positions are (epoch, sender_seq) (ENV-030 to ENV-037). */
import type { Bytes } from "../bytes.js";
import { equal } from "../bytes.js";
import { zeroDigest } from "../crypto/hash.js";
import type { Header } from "./header.js";
import { linkOrZero } from "./header.js";

export interface Position {
  readonly epoch: bigint;
  /** The number that the next chained envelope of this epoch has. */
  readonly seq: bigint;
  /** The link of the last chained envelope; zero before the first. */
  readonly previous: Bytes;
}

export const chainStart = (epoch: bigint, previous: Bytes = zeroDigest): Position => ({ epoch, seq: 0n, previous });

/** The number that stands next in `epoch`: numbers start over in a new one, links go on. */
const seqIn = (position: Position, epoch: bigint): bigint => (epoch === position.epoch ? position.seq : 0n);

export function nextIn(position: Position, epoch: bigint): Position {
  return { ...position, epoch, seq: seqIn(position, epoch) };
}

/** "next" in turn; "past" where it was processed before, or can never be in turn; "ahead" otherwise. */
export function placeOf(position: Position, header: Header): "next" | "past" | "ahead" {
  if (header.epoch < position.epoch || header.sender_seq < seqIn(position, header.epoch)) return "past";
  const linked = equal(linkOrZero(header.previous), position.previous);
  return linked && header.sender_seq === seqIn(position, header.epoch) ? "next" : "ahead";
}

export function advance(header: Header, link: Bytes): Position {
  return { epoch: header.epoch, seq: header.sender_seq + 1n, previous: link };
}
