import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { utf8 } from "../../dist/esm/bytes.js";
import { FolderStore } from "../../dist/esm/node.js";

let folder;
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), "sealwire-state-")); });
afterEach(() => rm(folder, { recursive: true }));
const put = (name, value) => new Map([[name, value && utf8(value)]]);
const journal = () => join(folder, "journal");

test("what was committed is there after opening again, what was erased is not", async () => {
  const store = await FolderStore.open(folder);
  await store.commit(put("a", "1"));
  await store.commit(new Map([["b", utf8("2")], ["a", null], ["empty", new Uint8Array()]]));
  await store.close();
  const again = await FolderStore.open(folder);
  assert.deepEqual([again.get("a"), again.get("b"), again.get("empty")], [undefined, utf8("2"), new Uint8Array()]);
  assert.deepEqual(again.names(""), ["b", "empty"]);
  await again.close();
});

test("nothing stands in the clear on disk, and only the owner may read it", async () => {
  const store = await FolderStore.open(folder);
  await store.commit(put("name-of-a-secret", "a secret value"));
  await store.close();
  const bytes = await readFile(journal());
  assert.ok(!bytes.includes("a secret value") && !bytes.includes("name-of-a-secret"));
  assert.equal((await stat(join(folder, "key"))).mode & 0o777, 0o600);
});

test("a torn last record is a transaction that never was, at every length", async () => {
  const store = await FolderStore.open(folder);
  await store.commit(put("a", "1"));
  const whole = (await stat(journal())).size;
  await store.commit(put("a", "2"));
  await store.close();
  const bytes = await readFile(journal());
  for (let size = whole; size < bytes.length; size += 3) {
    await writeFile(journal(), bytes.subarray(0, size));
    const torn = await FolderStore.open(folder);
    assert.deepEqual(torn.get("a"), utf8("1"), String(size));
    await torn.commit(put("b", "after"));
    await torn.close();
    const after = await FolderStore.open(folder);
    assert.deepEqual([after.get("a"), after.get("b")], [utf8("1"), utf8("after")]);
    await after.close();
  }
});

test("damage before the last record, records out of place, and a lost key are errors", async () => {
  const store = await FolderStore.open(folder);
  await store.commit(put("a", "1"));
  const first = (await stat(journal())).size;
  await store.commit(put("a", "2"));
  await store.commit(put("a", "3"));
  await store.close();
  const bytes = await readFile(journal());
  const damaged = Buffer.from(bytes);
  damaged[20] ^= 1;
  await writeFile(journal(), damaged);
  await assert.rejects(FolderStore.open(folder), { code: "state_corrupt" });
  await writeFile(journal(), bytes.subarray(first)); // the first transaction left out
  await assert.rejects(FolderStore.open(folder), { code: "state_corrupt" });
  await writeFile(journal(), bytes);
  await rm(join(folder, "key"));
  await assert.rejects(FolderStore.open(folder), { code: "state_missing" });
});

test("a second writer is refused, a dead one's lock is taken over", async () => {
  const store = await FolderStore.open(folder);
  await assert.rejects(FolderStore.open(folder), { code: "state_locked" });
  await store.close();
  await writeFile(join(folder, "lock"), "999999999 1");
  const again = await FolderStore.open(folder);
  await again.close();
});

test("a long journal is written anew and keeps what is there", async () => {
  const store = await FolderStore.open(folder);
  const big = "x".repeat(100_000);
  for (let i = 0; i < 40; ++i) await store.commit(put("big", big + i));
  assert.ok((await stat(journal())).size < 2_000_000);
  await store.close();
  const again = await FolderStore.open(folder);
  assert.deepEqual(again.get("big"), utf8(big + 39));
  await again.close();
});
