import assert from "node:assert/strict";
import { test } from "node:test";
import { createCommit } from "ts-mls/createCommit.js";
import { createGroup, joinGroup } from "ts-mls/clientState.js";
import { defaultClientConfig } from "ts-mls/clientConfig.js";
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { Conversation } from "../../dist/esm/agent/conversation.js";
import { utf8 } from "../../dist/esm/bytes.js";
import { linkOf, parseEnvelope, sealEnvelope } from "../../dist/esm/envelope/envelope.js";
import { newIdentity } from "../../dist/esm/identity/identity.js";
import { didKey } from "../../dist/esm/identity/text.js";
import { letterPrekey, openLetter, sealLetter } from "../../dist/esm/letter.js";
import { newRawExchangeKey } from "../../dist/esm/crypto/x25519.js";
import { Group } from "../../dist/esm/mls/group.js";
import { checkKeyPackage, decodeMessage, encodeMessage, newKeyPackage } from "../../dist/esm/mls/key-package.js";
import { suite } from "../../dist/esm/mls/suite.js";

const now = Date.now();
const later = BigInt(now + 3_600_000);
const peerOf = (identity) => ({ id: identity.text, agent: identity.agent, identity, name: undefined, contact: "allowed" });
const packed = (own) => encodeMessage({ wireformat: "mls_key_package", keyPackage: own.publicPackage });

async function pair() {
  const [alice, bob] = [await newIdentity(now), await newIdentity(now)];
  const own = await newKeyPackage(bob, now);
  const ours = await Conversation.open(alice, peerOf(bob), packed(own), now);
  const welcome = ours.pending.bundle[1];
  ours.accepted();
  const theirs = await Conversation.join(bob, peerOf(alice), welcome, own, now);
  return { alice, bob, own, ours, theirs, welcome };
}
const seal = (from, text) => from.seal(utf8(text), false, later, now);

test("two members are in one epoch, and read each other both ways", async () => {
  const { ours, theirs } = await pair();
  assert.deepEqual(ours.group.authenticator, theirs.group.authenticator);
  for (const [from, to] of [[ours, theirs], [theirs, ours], [ours, theirs]]) {
    const envelope = await seal(from, "hello");
    assert.equal(to.place(envelope.header), "next");
    assert.deepEqual(await to.openMessage(envelope), utf8("hello"));
    assert.equal(to.place(envelope.header), "past");
  }
});

test("updates by either side, with messages before and after, and a collision that one side wins", async () => {
  const { ours, theirs } = await pair();
  for (const [from, to] of [[ours, theirs], [theirs, ours]]) {
    const before = await seal(from, "before");
    const [commit] = await from.update(now);
    from.accepted();
    await to.openMessage(before);
    await to.processCommit(commit);
    assert.deepEqual(ours.group.authenticator, theirs.group.authenticator);
    assert.deepEqual(await to.openMessage(await seal(from, "after")), utf8("after"));
  }
  const [winner] = await ours.update(now);
  await theirs.update(now);
  ours.accepted();
  await theirs.processCommit(winner);
  assert.equal(theirs.pending, undefined);
  assert.deepEqual(await ours.openMessage(await seal(theirs, "x")), utf8("x"));
});

test("a message of the epoch before is still read", async () => {
  const { ours, theirs } = await pair();
  const early = await seal(theirs, "early");
  const [commit] = await ours.update(now);
  ours.accepted();
  assert.deepEqual(await ours.openMessage(early), utf8("early"));
  await theirs.processCommit(commit);
});

test("a gap, a replay and a reordering show before any key is touched", async () => {
  const { ours, theirs } = await pair();
  const [first, second, third] = [await seal(ours, "1"), await seal(ours, "2"), await seal(ours, "3")];
  assert.equal(theirs.place(second.header), "ahead");
  await theirs.openMessage(first);
  assert.equal(theirs.place(first.header), "past");
  assert.equal(theirs.place(third.header), "ahead");
  theirs.skip(second.header, linkOf(second)); // its tombstone
  assert.equal(theirs.place(third.header), "next");
  assert.deepEqual(await theirs.openMessage(third), utf8("3"));
});

