/** SPEC chapter SES up to Ready, without a transport: Hello, Challenge, Proof, and the keys that follow. */
import type { Bytes } from "../bytes.js";
import { equal, utf8 } from "../bytes.js";
import { randomBytes, verify } from "../crypto/ed25519.js";
import { H, hkdf, L } from "../crypto/hash.js";
import type { ExchangeKey } from "../crypto/x25519.js";
import { newExchangeKey } from "../crypto/x25519.js";
import { check, fail, SealwireError } from "../errors.js";
import type { Identity } from "../identity/identity.js";
import type { Invite } from "../identity/invite.js";
import { redemption } from "../identity/invite.js";
import { frameBytesBeforeProof, frameBytesMax } from "../limits.js";
import { encode } from "../wire/encode.js";
import type { Body, BodyOf } from "../wire/frame.js";
import { codeName, makeFrame, parseFrame } from "../wire/frame.js";
import type { Value } from "../wire/schema.js";
import { readStatement } from "../wire/statement.js";
import * as t from "../wire/tables.js";
import type { Protection } from "./protection.js";
import { Sealing, unsealed } from "./protection.js";

/** What ties the handshake to its transport (SES-002). A browser has none to give: its frames are sealed instead (SES-020). */
export interface ChannelBinding {
  readonly type: number;
  readonly value: Bytes;
}

export const noBinding: ChannelBinding = { type: t.Binding.none, value: new Uint8Array() };
export const tlsExporter = (value: Bytes): ChannelBinding => ({ type: t.Binding.tls_exporter, value });

export interface Resume {
  readonly incarnation: Bytes;
  readonly acked: bigint;
}

export class Handshake {
  private constructor(
    private readonly identity: Identity,
    private readonly ephemeral: ExchangeKey,
    private readonly binding: ChannelBinding,
    readonly hello: Bytes,
    /** The key that is known beforehand; undefined where a person chose to trust the first one. */
    private readonly expectedBroker: Bytes | undefined,
  ) {}

  private verified: { terms: Value<typeof t.Terms>; transcript: Bytes } | undefined;
  private outgoing: Protection | undefined;
  private incoming: Protection | undefined;

  /** SES-001. */
  static async begin(identity: Identity, binding: ChannelBinding, expectedBroker?: Bytes): Promise<Handshake> {
    const ephemeral = await newExchangeKey();
    const hello = makeFrame({
      type: "Hello", versions: [0], suite: 1, key: identity.key, nonce: randomBytes(32),
      ephemeral: ephemeral.publicKey, binding: binding.type,
    });
    return new Handshake(identity, ephemeral, binding, hello, expectedBroker);
  }

  get terms(): Value<typeof t.Terms> {
    return (this.verified ?? fail("malformed", "no Challenge yet")).terms;
  }

  get transcript(): Bytes {
    return (this.verified ?? fail("malformed", "no Challenge yet")).transcript;
  }

  /** SES-010 to SES-012. */
  async challenge(message: Bytes): Promise<void> {
    const body = refuseClose(parseFrame(message, frameBytesBeforeProof));
    if (body.type !== "Challenge") return fail("malformed", `${body.type} instead of Challenge`);
    const terms = readStatement(t.Terms, "SWTM", body.terms);
    const broker = this.expectedBroker ?? terms.broker;
    const signed = L("sealwire/0 challenge", H(this.hello), body.terms, this.binding.value);
    check(await verify(broker, signed, body.signature), "unauthenticated", "the broker's key is another than the known one");
    check(equal(terms.broker, broker), "unauthenticated", "terms of another broker");
    check(terms.version === 0 && terms.suite === 1 && terms.binding === this.binding.type, "unsupported", "terms that were not offered");
    const transcript = H(L("sealwire/0 transcript", H(this.hello), H(message), Uint8Array.of(this.binding.type), this.binding.value));
    this.verified = { terms, transcript };
  }

  /** SES-013, SES-020. */
  async proof(resume?: Resume, invite?: Invite): Promise<Bytes> {
    const claims = encode(t.Claims, "SWCL", {
      inception: this.identity.inception,
      ...(invite && { redemption: await redemption(invite, this.identity.agent, this.transcript) }),
      ...(resume && { acked: resume.acked, incarnation: resume.incarnation }),
    });
    const signature = await this.identity.signing.sign(L("sealwire/0 proof", this.transcript, claims));
    const proof = makeFrame({ type: "Proof", claims, signature });
    const shared = await this.ephemeral.agree(this.terms.ephemeral); // SES-023, on either kind of session
    if (this.binding.type !== t.Binding.none) {
      this.outgoing = this.incoming = unsealed;
      return proof;
    }
    const label = "sealwire/0 session keys";
    const keys = hkdf(L(label, this.transcript, H(proof)), shared, utf8(label), 64);
    this.outgoing = new Sealing(keys.slice(0, 32));
    this.incoming = new Sealing(keys.slice(32));
    return proof;
  }

  /** Ready, or the broker's refusal (SES-019). */
  ready(message: Bytes): { ready: BodyOf<"Ready">; outgoing: Protection; incoming: Protection } {
    const { outgoing, incoming } = this;
    if (!outgoing || !incoming) return fail("malformed", "Ready before Proof");
    refuseClearClose(message);
    const body = refuseClose(parseFrame(incoming.open(message)));
    if (body.type !== "Ready") return fail("malformed", `${body.type} instead of Ready`);
    return { ready: body, outgoing, incoming };
  }
}

/** A Close as the error that it names. */
function refuseClose(body: Body): Body {
  if (body.type === "Close") throw new SealwireError(codeName(body.code), "the broker refused the session");
  return body;
}

function refuseClearClose(message: Bytes): void {
  let body: Body;
  try {
    body = parseFrame(message, frameBytesMax);
  } catch {
    return; // a sealed message, as it should be
  }
  refuseClose(body);
}
