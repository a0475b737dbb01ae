/** Sealwire for Node. */
import type { AgentOptions } from "./agent/agent.js";
import { Agent as AnyAgent } from "./agent/agent.js";
import { platform } from "./platform/node.js";

export * from "./api.js";
export { FolderStore } from "./platform/node-state.js";

export type Agent = AnyAgent;
export const Agent = {
  /** Opens one of this machine's agents; makes it where there is none. The invite may be in `SEALWIRE_INVITE`. */
  create: (options?: AgentOptions): Promise<Agent> => AnyAgent.open(platform, options),
};
