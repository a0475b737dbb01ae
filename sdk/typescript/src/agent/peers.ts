/** Whom this agent knows. A peer is pinned by its agent id, and its key follows from its inception (KEY-006). */
import type { Bytes } from "../bytes.js";
import { equal, hex } from "../bytes.js";
import { check, SealwireError } from "../errors.js";
import type { PublicIdentity } from "../identity/identity.js";
import { agentId, checkInception } from "../identity/identity.js";
import { agentText, parseAgentText } from "../identity/text.js";
import type { Session } from "../session/session.js";
import type { Signed } from "../wire/statement.js";
import { Contact } from "../wire/tables.js";
import { PeerRecord } from "./records.js";
import type { State } from "./state.js";

export interface Peer {
  /** `agent:z…` */
  readonly id: string;
  readonly agent: Bytes;
  readonly name: string | undefined;
  /** Absent while the peer has not let itself be looked up. */
  readonly identity: PublicIdentity | undefined;
  readonly contact: (typeof Contact)[number];
}

export class Peers {
  private readonly byAgent = new Map<string, Peer>();
  private readonly byKey = new Map<string, Peer>();
  constructor(private readonly state: State) {}

  async load(): Promise<void> {
    for (const [, record] of this.state.all("peer/", PeerRecord)) {
      this.keep({
        id: agentText(record.agent), agent: record.agent, name: record.name, contact: Contact[record.contact] ?? "none",
        identity: record.inception && await checkInception(record.inception),
      });
    }
  }

  private keep(peer: Peer): Peer {
    this.byAgent.set(hex(peer.agent), peer);
    if (peer.identity) this.byKey.set(hex(peer.identity.key), peer);
    return peer;
  }

  list(): Peer[] {
    return [...this.byAgent.values()];
  }

  /** By agent id or by name. */
  find(peer: string): Peer | undefined {
    if (peer.startsWith("agent:")) return this.byAgent.get(hex(parseAgentText(peer)));
    return this.list().find(({ name }) => name === peer);
  }

  ofAgent(agent: Bytes): Peer | undefined {
    return this.byAgent.get(hex(agent));
  }

  ofKey(key: Bytes): Peer | undefined {
    return this.byKey.get(hex(key));
  }

  /** Remembers a peer; what is known of it already stays, but for what is given here. */
  put(agent: Bytes, given: { name?: string | undefined; inception?: Signed; identity?: PublicIdentity; contact?: Peer["contact"] }): Peer {
    const before = this.ofAgent(agent);
    const peer: Peer = {
      id: agentText(agent), agent, name: given.name ?? before?.name, contact: given.contact ?? before?.contact ?? "allowed",
      identity: before?.identity ?? given.identity,
    };
    const other = peer.name === undefined ? undefined : this.find(peer.name);
    check(other === undefined || other.id === peer.id, "invalid_argument", `another peer is called "${String(peer.name)}"`);
    this.state.put(`peer/${hex(agent)}`, PeerRecord, {
      agent, inception: peer.identity?.inception, name: peer.name, contact: Contact.indexOf(peer.contact),
    });
    return this.keep(peer);
  }

  /** Asks the broker for the key of a peer of whom only the agent id is known; undefined where the peer does not allow it. */
  async lookUp(peer: Peer, session: Session): Promise<Peer | undefined> {
    if (peer.identity) return peer;
    const found = await session.call({ type: "Lookup", agent: peer.agent }, "Found").catch((error: unknown) => {
      if (error instanceof SealwireError && (error.code === "denied" || error.code === "unknown")) return undefined;
      throw error;
    });
    if (!found || !equal(agentId(found.inception), peer.agent)) return undefined;
    return this.put(peer.agent, { identity: await checkInception(found.inception) });
  }

  /** The peer whose instance has this key, looked for among those that are known by their ids only. */
  async discover(key: Bytes, session: Session): Promise<Peer | undefined> {
    for (const peer of this.list()) {
      if (peer.identity) continue;
      const known = await this.lookUp(peer, session);
      if (known?.identity && equal(known.identity.key, key)) return known;
    }
    return this.ofKey(key);
  }
}
