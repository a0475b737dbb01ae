/** State that is gone with the process: for tests, and for agents that are somebody new each time. */
import type { Bytes } from "../bytes.js";
import { applyChanges, namesOf } from "./changes.js";
import type { Changes, StateStore } from "./store.js";

export class MemoryStore implements StateStore {
  constructor(readonly values = new Map<string, Bytes>()) {}

  get(name: string): Bytes | undefined {
    return this.values.get(name);
  }

  names(prefix: string): string[] {
    return namesOf(this.values, prefix);
  }

  commit(changes: Changes): Promise<void> {
    applyChanges(this.values, changes);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
