/** How a FlatBuffers table is described here: fields in the order of their slots, and their types. */
import type { Bytes } from "../bytes.js";
import { statementBytesMax } from "../limits.js";

export type Scalar = "u8" | "u16" | "u32" | "u64";

export type Shape =
  | { readonly kind: "scalar"; readonly scalar: Scalar; readonly max?: number }
  | { readonly kind: "bytes"; readonly size?: number; readonly most?: number }
  | { readonly kind: "string" }
  | { readonly kind: "strings" }
  | { readonly kind: "u16s" }
  | { readonly kind: "table"; readonly table: Table }
  | { readonly kind: "tables"; readonly table: Table }
  | { readonly kind: "union"; readonly members: readonly Table[] };

/** `T` is what a decoded field is, `R` whether an encoder must be given it. */
export interface Field<T, R extends boolean = boolean> {
  readonly shape: Shape;
  readonly required: R;
  readonly type?: T;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

export interface Table<F extends Fields = Fields, N extends string = string> {
  readonly name: N;
  readonly fields: F;
}

/** A decoded table. */
export type Value<T extends Table> = { -readonly [K in keyof T["fields"]]: T["fields"][K] extends Field<infer V> ? V : never };

/** What an encoder takes: a scalar left out is zero, an optional field left out is absent. */
export type Draft<T extends Table> = Loose<Value<T>>;

type Loose<V> = V extends Uint8Array ? Uint8Array
  : V extends readonly (infer I)[] ? readonly Loose<I>[]
  : V extends object ? LooseFields<V> : V;

type MayBeLeftOut<V> = undefined extends V ? true : V extends number | bigint ? true : false;

type LooseFields<V> =
  & { [K in keyof V as MayBeLeftOut<V[K]> extends true ? never : K]: Loose<V[K]> }
  & { [K in keyof V as MayBeLeftOut<V[K]> extends true ? K : never]?: Loose<V[K]> };

export type UnionValue<M extends readonly Table[]> = { [I in keyof M]: { type: M[I]["name"] } & Value<M[I]> }[number];

export function table<const N extends string, F extends Fields>(name: N, fields: F): Table<F, N> {
  return { name, fields };
}

const optional = <T>(shape: Shape): Field<T | undefined, false> => ({ shape, required: false });

const number = (scalar: Scalar, max?: number): Field<number, false> =>
  ({ shape: max === undefined ? { kind: "scalar", scalar } : { kind: "scalar", scalar, max }, required: false });

export const u16 = number("u16");
export const u32 = number("u32");
export const u64: Field<bigint, false> = { shape: { kind: "scalar", scalar: "u64" }, required: false };

/** An enum's values are 0 to `last`; FRM-005 refuses any other. */
export const enum8 = (last: number): Field<number, false> => number("u8", last);
export const enum16 = (last: number): Field<number, false> => number("u16", last);

export const bytes = optional<Bytes>({ kind: "bytes" });
/** FRM-006: a field of fixed size. */
export const sized = (size: number): Field<Bytes | undefined, false> => optional({ kind: "bytes", size });
/** FRM-010: a signed statement. */
export const statement = optional<Bytes>({ kind: "bytes", most: statementBytesMax });
export const string = optional<string>({ kind: "string" });
export const strings = optional<string[]>({ kind: "strings" });
export const u16s = optional<number[]>({ kind: "u16s" });
export const nested = <T extends Table>(of: T): Field<Value<T> | undefined, false> => optional({ kind: "table", table: of });
export const tables = <T extends Table>(of: T): Field<Value<T>[] | undefined, false> => optional({ kind: "tables", table: of });
export const union = <const M extends readonly Table[]>(...members: M): Field<UnionValue<M> | undefined, false> =>
  optional({ kind: "union", members });

/** The schema's `(required)`. */
export function required<T>(field: Field<T, false>): Field<NonNullable<T>, true> {
  return { shape: field.shape, required: true };
}
