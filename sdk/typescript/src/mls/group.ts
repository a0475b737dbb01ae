/**
 * A conversation's MLS group, on ts-mls 1.6.4 with what that version leaves open closed here: credentials and
 * lifetimes are checked, no extension and no proposal enters an established group, every commit has a path,
 * keys skipped and epochs past are bounded, and `authenticated_data` is the header's. A group is a value:
 * each operation gives the next one, and what failed has changed nothing.
 */
import { createCommit } from "ts-mls/createCommit.js";
import { createApplicationMessage } from "ts-mls/createMessage.js";
import { createGroup, decodeGroupState, encodeGroupState, getGroupMembers, joinGroupWithExtensions } from "ts-mls/clientState.js";
import type { ClientState } from "ts-mls/clientState.js";
import type { ClientConfig } from "ts-mls/clientConfig.js";
import { defaultClientConfig } from "ts-mls/clientConfig.js";
import type { KeyPackage } from "ts-mls/keyPackage.js";
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { processPublicMessage } from "ts-mls/processMessages.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { getSignaturePublicKeyFromLeafIndex } from "ts-mls/ratchetTree.js";
import { toLeafIndex } from "ts-mls/treemath.js";
import type { Bytes } from "../bytes.js";
import { concat, copy, equal, u32 } from "../bytes.js";
import { padme } from "../crypto/padme.js";
import { check, fail, SealwireError } from "../errors.js";
import * as limits from "../limits.js";
import type { OwnKeyPackage } from "./key-package.js";
import { decodeMessage, encodeMessage, soundCredential } from "./key-package.js";
import { suite } from "./suite.js";

const config: ClientConfig = {
  ...defaultClientConfig,
  keyRetentionConfig: {
    retainKeysForGenerations: limits.skippedKeysMax, retainKeysForEpochs: limits.pastEpochsMax,
    maximumForwardRatchetSteps: limits.forwardGenerationsMax,
  },
  lifetimeConfig: { ...defaultClientConfig.lifetimeConfig, validateLifetimeOnReceive: true },
  authService: { validateCredential: (credential, key) => Promise.resolve(soundCredential(credential, key)) },
};

/** E2E-001. */
export const groupIdOf = (conversation: Bytes, incarnation: number): Bytes => concat(conversation, u32(incarnation));

/** The length that a TLS vector of `size` bytes has with its own length (RFC 9420 section 2.1.2). */
const vectorSize = (size: number): number => (size < 64 ? 1 : size < 16_384 ? 2 : 4) + size;

/** Names what ts-mls throws. */
async function named<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    if (cause instanceof SealwireError) throw cause;
    return fail("undecryptable", `MLS: ${String(cause)}`);
  }
}

export class Group {
  private constructor(private readonly state: ClientState) {}

  static async create(groupId: Bytes, own: OwnKeyPackage): Promise<Group> {
    return new Group(await createGroup(groupId, own.publicPackage, own.privatePackage, [], suite, config));
  }

  /** E2E-021 as far as the group shows it: its id and its members. */
  static async join(welcome: Bytes, own: OwnKeyPackage, groupId: Bytes, members: readonly Bytes[]): Promise<Group> {
    const message = decodeMessage(welcome, "mls_welcome");
    const [state, extensions] = await named(() => joinGroupWithExtensions(
      message.welcome, own.publicPackage, own.privatePackage, emptyPskIndex, suite, undefined, undefined, config));
    const group = new Group(state);
    check(extensions.some(({ extensionType }) => extensionType === "ratchet_tree"), "undecryptable", "welcome without its tree");
    check(equal(state.groupContext.groupId, groupId), "undecryptable", "welcome to another group");
    check(state.groupContext.extensions.length === 0, "unsupported", "a group with extensions");
    const found = group.members();
    check(found.length === members.length && members.every((key) => found.some((other) => equal(key, other))),
      "undecryptable", "welcome with other members");
    return group;
  }

  static restore(bytes: Bytes): Group {
    const decoded = decodeGroupState(bytes, 0);
    if (decoded?.[1] !== bytes.length) return fail("state_corrupt", "group");
    return new Group({ ...decoded[0], clientConfig: config });
  }

  save(): Bytes {
    return copy(encodeGroupState(this.state));
  }

  get epoch(): bigint {
    return this.state.groupContext.epoch;
  }

  /** Two members in the same epoch have the same. */
  get authenticator(): Bytes {
    return copy(this.state.keySchedule.epochAuthenticator);
  }

  members(): Bytes[] {
    return getGroupMembers(this.state).map((leaf) => copy(leaf.signaturePublicKey));
  }

