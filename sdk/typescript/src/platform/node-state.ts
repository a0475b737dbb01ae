/**
 * State in a folder: `key` (32 bytes, mode 0600), and `journal`, to which each transaction is appended as one
 * sealed record and fsynced before it counts. A record names its number, so that none can be moved or left out;
 * a torn last record is a transaction that never was. A long journal is written anew and renamed into place.
 */
import { mkdir, open, readFile, rename, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "../bytes.js";
import { concat, copy, readU32, u32 } from "../bytes.js";
import { randomBytes } from "../crypto/ed25519.js";
import { check, SealwireError } from "../errors.js";
import { applyChanges, decodeChanges, encodeChanges, namesOf } from "../state/changes.js";
import { RecordCipher } from "../state/cipher.js";
import type { Changes, StateStore } from "../state/store.js";
import { lockFolder } from "./node-lock.js";

const rewriteBytesMin = 1_048_576;

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's bytes, or undefined where there is none. */
async function readIfThere(path: string): Promise<Bytes | undefined> {
  try {
    return copy(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** On disk under its name, or not there at all. */
async function writeWhole(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, name);
  const handle = await open(path + ".new", "w", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(path + ".new", path);
  await syncFolder(folder);
}

export class FolderStore implements StateStore {
  private readonly values = new Map<string, Bytes>();
  private records = 0;
  private size = 0;
  private rewriteAt = rewriteBytesMin;
  private queue: Promise<void> = Promise.resolve();
  private journal!: FileHandle;

  private constructor(private readonly folder: string, private readonly cipher: RecordCipher, private readonly unlock: () => Promise<void>) {}

  static async open(folder: string): Promise<FolderStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const unlock = await lockFolder(folder);
    try {
      let key = await readIfThere(join(folder, "key"));
      if (!key) {
        check(!await readIfThere(join(folder, "journal")), "state_missing", `${folder}/key is gone, its journal is not`);
        key = randomBytes(32);
        await writeWhole(folder, "key", key);
      }
      check(key.length === 32, "state_corrupt", `${folder}/key has another size than 32 bytes`);
      const store = new FolderStore(folder, await RecordCipher.of(key), unlock);
      await store.load();
      return store;
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  private async load(): Promise<void> {
    const path = join(this.folder, "journal");
    const bytes = await readIfThere(path);
    if (!bytes) await writeWhole(this.folder, "journal", new Uint8Array());
    let end = 0;
    for (const record of records(bytes ?? new Uint8Array())) {
      let opened: Bytes;
      try {
        opened = await this.cipher.open(String(this.records), record.sealed);
      } catch (error) {
        // Only the last record can be torn; damage before it is damage.
        if (record.end === bytes?.length) break;
        throw error;
      }
      applyChanges(this.values, decodeChanges(opened));
      ++this.records;
      end = record.end;
    }
    this.journal = await open(path, "r+");
    await this.journal.truncate(end);
    this.size = end;
    this.rewriteAt = Math.max(rewriteBytesMin, 2 * end);
  }

  get(name: string): Bytes | undefined {
    return this.values.get(name);
  }

  names(prefix: string): string[] {
    return namesOf(this.values, prefix);
  }

  commit(changes: Changes): Promise<void> {
    const record = encodeChanges(changes);
    applyChanges(this.values, changes);
    this.queue = this.queue.then(() => this.append(record)).catch((cause: unknown) => {
      throw new SealwireError("state_corrupt", `${this.folder} takes no more writes: ${String(cause)}`, { cause });
    });
    return this.queue;
  }

  private async append(record: Bytes): Promise<void> {
    if (this.size > this.rewriteAt) await this.rewrite();
    await this.write(record);
    await this.journal.datasync();
  }

  private async write(record: Bytes): Promise<void> {
    const sealed = await this.cipher.seal(String(this.records), record);
    const framed = concat(u32(sealed.length), sealed);
    await this.journal.write(framed, 0, framed.length, this.size);
    this.size += framed.length;
    ++this.records;
  }

  /** One record with all that is there. The values may be newer than the journal: what follows is applied again. */
  private async rewrite(): Promise<void> {
    const sealed = await this.cipher.seal("0", encodeChanges(this.values));
    const framed = concat(u32(sealed.length), sealed);
    await writeWhole(this.folder, "journal", framed);
    await this.journal.close();
    this.journal = await open(join(this.folder, "journal"), "r+");
    this.size = framed.length;
    this.records = 1;
    this.rewriteAt = Math.max(rewriteBytesMin, 4 * this.size);
  }

  async close(): Promise<void> {
    await this.queue.catch(() => undefined);
    await this.journal.close();
    await this.unlock();
  }
}

function* records(bytes: Bytes): Generator<{ sealed: Bytes; end: number }> {
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + readU32(bytes, at);
    if (end > bytes.length) return;
    yield { sealed: bytes.subarray(at + 4, end), end };
    at = end;
  }
}
