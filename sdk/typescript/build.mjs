/** Builds dist/: ES modules and their types, a CommonJS file for Node, and one file for pages without a bundler. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
const bundleBytesMax = 250_000;

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc"], { stdio: "inherit" });

// ts-mls is ES modules only, which `require` does not load in Node 20: it goes into the file.
await build({
  entryPoints: ["dist/esm/node.js"], outfile: "dist/cjs/node.cjs", bundle: true, platform: "node", format: "cjs",
  target: "node20", external: ["ws"], legalComments: "none",
});
writeFileSync("dist/cjs/node.d.cts", 'export * from "../esm/node.js" with { "resolution-mode": "import" };\n');

const { outputFiles } = await build({
  entryPoints: ["dist/esm/browser.js"], outfile: "dist/browser/sealwire.js", bundle: true, platform: "browser", format: "esm",
  target: "es2022", minify: true, legalComments: "none", write: false,
});
for (const { contents, path } of outputFiles) {
  execFileSync("mkdir", ["-p", "dist/browser"]);
  writeFileSync(path, contents);
  const zipped = gzipSync(contents, { level: 9 }).length;
  console.log(`browser bundle: ${contents.length} bytes, ${zipped} gzipped`);
  if (zipped > bundleBytesMax) throw new Error(`the bundle is over ${bundleBytesMax} bytes gzipped`);
}
