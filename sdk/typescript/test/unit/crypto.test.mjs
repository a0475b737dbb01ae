import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { unhex, utf8, hex } from "../../dist/esm/bytes.js";
import * as node from "../../dist/esm/crypto/platform-node.js";
import * as web from "../../dist/esm/crypto/platform-web.js";
import { signingKey, verify } from "../../dist/esm/crypto/ed25519.js";
import { H, hkdf, L } from "../../dist/esm/crypto/hash.js";
import { padme } from "../../dist/esm/crypto/padme.js";
import { newExchangeKey } from "../../dist/esm/crypto/x25519.js";
import { agentText, didKey, parseAgentText, parseDidKey } from "../../dist/esm/identity/text.js";
import { Sealing } from "../../dist/esm/session/protection.js";
import { Random, seedFrom } from "../random.mjs";

const folder = process.env.SEALWIRE_VECTORS ?? new URL("../../../../../shared/vectors", import.meta.url).pathname;
const vectors = (file) => JSON.parse(readFileSync(`${folder}/${file}`, "utf8"));
const skip = existsSync(folder) ? undefined : "no vectors (SEALWIRE_VECTORS names the folder)";

test("Wycheproof's Ed25519 verdicts", { skip }, async () => {
  for (const group of vectors("wycheproof/ed25519_test.json").testGroups) {
    for (const each of group.tests) {
      assert.equal(await verify(unhex(group.publicKey.pk), unhex(each.msg), unhex(each.sig)), each.result === "valid", `${each.tcId} ${each.comment}`);
    }
  }
});

test("KEY-001: no small-order or non-canonical point verifies, on either platform's code", { skip }, async () => {
  let refused = 0;
  for (const each of vectors("ed25519/ed25519vectors.json")) {
    const flags = each.flags ?? [];
    if (!flags.some((flag) => /^(low_order|non_canonical)_[AR]$/.test(flag))) continue;
    assert.equal(await verify(unhex(each.key), utf8(each.msg), unhex(each.sig)), false, `${each.number} ${flags}`);
    ++refused;
  }
  assert.ok(refused > 100);
});

test("Node's Ed25519 and WebCrypto's give the same keys and signatures", async () => {
  const seed = new Random(seedFrom("SEALWIRE_SEED", 1)).bytes(32);
  const message = utf8("a message");
  const [a, b] = [await node.importSeed(seed), await web.importSeed(seed)];
  assert.deepEqual(a.publicKey, b.publicKey);
  const signature = await a.sign(message);
  assert.deepEqual(await b.sign(message), signature);
  for (const { importPublic } of [node, web]) {
    const check = await importPublic(a.publicKey);
    assert.equal(await check(message, signature), true);
    assert.equal(await check(utf8("another"), signature), false);
  }
});

test("Wycheproof's HKDF and ChaCha20-Poly1305 verdicts, on either platform's code", { skip }, () => {
  for (const { tests } of vectors("wycheproof/hkdf_sha256_test.json").testGroups) {
    for (const each of tests) {
      const derive = () => hex(hkdf(unhex(each.salt), unhex(each.ikm), unhex(each.info), each.size));
      if (each.result === "valid") assert.equal(derive(), each.okm, `${each.tcId} ${each.comment}`);
      else assert.throws(derive, `${each.tcId} ${each.comment}`);
    }
  }
  for (const { tests } of vectors("wycheproof/chacha20_poly1305_test.json").testGroups) {
    for (const each of tests) {
      for (const { openAead } of [node, web]) {
        const open = () => hex(openAead(unhex(each.key), unhex(each.iv), unhex(each.aad), unhex(each.ct + each.tag)));
        if (each.result === "valid") assert.equal(open(), each.msg, `${each.tcId} ${each.comment}`);
        else assert.throws(open, `${each.tcId} ${each.comment}`);
      }
    }
  }
});

test("Node's hashes and AEAD and a page's give the same bytes, and open only what was sealed", () => {
  const random = new Random(seedFrom("SEALWIRE_SEED", 1));
  for (const size of [0, 1, 15, 16, 63, 64, 65, 1000]) {
    const [key, nonce, aad, data] = [random.bytes(32), random.bytes(12), random.bytes(size % 90), random.bytes(size)];
    assert.deepEqual(node.sha256(data), web.sha256(data));
    assert.deepEqual(node.hmacSha256(key, data), web.hmacSha256(key, data));
    const sealed = node.sealAead(key, nonce, aad, data);
    assert.deepEqual(web.sealAead(key, nonce, aad, data), sealed);
    for (const { openAead } of [node, web]) {
      assert.deepEqual(openAead(key, nonce, aad, sealed), data);
      for (let at = 0; at < sealed.length; at += 7) {
        const bent = sealed.slice();
        bent[at] ^= 1;
        assert.throws(() => openAead(key, nonce, aad, bent), `${size} bytes, byte ${at}`);
      }
      for (let short = 0; short < 16; ++short) assert.throws(() => openAead(key, nonce, aad, sealed.subarray(0, short)), `${short} bytes`);
    }
  }
});

test("SES-023: an ephemeral key of small order is refused", async () => {
  const key = await newExchangeKey();
  for (const point of ["00".repeat(32), "01" + "00".repeat(31), "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"]) {
    await assert.rejects(key.agree(unhex(point)), { code: "unauthenticated" }, point);
  }
});

test("BLAKE2b-256, the labelled string, and HKDF (RFC 5869, case 1)", () => {
  assert.equal(hex(H(utf8("abc"))), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  assert.equal(hex(L("ab", new Uint8Array(), utf8("c"))), "000000026162" + "00000000" + "0000000163");
  assert.equal(hex(hkdf(unhex("000102030405060708090a0b0c"), new Uint8Array(22).fill(11), unhex("f0f1f2f3f4f5f6f7f8f9"), 42)),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
});

test("Padmé: never smaller, at most 12 % larger, and its own fixed point", () => {
  for (let size = 0; size < 200_000; size += 1 + (size >> 6)) {
    const padded = padme(size);
    assert.ok(padded >= size && padded <= size * 1.12 + 1, String(size));
    assert.equal(padme(padded), padded);
  }
  assert.deepEqual([1, 9, 100, 1000, 5000].map(padme), [1, 10, 104, 1024, 5120]);
});

test("a text form has one spelling", () => {
  const key = new Random(3).bytes(32);
  assert.deepEqual(parseDidKey(didKey(key)), key);
  assert.deepEqual(parseAgentText(agentText(key)), key);
  assert.deepEqual(parseAgentText(agentText(new Uint8Array(32))), new Uint8Array(32));
  for (const text of [didKey(key).toUpperCase(), didKey(key) + "1", didKey(key).replace("did:key:z", "did:key:z1"), "did:key:z" + "1".repeat(1e5), "did:key:z0OIl"]) {
    assert.throws(() => parseDidKey(text), { code: "malformed" });
  }
});

test("a session's message opens once, in its turn, unchanged", () => {
  const key = new Random(4).bytes(32);
  const [out, into] = [new Sealing(key), new Sealing(key)];
  const [first, second] = [out.seal(utf8("one")), out.seal(utf8("two"))];
  assert.deepEqual(into.open(first), utf8("one"));
  assert.throws(() => into.open(first), { code: "unauthenticated" });
  assert.throws(() => new Sealing(key).open(second), { code: "unauthenticated" });
  assert.throws(() => new Sealing(key).open(Uint8Array.of()), { code: "unauthenticated" });
});

test("a seed gives one key", async () => {
  const { publicKey } = await signingKey(unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  assert.equal(hex(publicKey), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"); // RFC 8032 section 7.1
});