test("E2E-012: a body under another header does not open, and the ratchet is as before", async () => {
  const { alice, ours, theirs } = await pair();
  const [first, second] = [await seal(ours, "1"), await seal(ours, "2")];
  const forged = await sealEnvelope(alice.signing, first.headerBytes, second.body);
  await assert.rejects(theirs.openMessage(forged), { code: "undecryptable" });
  const changed = new Uint8Array(first.body);
  changed[changed.length - 1] ^= 1;
  await assert.rejects(theirs.openMessage({ ...first, body: changed }), { code: "undecryptable" });
  assert.deepEqual(await theirs.openMessage(first), utf8("1"));
});

test("E2E-011: the envelope's sender must be the leaf that sent", async () => {
  const { bob, ours, theirs } = await pair();
  const envelope = await seal(ours, "mine");
  await assert.rejects(theirs.openMessage({ ...envelope, header: { ...envelope.header, sender: bob.key } }), { code: "undecryptable" });
  await assert.rejects(ours.openMessage(envelope), { code: "undecryptable" }); // one's own, reflected
});

test("state saved and restored goes on, and a restored copy cannot open twice", async () => {
  const { ours, theirs } = await pair();
  const group = Group.restore(theirs.group.save());
  const envelope = await seal(ours, "x");
  theirs.group = group;
  await theirs.openMessage(envelope);
  theirs.group = Group.restore(theirs.group.save());
  await assert.rejects(theirs.openMessage(envelope), { code: "undecryptable" });
});

test("E2E-021: a welcome under another conversation, or to other members than its envelope's, is refused", async () => {
  const { alice, bob, own, welcome } = await pair();
  const other = { ...welcome, header: { ...welcome.header, conversation: new Uint8Array(16).fill(9) } };
  await assert.rejects(Conversation.join(bob, peerOf(alice), other, own, now), { code: "undecryptable" });
  const mallory = await newIdentity(now);
  await assert.rejects(Conversation.join(bob, peerOf(mallory), welcome, own, now), { code: "undecryptable" });
});

/** What ts-mls lets through by default, made with it directly. */
const capabilities = { versions: ["mls10"], ciphersuites: [suite.name], extensions: [5], proposals: [], credentials: ["basic"] };
const nowS = BigInt(Math.floor(now / 1000));
const packageOf = (identity, name = didKey(identity.key), lifetime = { notBefore: nowS - 60n, notAfter: nowS + 86_400n }) => generateKeyPackageWithKey(
  { credentialType: "basic", identity: utf8(name) }, capabilities, lifetime, [], { signKey: identity.signing.seed, publicKey: identity.key }, suite);

test("ts-mls accepts every credential: a leaf that names another key is refused", async () => {
  const [alice, bob] = [await newIdentity(now), await newIdentity(now)];
  const forged = await packageOf(bob, didKey(alice.key));
  await assert.rejects(checkKeyPackage(packed(forged), bob.key, now), { code: "unauthenticated" });
  await assert.rejects(checkKeyPackage(packed(forged), alice.key, now), { code: "unauthenticated" });
});

test("ts-mls leaves lifetimes unchecked: a package that has expired, or lives too long, is refused", async () => {
  const bob = await newIdentity(now);
  const expired = await packageOf(bob, undefined, { notBefore: nowS - 100n, notAfter: nowS - 10n });
  await assert.rejects(checkKeyPackage(packed(expired), bob.key, now), { code: "expired" });
  const long = await packageOf(bob, undefined, { notBefore: nowS - 100n, notAfter: nowS + 40n * 86_400n });
  await assert.rejects(checkKeyPackage(packed(long), bob.key, now), { code: "malformed" });
});

