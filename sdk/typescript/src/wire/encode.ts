/** Writes a finished FlatBuffer front to back: each vtable before its table, each child behind its parent. */
import type { Bytes } from "../bytes.js";
import { utf8 } from "../bytes.js";
import { fail } from "../errors.js";
import type { Draft, Shape, Table } from "./schema.js";

interface Slot {
  readonly index: number;
  readonly size: number;
  /** Writes the field at its place. */
  readonly put: (position: number) => void;
}

class Writer {
  private buffer = new Uint8Array(256);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  finish(): Bytes {
    return this.buffer.subarray(0, this.length);
  }

  /** Room for `size` bytes at the next multiple of `align`; what lies between is zero. */
  private reserve(size: number, align: number): number {
    const start = Math.ceil(this.length / align) * align;
    this.length = start + size;
    if (this.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.buffer.length));
      larger.set(this.buffer);
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    return start;
  }

  root(table: Table, identifier: string, value: Record<string, unknown>): void {
    const start = this.reserve(8, 8);
    this.buffer.set(utf8(identifier), start + 4);
    this.refer(start, this.table(table, value));
  }

  private refer(from: number, to: number): void {
    this.view.setUint32(from, to - from, true);
  }

  private table(table: Table, value: Record<string, unknown>): number {
    const later: (() => void)[] = [];
    const slots: Slot[] = [];
    let index = 0;
    for (const [name, { shape, required }] of Object.entries(table.fields)) {
      const given = value[name];
      if (required && given === undefined) fail("invalid_argument", `${table.name} without ${name}`);
      if (given !== undefined) this.slots(slots, later, index, shape, given);
      index += shape.kind === "union" ? 2 : 1;
    }

    slots.sort((a, b) => b.size - a.size);
    const vtable = this.reserve(4 + 2 * index, 2);
    const inline = slots.reduce((size, slot) => size + slot.size, 0);
    // Eight-byte scalars come first, behind the four bytes of the vtable's offset.
    if (slots[0]?.size === 8) while (this.length % 8 !== 4) this.reserve(1, 1);
    const begin = this.reserve(4 + inline, 4);
    this.view.setInt32(begin, begin - vtable, true);
    this.view.setUint16(vtable, 4 + 2 * index, true);
    this.view.setUint16(vtable + 2, 4 + inline, true);
    let at = begin + 4;
    for (const slot of slots) {
      this.view.setUint16(vtable + 4 + 2 * slot.index, at - begin, true);
      slot.put(at);
      at += slot.size;
    }
    for (const write of later) write();
    return begin;
  }

  private slots(slots: Slot[], later: (() => void)[], index: number, shape: Shape, given: unknown): void {
    const child = (write: () => number) => (position: number): void => {
      later.push(() => { this.refer(position, write()); });
    };
    switch (shape.kind) {
      case "scalar":
        if (Number(given) !== 0) slots.push({ index, ...this.scalar(shape.scalar, given as number | bigint) });
        return;
      case "bytes":
        slots.push({ index, size: 4, put: child(() => this.bytes(given as Uint8Array)) });
        return;
      case "string":
        slots.push({ index, size: 4, put: child(() => this.bytes(utf8(given as string), 1)) });
        return;
      case "strings":
        slots.push({ index, size: 4, put: child(() => this.offsets(given as string[], (each) => this.bytes(utf8(each), 1))) });
        return;
      case "u16s":
        slots.push({ index, size: 4, put: child(() => this.u16s(given as number[])) });
        return;
      case "table":
        slots.push({ index, size: 4, put: child(() => this.table(shape.table, given as Record<string, unknown>)) });
        return;
      case "tables":
        slots.push({ index, size: 4, put: child(() => this.offsets(
          given as Record<string, unknown>[], (each) => this.table(shape.table, each))) });
        return;
      case "union": {
        const tag = shape.members.findIndex((member) => member.name === (given as { type: string }).type);
        const member = shape.members[tag] ?? fail("invalid_argument", "no such union member");
        slots.push({ index, size: 1, put: (position) => { this.buffer[position] = tag + 1; } });
        slots.push({ index: index + 1, size: 4, put: child(() => this.table(member, given as Record<string, unknown>)) });
      }
    }
  }

  private scalar(scalar: string, value: number | bigint): Omit<Slot, "index"> {
    switch (scalar) {
      case "u8": return { size: 1, put: (at) => { this.view.setUint8(at, Number(value)); } };
      case "u16": return { size: 2, put: (at) => { this.view.setUint16(at, Number(value), true); } };
      case "u32": return { size: 4, put: (at) => { this.view.setUint32(at, Number(value), true); } };
      default: return { size: 8, put: (at) => { this.view.setBigUint64(at, BigInt(value), true); } };
    }
  }

  private bytes(bytes: Uint8Array, terminator = 0): number {
    const start = this.reserve(4 + bytes.length + terminator, 4);
    this.view.setUint32(start, bytes.length, true);
    this.buffer.set(bytes, start + 4);
    return start;
  }

  private u16s(values: readonly number[]): number {
    const start = this.reserve(4 + 2 * values.length, 4);
    this.view.setUint32(start, values.length, true);
    values.forEach((value, i) => { this.view.setUint16(start + 4 + 2 * i, value, true); });
    return start;
  }

  private offsets<V>(values: readonly V[], write: (value: V) => number): number {
    const start = this.reserve(4 + 4 * values.length, 4);
    this.view.setUint32(start, values.length, true);
    values.forEach((value, i) => { this.refer(start + 4 + 4 * i, write(value)); });
    return start;
  }
}

export function encode<T extends Table>(table: T, identifier: string, value: Draft<T>): Bytes {
  const writer = new Writer();
  writer.root(table, identifier, value as Record<string, unknown>);
  return writer.finish();
}
