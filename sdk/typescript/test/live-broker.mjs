/** A `sealwired` and the command line of the build under test, in a folder of their own. */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);
export const build = process.env.SEALWIRE_BUILD ?? new URL("../../../build/release", import.meta.url).pathname;

export class Broker {
  /** `edit` may change the configuration's text. */
  static async start(edit = (text) => text) {
    const folder = await mkdtemp(join(tmpdir(), "sealwire-ts-"));
    await run(join(build, "bin/sealwired"), ["init", join(folder, "broker"), "--wss-port=0", "--zeromq-port=0", "--http-port=0", "--open"]);
    const broker = new Broker();
    Object.assign(broker, { folder, config: join(folder, "broker/sealwired.toml") });
    await writeFile(broker.config, edit(await readFile(broker.config, "utf8")));
    await broker.up();
    return broker;
  }

  async up() {
    this.process = spawn(join(build, "bin/sealwired"), ["--config", this.config], { stdio: ["ignore", "pipe", "pipe"] });
    this.log = "";
    this.process.stderr.on("data", (data) => { this.log += data; });
    let told = "";
    for await (const line of createInterface({ input: this.process.stdout })) {
      told += line + "\n";
      if (line.trim() === "ready") break;
    }
    this.endpoint = /wss:\/\/\S+/.exec(told)?.[0];
    this.key = /^(?:broker-)?key\S*\s+([0-9a-f]{64})$/m.exec(told)?.[1];
    if (!this.endpoint || !this.key) throw new Error(`sealwired did not start\n${told}${this.log}`);
    // The same port again, so that agents find it after a restart.
    await writeFile(this.config, (await readFile(this.config, "utf8")).replace(/wss:\/\/127\.0\.0\.1:0/, this.endpoint.replace(/\/$/, "")));
  }

  /** Ends it with this signal, and waits. */
  async down(signal = "SIGTERM") {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => { this.process.once("exit", resolve); });
    this.process.kill(signal);
    await ended;
  }

  async stop() {
    await this.down();
    await rm(this.folder, { recursive: true, force: true });
  }

  get environment() {
    return { ...process.env, SEALWIRE_HOME: join(this.folder, "home") };
  }

  /** `sealwire -c CONTEXT …`: what it prints. */
  async cli(context, ...args) {
    const { stdout } = await run(join(build, "bin/sealwire"), ["-c", context, ...args], { env: this.environment });
    return stdout.trim();
  }

  /** A C++ agent that has logged in. */
  async cliAgent(context) {
    await this.cli(context, "key", "new");
    await this.cli(context, "login", "--endpoint", this.endpoint, "--broker-key", this.key);
    return this.cli(context, "whoami");
  }

  /** `sealwire pipe`: a C++ agent of which `events` are the lines. */
  pipe(context) {
    const child = spawn(join(build, "bin/sealwire"), ["-c", context, "pipe"], { env: this.environment, stdio: ["pipe", "pipe", "inherit"] });
    const events = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      do: (operation) => { child.stdin.write(JSON.stringify(operation) + "\n"); },
      /** The next event of this name. */
      async next(name) {
        for (;;) {
          const { value, done } = await events.next();
          if (done) throw new Error(`pipe ended before ${name}`);
          const event = JSON.parse(value);
          if (event.event === "error" && name !== "error" && name !== undefined) throw new Error(value);
          if (event.event === name || name === undefined) return event;
        }
      },
      async end() {
        const ended = new Promise((resolve) => { child.once("exit", resolve); });
        child.stdin.end();
        await ended;
      },
    };
  }
}
