/** The one encoding of a set of changes: count, then for each its name, a flag, and the value. */
import type { Bytes } from "../bytes.js";
import { concat, copy, fromUtf8, readU32, u32, utf8 } from "../bytes.js";
import { check } from "../errors.js";
import type { Changes } from "./store.js";

export function encodeChanges(changes: Changes): Bytes {
  const parts: Uint8Array[] = [u32(changes.size)];
  for (const [name, value] of changes) {
    const bytes = utf8(name);
    parts.push(u32(bytes.length), bytes, value ? u32(value.length + 1) : u32(0), value ?? new Uint8Array());
  }
  return concat(...parts);
}

export function decodeChanges(record: Bytes): Map<string, Bytes | null> {
  let at = 0;
  const take = (size: number): Bytes => {
    check(at + size <= record.length, "state_corrupt", "a record that ends early");
    at += size;
    return record.subarray(at - size, at);
  };
  const changes = new Map<string, Bytes | null>();
  for (let left = readU32(take(4)); left > 0; --left) {
    const name = fromUtf8(take(readU32(take(4))));
    const size = readU32(take(4));
    changes.set(name, size === 0 ? null : copy(take(size - 1)));
  }
  check(at === record.length, "state_corrupt", "bytes after the end of a record");
  return changes;
}

export function applyChanges(values: Map<string, Bytes>, changes: Changes): void {
  for (const [name, value] of changes) {
    if (value) values.set(name, copy(value));
    else values.delete(name);
  }
}

export function namesOf(values: ReadonlyMap<string, Bytes>, prefix: string): string[] {
  return [...values.keys()].filter((name) => name.startsWith(prefix)).sort();
}
