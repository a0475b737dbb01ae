/**
 * State in IndexedDB: each value sealed under its name, by a key that the browser keeps and no script can read.
 * The Web Locks API sees to it that one tab at a time has it.
 */
import type { Bytes } from "../bytes.js";
import { fail } from "../errors.js";
import { applyChanges, namesOf } from "../state/changes.js";
import { RecordCipher } from "../state/cipher.js";
import type { Changes, StateStore } from "../state/store.js";

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => { resolve(request.result); };
    request.onerror = () => { reject(request.error ?? new Error("IndexedDB")); };
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => { resolve(); };
    transaction.onabort = () => { reject(transaction.error ?? new Error("IndexedDB: aborted")); };
  });
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(`sealwire/${name}`, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("keys");
    request.result.createObjectStore("values");
  };
  return done(request);
}

/** Holds the lock until the returned function is called. */
async function lock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks.request(`sealwire/${name}`, { ifAvailable: true }, (held) => {
      if (!held) fail("state_locked", `the agent "${name}" is open in another tab`);
      return new Promise<void>((release) => { resolve(release); });
    }).catch(reject);
  });
}

export class IndexedDbStore implements StateStore {
  private readonly values = new Map<string, Bytes>();
  private queue: Promise<void> = Promise.resolve();

  private constructor(private readonly database: IDBDatabase, private readonly cipher: RecordCipher, private readonly unlock: () => void) {}

  static async open(name: string): Promise<IndexedDbStore> {
    const unlock = await lock(name);
    try {
      const database = await openDatabase(name);
      let key = await done(database.transaction("keys").objectStore("keys").get("state") as IDBRequest<CryptoKey | undefined>);
      if (!key) {
        key = await RecordCipher.generateKey();
        await done(database.transaction("keys", "readwrite").objectStore("keys").add(key, "state"));
      }
      const store = new IndexedDbStore(database, new RecordCipher(key), unlock);
      await store.load();
      return store;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  private async load(): Promise<void> {
    const objects = this.database.transaction("values").objectStore("values");
    const [names, sealed] = await Promise.all([
      done(objects.getAllKeys() as IDBRequest<string[]>), done(objects.getAll() as IDBRequest<Bytes[]>)]);
    for (const [i, value] of sealed.entries()) {
      const name = names[i] ?? "";
      this.values.set(name, await this.cipher.open(name, value));
    }
  }

  get(name: string): Bytes | undefined {
    return this.values.get(name);
  }

  names(prefix: string): string[] {
    return namesOf(this.values, prefix);
  }

  commit(changes: Changes): Promise<void> {
    applyChanges(this.values, changes);
    const entries = [...changes].map(([name, value]) => [name, value && new Uint8Array(value)] as const);
    this.queue = this.queue.then(async () => {
      // Sealed beforehand: an IndexedDB transaction does not live through another await.
      const sealed = await Promise.all(entries.map(async ([name, value]) =>
        [name, value && await this.cipher.seal(name, value)] as const));
      const transaction = this.database.transaction("values", "readwrite", { durability: "strict" });
      const objects = transaction.objectStore("values");
      for (const [name, value] of sealed) {
        if (value) objects.put(value, name);
        else objects.delete(name);
      }
      await finished(transaction);
    });
    return this.queue;
  }

  async close(): Promise<void> {
    await this.queue.catch(() => undefined);
    this.database.close();
    this.unlock();
  }
}