test("a key package with one bit changed anywhere is refused", async () => {
  const bob = await newIdentity(now);
  const sound = packed(await newKeyPackage(bob, now));
  await checkKeyPackage(sound, bob.key, now);
  for (let at = 0; at < sound.length; at += 3) {
    const changed = new Uint8Array(sound);
    changed[at] ^= 1;
    await assert.rejects(checkKeyPackage(changed, bob.key, now), { name: "SealwireError" }, String(at));
  }
});

test("a commit that adds, removes, or sets extensions without a path is refused", async () => {
  const [alice, bob, mallory] = [await newIdentity(now), await newIdentity(now), await newIdentity(now)];
  const ours = await packageOf(alice);
  const theirs = await packageOf(bob);
  const third = await packageOf(mallory);
  const groupId = new Uint8Array(20).fill(7);
  const context = { cipherSuite: suite, pskIndex: emptyPskIndex };
  const created = await createGroup(groupId, ours.publicPackage, ours.privatePackage, [], suite, defaultClientConfig);
  const opening = await createCommit({ ...context, state: created }, {
    wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals: [{ proposalType: "add", add: { keyPackage: theirs.publicPackage } }] });
  const welcome = encodeMessage({ wireformat: "mls_welcome", welcome: opening.welcome });
  const joined = await Group.join(welcome, theirs, groupId, [alice.key, bob.key]);
  for (const [what, proposal] of [
    ["add", { proposalType: "add", add: { keyPackage: third.publicPackage } }],
    ["remove", { proposalType: "remove", remove: { removed: 1 } }],
    ["extensions", { proposalType: "group_context_extensions", groupContextExtensions: { extensions: [] } }],
  ]) {
    const made = await createCommit({ ...context, state: opening.newState }, { wireAsPublicMessage: true, extraProposals: [proposal] });
    await assert.rejects(joined.process(encodeMessage(made.commit), alice.key, new Uint8Array()), { code: "denied" }, what);
  }
  await assert.rejects(Group.join(welcome, theirs, groupId, [alice.key, bob.key, mallory.key]), { code: "undecryptable" });
});

test("bytes after an MLS message, and another wire format, are refused", async () => {
  const { ours } = await pair();
  const { body } = await seal(ours, "x");
  assert.throws(() => decodeMessage(Uint8Array.of(...body, 0), "mls_private_message"), { code: "undecryptable" });
  assert.throws(() => decodeMessage(body, "mls_public_message"), { code: "undecryptable" });
});

test("a letter opens with its prekey under its header, and not when anything was changed", async () => {
  const { publicKey, secret } = await newRawExchangeKey();
  const header = utf8("the header");
  const body = await sealLetter(publicKey, header, utf8("a letter"));
  assert.deepEqual(letterPrekey(body), publicKey);
  assert.deepEqual(await openLetter(secret, header, body), utf8("a letter"));
  await assert.rejects(openLetter(secret, utf8("another"), body), { code: "undecryptable" });
  body[70] ^= 1;
  await assert.rejects(openLetter(secret, header, body), { code: "undecryptable" });
});

test("an envelope's bytes are what counts: any change is found by its signature", async () => {
  const { ours } = await pair();
  const { bytes } = await seal(ours, "x");
  const { checkSignature } = await import("../../dist/esm/envelope/envelope.js");
  await checkSignature(parseEnvelope(bytes));
  for (let at = 8; at < bytes.length; at += 7) {
    const changed = new Uint8Array(bytes);
    changed[at] ^= 0x10;
    // A change in the wrapper alone, outside header, body and signature, changes nothing that is signed.
    await Promise.resolve().then(() => checkSignature(parseEnvelope(changed))).then(
      () => assert.deepEqual(parseEnvelope(changed).headerBytes, parseEnvelope(bytes).headerBytes, String(at)),
      (error) => assert.equal(error.name, "SealwireError"));
  }
});
