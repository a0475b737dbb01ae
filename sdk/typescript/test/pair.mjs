/** Agents of a test: made at a broker, acquainted, opened again from what they kept. */
import { Agent, MemoryStore } from "../dist/esm/node.js";

export class Subject {
  constructor(broker) {
    this.broker = broker;
    this.values = new Map();
    this.texts = [];
    this.notices = [];
  }

  static async make(broker, options = {}) {
    const subject = new Subject(broker);
    await subject.open({ endpoint: broker.endpoint, brokerKey: broker.key, ...options });
    return subject;
  }

  async open(options = {}) {
    this.agent = await Agent.create({ store: new MemoryStore(this.values), ...options });
    this.agent.onNotice((notice) => { this.notices.push(notice); this.changed(); });
    this.agent.on("message", (message) => { this.texts.push([message.from.id, message.text, message]); this.changed(); });
    await this.agent.start();
    this.id = this.agent.id;
  }

  /** Ends at once, as a crash would, and comes back with what was kept. */
  async restart() {
    await this.agent.close();
    await this.open();
  }

  waiters = new Set();
  changed() { for (const wake of this.waiters) wake(); }

  /** Waits until the condition holds. */
  until(condition, what) {
    return new Promise((resolve, reject) => {
      const give = (done) => { clearTimeout(timer); this.waiters.delete(look); done(); };
      const look = () => { if (condition(this)) give(resolve); };
      const timer = setTimeout(() => give(() => reject(new Error(`waited 90 s for ${what}; ${JSON.stringify(this.notices)}`))), 90_000);
      this.waiters.add(look);
      look();
    });
  }

  told(type) { return this.until(({ notices }) => notices.some((notice) => notice.type === type), type); }
  from(peer) { return this.texts.filter(([from]) => from === peer).map(([, text]) => text); }
}

export async function acquaint(a, b) {
  const before = a.notices.length;
  await b.agent.redeem(await a.agent.invite());
  await a.until(({ notices }) => notices.slice(before).some(({ type }) => type === "redeemed"), "redeemed");
}

export async function acquaintCli(broker, subject, context, id, name) {
  await broker.cli(context, "peer", "add", subject.id, name);
  return subject.agent.addPeer(id, context);
}
