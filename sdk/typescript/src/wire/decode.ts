/**
 * Reads a finished FlatBuffer whole, in one pass that checks before it reads: bounds, alignment, required
 * fields, depth, the number of tables, sizes, enum values and union tags (FRM-002 to FRM-006). The runtime for
 * TypeScript has no verifier, so nothing of it is used. Byte fields are views into the buffer.
 */
import type { Bytes } from "../bytes.js";
import { check, fail } from "../errors.js";
import type { Scalar, Shape, Table, Value } from "./schema.js";

export interface DecodeLimits {
  readonly bytes: number;
  readonly depth: number;
  readonly tables: number;
}

const scalarSize: Record<Scalar, number> = { u8: 1, u16: 2, u32: 4, u64: 8 };
const text = new TextDecoder();

class Reader {
  private readonly view: DataView<ArrayBuffer>;
  private tablesLeft: number;

  constructor(private readonly buffer: Bytes, private readonly limits: DecodeLimits) {
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.tablesLeft = limits.tables;
  }

  /** Proves that `size` bytes at a multiple of `align` lie within the buffer. */
  private at(position: number, size: number, align: number): number {
    check(position >= 0 && position + size <= this.buffer.length, "malformed", "offset out of bounds");
    check(position % align === 0, "malformed", "misaligned");
    return position;
  }

  private u16(position: number): number {
    return this.view.getUint16(this.at(position, 2, 2), true);
  }

  private u32(position: number): number {
    return this.view.getUint32(this.at(position, 4, 4), true);
  }

  private indirect(position: number): number {
    const offset = this.u32(position);
    check(offset !== 0, "malformed", "offset of zero");
    return position + offset;
  }

  root(table: Table): Record<string, unknown> {
    return this.table(this.indirect(0), table, 1);
  }

  private table(position: number, table: Table, depth: number): Record<string, unknown> {
    check(depth <= this.limits.depth, "malformed", "nested too deeply");
    check(this.tablesLeft-- > 0, "malformed", "too many tables");
    const vtable = position - this.view.getInt32(this.at(position, 4, 4), true);
    const vtableSize = this.u16(vtable);
    check(vtableSize >= 4 && vtableSize % 2 === 0, "malformed", "size of a vtable");
    this.at(vtable, vtableSize, 2);
    this.at(position, Math.max(4, this.u16(vtable + 2)), 4);

    const field = (slot: number): number => {
      const entry = 4 + 2 * slot;
      const offset = entry < vtableSize ? this.u16(vtable + entry) : 0;
      return offset === 0 ? 0 : position + offset;
    };
    const value: Record<string, unknown> = {};
    let slot = 0;
    for (const [name, { shape, required }] of Object.entries(table.fields)) {
      value[name] = shape.kind === "union"
        ? this.union(field(slot), field(slot + 1), shape.members, depth)
        : this.field(field(slot), shape, depth);
      if (required && value[name] === undefined) {
        fail(shape.kind === "union" ? "unsupported" : "malformed", `${table.name} without ${name}`);
      }
      slot += shape.kind === "union" ? 2 : 1;
    }
    return value;
  }

  private field(position: number, shape: Exclude<Shape, { kind: "union" }>, depth: number): unknown {
    if (shape.kind === "scalar") return this.scalar(position, shape.scalar, shape.max);
    if (position === 0) return undefined;
    const start = this.indirect(position);
    switch (shape.kind) {
      case "bytes": {
        const bytes = this.vector(start, 1);
        check(shape.size === undefined || bytes.length === shape.size, "malformed", "size of a fixed field");
        check(shape.most === undefined || bytes.length <= shape.most, "malformed", "statement too long");
        return bytes;
      }
      case "string":
        return this.string(start);
      case "strings":
        return this.offsets(start).map((each) => this.string(each));
      case "u16s": {
        const { length } = this.vector(start, 2);
        return Array.from({ length: length / 2 }, (_, i) => this.u16(start + 4 + 2 * i));
      }
      case "table":
        return this.table(start, shape.table, depth + 1);
      case "tables":
        return this.offsets(start).map((each) => this.table(each, shape.table, depth + 1));
    }
  }

  /** Where the elements of a vector of offsets are. What one buffer may hold bounds their number as well. */
  private offsets(start: number): number[] {
    const count = this.vector(start, 4).length / 4;
    check(count <= this.limits.tables, "malformed", "too many elements");
    return Array.from({ length: count }, (_, i) => this.indirect(start + 4 + 4 * i));
  }

  private string(start: number): string {
    const bytes = this.vector(start, 1);
    const end = this.at(start + 4 + bytes.length, 1, 1);
    check(this.buffer[end] === 0, "malformed", "string without its terminator");
    return text.decode(bytes);
  }

  private scalar(position: number, scalar: Scalar, max: number | undefined): number | bigint {
    if (position === 0) return scalar === "u64" ? 0n : 0;
    this.at(position, scalarSize[scalar], scalarSize[scalar]);
    if (scalar === "u64") return this.view.getBigUint64(position, true);
    const value = scalar === "u8" ? this.view.getUint8(position)
      : scalar === "u16" ? this.view.getUint16(position, true) : this.view.getUint32(position, true);
    check(max === undefined || value <= max, "malformed", "value of an enum");
    return value;
  }

  /** The bytes of a vector's elements. */
  private vector(start: number, elementSize: number): Bytes {
    const length = this.u32(start) * elementSize;
    this.at(start + 4, length, elementSize);
    return this.buffer.subarray(start + 4, start + 4 + length);
  }

  private union(tagAt: number, valueAt: number, members: readonly Table[], depth: number): unknown {
    const tag = this.scalar(tagAt, "u8", undefined) as number;
    if (tag === 0) {
      check(valueAt === 0, "unsupported", "union value without a tag");
      return undefined;
    }
    const member = members[tag - 1];
    if (member === undefined) return fail("unsupported", "unknown union tag");
    check(valueAt !== 0, "malformed", "union tag without a value");
    return { type: member.name, ...this.table(this.indirect(valueAt), member, depth + 1) };
  }
}

export function decode<T extends Table>(table: T, identifier: string, buffer: Bytes, limits: DecodeLimits): Value<T> {
  check(buffer.length <= limits.bytes, "too_large", `a buffer of ${String(buffer.length)} bytes`);
  check(buffer.length >= 8 && text.decode(buffer.subarray(4, 8)) === identifier, "malformed", `no ${identifier} buffer`);
  return new Reader(buffer, limits).root(table) as Value<T>;
}
