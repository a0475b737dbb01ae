/** Sealwire for browsers. */
import type { AgentOptions } from "./agent/agent.js";
import { Agent as AnyAgent } from "./agent/agent.js";
import { platform } from "./platform/browser.js";

export * from "./api.js";

export type Agent = AnyAgent;
export const Agent = {
  /** Opens one of this origin's agents; makes it where there is none. The invite may be in the page's fragment. */
  create: (options?: AgentOptions): Promise<Agent> => AnyAgent.open(platform, options),
};