  /** A commit, with a welcome for whom it adds; without, an update of one's own leaf. The next group counts once it is accepted. */
  async commit(authenticatedData: Bytes, added?: KeyPackage): Promise<{ commit: Bytes; welcome: Bytes | undefined; next: Group }> {
    const made = await named(() => createCommit({ state: this.state, cipherSuite: suite, pskIndex: emptyPskIndex }, {
      wireAsPublicMessage: true, ratchetTreeExtension: true, authenticatedData,
      extraProposals: added ? [{ proposalType: "add", add: { keyPackage: added } }] : [],
    }));
    return {
      commit: encodeMessage(made.commit),
      welcome: made.welcome && encodeMessage({ wireformat: "mls_welcome", welcome: made.welcome }),
      next: new Group(made.newState),
    };
  }

  /** E2E-006: the padding makes the whole of PrivateMessageContent a Padmé size. */
  async seal(content: Bytes, authenticatedData: Bytes): Promise<{ body: Bytes; next: Group }> {
    const size = vectorSize(content.length) + vectorSize(64);
    const state = { ...this.state, clientConfig: { ...config, paddingConfig: { kind: "padUntilLength" as const, padUntilLength: padme(size) } } };
    const made = await named(() => createApplicationMessage(state, content, suite, authenticatedData));
    return {
      body: encodeMessage({ wireformat: "mls_private_message", privateMessage: made.privateMessage }),
      next: new Group({ ...made.newState, clientConfig: config }),
    };
  }

  /** E2E-011, E2E-012. */
  async open(body: Bytes, sender: Bytes, authenticatedData: Bytes): Promise<{ content: Bytes; next: Group }> {
    const { privateMessage } = decodeMessage(body, "mls_private_message");
    check(privateMessage.contentType === "application", "undecryptable", "not an application message");
    check(equal(privateMessage.groupId, this.state.groupContext.groupId), "undecryptable", "message of another group");
    check(equal(privateMessage.authenticatedData, authenticatedData), "undecryptable", "message under another header");
    const past = this.state.historicalReceiverData.get(privateMessage.epoch);
    check(past !== undefined || privateMessage.epoch === this.epoch, "undecryptable", "message of another epoch");
    const { groupContext, ratchetTree, secretTree } = past ?? this.state;
    const { senderDataSecret } = past ?? this.state.keySchedule;
    const opened = await named(() => unprotectPrivateMessage(
      senderDataSecret, privateMessage, secretTree, ratchetTree, groupContext, config.keyRetentionConfig, suite));
    const { content } = opened.content;
    if (content.contentType !== "application" || content.sender.senderType !== "member") return fail("undecryptable", "not an application message");
    const leaf = getSignaturePublicKeyFromLeafIndex(ratchetTree, toLeafIndex(content.sender.leafIndex));
    check(equal(leaf, sender), "undecryptable", "message of another member than its envelope's");
    const next = past
      ? { ...this.state, historicalReceiverData: new Map(this.state.historicalReceiverData).set(privateMessage.epoch, { ...past, secretTree: opened.tree }) }
      : { ...this.state, secretTree: opened.tree };
    return { content: copy(content.applicationData), next: new Group(next) };
  }

  /** Another member's commit: an update of its own leaf, and nothing else. */
  async process(body: Bytes, sender: Bytes, authenticatedData: Bytes): Promise<Group> {
    const { publicMessage } = decodeMessage(body, "mls_public_message");
    const { content } = publicMessage;
    check(equal(content.groupId, this.state.groupContext.groupId) && content.epoch === this.epoch, "undecryptable", "commit of another epoch");
    check(equal(content.authenticatedData, authenticatedData), "undecryptable", "commit under another header");
    if (content.contentType !== "commit" || content.sender.senderType !== "member") return fail("undecryptable", "not a member's commit");
    check(content.commit.proposals.length === 0 && content.commit.path !== undefined, "denied", "a commit that changes more than its sender's leaf");
    const { leafIndex } = content.sender;
    check(leafIndex !== this.state.privatePath.leafIndex, "undecryptable", "a commit in this member's own name");
    const key = await named(() => Promise.resolve(getSignaturePublicKeyFromLeafIndex(this.state.ratchetTree, toLeafIndex(leafIndex))));
    check(equal(key, sender), "undecryptable", "commit of another member than its envelope's");
    check(equal(content.commit.path.leafNode.signaturePublicKey, sender), "denied", "a commit that changes a member's key");
    const { newState } = await named(() => processPublicMessage(this.state, publicMessage, emptyPskIndex, suite));
    return new Group(newState);
  }
}
