/** Statements (SPEC chapter 0): finished buffers, signed as the exact bytes that their author made. */
import type { Bytes } from "../bytes.js";
import { check } from "../errors.js";
import type { SigningKey } from "../crypto/ed25519.js";
import { verify } from "../crypto/ed25519.js";
import { L } from "../crypto/hash.js";
import * as limits from "../limits.js";
import { decode } from "./decode.js";
import { encode } from "./encode.js";
import type { Draft, Table, Value } from "./schema.js";
import * as t from "./tables.js";

export interface StatementKind<T extends Table> {
  readonly table: T;
  readonly identifier: string;
  readonly label: string;
}

const kind = <T extends Table>(table: T, identifier: string, label: string): StatementKind<T> => ({ table, identifier, label });

/** KEY-002: no two share a label. */
export const inceptionKind = kind(t.Inception, "SWIN", "sealwire/0 inception");
export const prekeyKind = kind(t.Prekey, "SWPK", "sealwire/0 prekey");
export const redemptionKind = kind(t.Redemption, "SWIV", "sealwire/0 redemption");
export const refusalKind = kind(t.Refusal, "SWNK", "sealwire/0 refusal");
export const acceptanceKind = kind(t.Acceptance, "SWAC", "sealwire/0 acceptance");

export type Signed = Value<typeof t.Signed>;

/** Reads a statement, signed or not. */
export function readStatement<T extends Table>(of: T, identifier: string, statement: Bytes): Value<T> {
  return decode(of, identifier, statement, { bytes: limits.statementBytesMax, depth: 4, tables: 64 });
}

export async function signStatement<T extends Table>(of: StatementKind<T>, key: SigningKey, value: Draft<T>): Promise<Signed> {
  const statement = encode(of.table, of.identifier, value);
  return { statement, signature: await key.sign(L(of.label, statement)) };
}

/** The statement, once its signature has verified under `key`. */
export async function openStatement<T extends Table>(of: StatementKind<T>, key: Uint8Array, signed: Signed): Promise<Value<T>> {
  const value = readStatement(of.table, of.identifier, signed.statement);
  check(await verify(key, L(of.label, signed.statement), signed.signature), "unauthenticated", `${of.table.name}: signature`);
  return value;
}
