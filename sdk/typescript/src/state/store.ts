/** Where an agent keeps its state: names and values, changed in transactions that are on disk when they resolve. */
import type { Bytes } from "../bytes.js";

/** A value of null erases. */
export type Changes = ReadonlyMap<string, Uint8Array | null>;

export interface StateStore {
  get(name: string): Bytes | undefined;
  /** Names that begin with `prefix`, in order. */
  names(prefix: string): string[];
  /** All or nothing, in the order of the calls; a rejection means that the store takes nothing more. */
  commit(changes: Changes): Promise<void>;
  close(): Promise<void>;
}
