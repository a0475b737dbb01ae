/** Runs the test files of the folders that are named (unit, live, browser; all by default), and counts. */
import { readdirSync } from "node:fs";
import { run } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ["unit", "live", "browser"];
const files = wanted.flatMap((folder) => readdirSync(here + folder)
  .filter((name) => name.endsWith(".test.mjs")).map((name) => `${here}${folder}/${name}`));

let passed = 0;
let failed = 0;
for await (const { type, data } of run({ files, concurrency: 1, timeout: 300_000 })) {
  if (type === "test:stdout" || type === "test:stderr") process.stdout.write(data.message);
  if (type !== "test:pass" && type !== "test:fail") continue;
  if (data.details.type === "suite" || data.name.endsWith(".test.mjs") || data.name.startsWith(here)) {
    // A file counts only where it fails as a whole.
    if (type === "test:pass" || data.details.error?.failureType === "subtestsFailed") continue;
  }
  if (data.skip !== undefined) {
    console.log(`NOT CHECKED: ${data.name}: ${data.skip}`);
    if (process.env.CI === "true") ++failed;
  } else if (type === "test:pass") {
    ++passed;
    console.log(`ok      ${data.name} (${Math.round(data.details.duration_ms)} ms)`);
  } else {
    ++failed;
    console.log(`failed: ${data.name}\n        ${data.details.error?.cause?.stack ?? data.details.error}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
