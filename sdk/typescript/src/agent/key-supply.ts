/** What others need to reach this agent when it is away: key packages and a prekey, and the secrets behind them. */
import type { Bytes } from "../bytes.js";
import { copy, hex } from "../bytes.js";
import { fail } from "../errors.js";
import type { Identity } from "../identity/identity.js";
import { newPrekey } from "../identity/prekey.js";
import { dayMs, keyPackageLifetimeSMax, keyPackagesAtOnce, keyPackagesMax, keyPackagesRefill, letterLifetimeMsMax, prekeyLifetimeMsMax } from "../limits.js";
import type { OwnKeyPackage } from "../mls/key-package.js";
import { decodeMessage, encodeMessage, keyPackageRef, newKeyPackage } from "../mls/key-package.js";
import type { Session } from "../session/session.js";
import type { Draft } from "../wire/schema.js";
import type { Publish } from "../wire/tables.js";
import { KeyPackageRecord, PrekeyRecord } from "./records.js";
import type { State } from "./state.js";

const lastResortEveryMs = (keyPackageLifetimeSMax * 1000) / 2;
const prekeyEveryMs = prekeyLifetimeMsMax / 2;

export class KeySupply {
  constructor(private readonly identity: Identity, private readonly state: State, private readonly now: () => number) {}

  /** Publishes what is missing. The secrets are on disk before anybody can use the public halves. */
  async refill(session: Session, inPool: number, turn: <T>(work: () => Promise<T>) => Promise<T>): Promise<void> {
    if (inPool >= keyPackagesRefill && !this.lastResortIsOld() && !this.prekeyIsOld()) return;
    // A few at once, so that a new agent can be reached; the rest afterwards, between other turns.
    for (let left = keyPackagesMax - inPool; left > 0 && session.open; left -= keyPackagesAtOnce) {
      const count = Math.min(keyPackagesAtOnce, left);
      const publish = await turn(() => this.prepare(count));
      await session.call({ type: "Publish", ...publish }, "Published");
    }
  }

  private async prepare(count: number): Promise<Draft<typeof Publish>> {
    this.eraseOld();
    const packages: { bytes: Bytes }[] = [];
    for (let i = 0; i < count; ++i) packages.push({ bytes: await this.newPackage(false) });
    const lastResort = this.lastResortIsOld() ? await this.newPackage(true) : undefined;
    const prekey = this.prekeyIsOld() ? await this.newPrekey() : undefined;
    await this.state.commit();
    return { key_packages: packages, last_resort: lastResort, prekey };
  }

  private lastResortIsOld(): boolean {
    const newest = this.state.all("key-package/", KeyPackageRecord)
      .filter(([, record]) => record.last_resort === 1).reduce((most, [, record]) => Math.max(most, Number(record.expires_ms)), 0);
    return newest < this.now() + lastResortEveryMs;
  }

  private prekeyIsOld(): boolean {
    const newest = this.state.all("prekey/", PrekeyRecord).reduce((most, [, record]) => Math.max(most, Number(record.created_ms)), 0);
    return newest < this.now() - prekeyEveryMs;
  }

  private async newPackage(lastResort: boolean): Promise<Bytes> {
    const { publicPackage, privatePackage } = await newKeyPackage(this.identity, this.now());
    const message = encodeMessage({ wireformat: "mls_key_package", keyPackage: publicPackage });
    this.state.put(`key-package/${hex(await keyPackageRef(publicPackage))}`, KeyPackageRecord, {
      message, init: privatePackage.initPrivateKey, encryption: privatePackage.hpkePrivateKey, last_resort: lastResort ? 1 : 0,
      expires_ms: BigInt(this.now() + keyPackageLifetimeSMax * 1000),
    });
    return message;
  }

  private async newPrekey(): Promise<{ statement: Bytes; signature: Bytes }> {
    const now = this.now();
    const { signed, publicKey, secret } = await newPrekey(this.identity, now);
    // E2E-044: the last letter to it may be made just before it expires.
    const erase = now + prekeyLifetimeMsMax + letterLifetimeMsMax + dayMs;
    this.state.put(`prekey/${hex(publicKey)}`, PrekeyRecord, { secret, created_ms: BigInt(now), erase_ms: BigInt(erase) });
    return signed;
  }

  private eraseOld(): void {
    const now = BigInt(this.now());
    for (const [name, record] of this.state.all("prekey/", PrekeyRecord)) if (record.erase_ms < now) this.state.erase(name);
    for (const [name, record] of this.state.all("key-package/", KeyPackageRecord)) {
      if (record.expires_ms + BigInt(dayMs) < now) this.state.erase(name);
    }
  }

  prekeySecret(key: Bytes): Bytes {
    return this.state.get(`prekey/${hex(key)}`, PrekeyRecord)?.secret ?? fail("undecryptable", "letter to an unknown prekey");
  }

  /** The key package that a welcome is for. */
  packageFor(welcome: Bytes): { name: string; once: boolean; own: OwnKeyPackage } {
    for (const { newMember } of decodeMessage(welcome, "mls_welcome").welcome.secrets) {
      const name = `key-package/${hex(newMember)}`;
      const record = this.state.get(name, KeyPackageRecord);
      if (!record) continue;
      const { keyPackage } = decodeMessage(record.message, "mls_key_package");
      const privatePackage = {
        initPrivateKey: copy(record.init), hpkePrivateKey: copy(record.encryption), signaturePrivateKey: this.identity.signing.seed,
      };
      return { name, once: record.last_resort === 0, own: { publicPackage: keyPackage, privatePackage } };
    }
    return fail("undecryptable", "welcome for no key package of this agent");
  }
}
