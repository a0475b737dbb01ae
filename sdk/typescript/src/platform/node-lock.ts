/** One process at a time: a lock file that names its holder, and is taken over from a holder that is gone. */
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { base64url } from "../bytes.js";
import { randomBytes } from "../crypto/ed25519.js";
import { fail } from "../errors.js";

/** A process is told by its number and, where the system says, by when it started: numbers are used again. */
async function processName(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  const stat = await readFile(`/proc/${String(pid)}/stat`, "utf8").catch(() => "");
  return `${String(pid)} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""}`;
}

const held = new Set<string>();

export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock");
  if (held.has(path)) return fail("state_locked", `${folder} is in use by this process`);
  held.add(path);
  try {
    for (let attempt = 0; ; ++attempt) {
      const made = await open(path, "wx", 0o600).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
        throw error;
      });
      if (made) {
        await made.writeFile(await processName(process.pid) ?? "");
        await made.close();
        return async () => {
          held.delete(path);
          await rm(path, { force: true });
        };
      }
      const holder = await readFile(path, "utf8").catch(() => "");
      const living = holder !== "" && await processName(parseInt(holder, 10)) === holder;
      // An empty file is a holder that is only just writing its name, unless it stays empty.
      if (living || attempt > 2) return fail("state_locked", `${folder} is in use by process ${holder.split(" ")[0] ?? "?"}`);
      if (holder === "") await new Promise((resolve) => setTimeout(resolve, 50));
      // Moved aside before it is removed, so that only one of two that find it stale takes it away.
      const aside = `${path}.${base64url(randomBytes(8))}`;
      await rename(path, aside).catch(() => undefined);
      await rm(aside, { force: true });
    }
  } catch (error) {
    held.delete(path);
    throw error;
  }
}
