#!/usr/bin/env node
// An echo agent: answers every message and request with its own text. Run: echo.mjs CONTEXT
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const sealwire = spawn(process.env.SEALWIRE ?? "sealwire", ["-c", process.argv[2], "pipe"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const tell = (line) => sealwire.stdin.write(JSON.stringify(line) + "\n");

for await (const line of createInterface({ input: sealwire.stdout })) {
  const event = JSON.parse(line);
  if (event.event === "message") {
    const { text, json, base64 } = event; // one of them: JSON.stringify leaves out the others
    tell({ op: "reply", message: event.id, text, json, base64 });
    tell({ op: "ack", message: event.id });
  } else if (event.event === "error") {
    console.error(event.code, event.cause);
  }
}
