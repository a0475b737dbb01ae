/** The changes of one step, gathered, and written as one transaction. */
import type { Bytes } from "../bytes.js";
import type { StateStore } from "../state/store.js";
import type { Draft, Table, Value } from "../wire/schema.js";
import { load, save } from "./records.js";

export class State {
  private changes = new Map<string, Bytes | null>();
  constructor(private readonly store: StateStore) {}

  put<T extends Table>(name: string, of: T, value: Draft<T>): void {
    this.changes.set(name, save(of, value));
  }

  putBytes(name: string, value: Bytes): void {
    this.changes.set(name, value);
  }

  erase(name: string): void {
    this.changes.set(name, null);
  }

  get<T extends Table>(name: string, of: T): Value<T> | undefined {
    const saved = this.getBytes(name);
    return saved && load(of, saved);
  }

  /** As of now: what is put or erased counts before it is written. */
  getBytes(name: string): Bytes | undefined {
    const changed = this.changes.get(name);
    return changed === undefined ? this.store.get(name) : changed ?? undefined;
  }

  all<T extends Table>(prefix: string, of: T): [string, Value<T>][] {
    return this.store.names(prefix).flatMap((name) => {
      const value = this.get(name, of);
      return value ? [[name, value] as [string, Value<T>]] : [];
    });
  }

  /** Resolves when all that was put and erased before is on disk. */
  async commit(): Promise<void> {
    if (this.changes.size === 0) return;
    const { changes } = this;
    this.changes = new Map();
    await this.store.commit(changes);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
