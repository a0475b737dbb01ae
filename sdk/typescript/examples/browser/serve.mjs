// Serves the page on loopback: node serve.mjs [PORT]. The broker must list its origin (`origins` of the listener).
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const files = {
  "/": ["index.html", "text/html"],
  "/page.js": ["page.js", "text/javascript"],
  "/sealwire.js": ["../../dist/browser/sealwire.js", "text/javascript"],
};

export function serve(port) {
  const server = createServer(async (request, response) => {
    const [file, type] = files[new URL(request.url, "http://localhost").pathname] ?? [];
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": `${type}; charset=utf-8`, "x-content-type-options": "nosniff" });
    response.end(await readFile(new URL(file, import.meta.url)));
  });
  return new Promise((resolve) => { server.listen(port, "127.0.0.1", () => { resolve(server); }); });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const server = await serve(Number(process.argv[2] ?? 8080));
  console.log(`http://127.0.0.1:${server.address().port}/?agent=alice`);
}
