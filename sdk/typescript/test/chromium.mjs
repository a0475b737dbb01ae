/** Debian's Chromium, headless, in a profile of its own, trusting one certificate: the broker's. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);
export const path = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const there = existsSync(path);

/** What `--ignore-certificate-errors-spki-list` takes. */
async function fingerprint(certificate) {
  const command = `openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`;
  const { stdout } = await run("/bin/sh", ["-c", command, "sh", certificate]);
  return stdout.trim();
}

export async function openBrowser(broker) {
  const profile = await mkdtemp(join(tmpdir(), "sealwire-chromium-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: path, headless: true, chromiumSandbox: false, viewport: { width: 800, height: 720 },
    args: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--disable-sync", `--ignore-certificate-errors-spki-list=${await fingerprint(join(broker.folder, "broker/certificate.pem"))}`],
  });
  return {
    context: browser,
    close: async () => {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
