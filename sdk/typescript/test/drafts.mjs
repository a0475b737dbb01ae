/** Random values of a table of the schema, for round trips. */
export function draft(random, table) {
  const value = {};
  for (const [name, { shape, required }] of Object.entries(table.fields)) {
    if (!required && random.chance(0.3)) continue;
    value[name] = field(random, shape);
  }
  return value;
}

function field(random, shape) {
  const some = (make, least = 0) => Array.from({ length: least + random.below(4) }, make);
  switch (shape.kind) {
    case "scalar":
      if (shape.max !== undefined) return random.below(shape.max + 1);
      if (shape.scalar === "u64") return BigInt(random.below(2 ** 32)) * BigInt(random.below(2 ** 32));
      return random.below({ u8: 2 ** 8, u16: 2 ** 16, u32: 2 ** 32 }[shape.scalar]);
    case "bytes": return random.bytes(shape.size ?? random.below(70));
    case "string": return "é/" + "x".repeat(random.below(20));
    case "strings": return some(() => "wss://127.0.0.1:" + random.below(9999));
    case "u16s": return some(() => random.below(2 ** 16), 1);
    case "table": return draft(random, shape.table);
    case "tables": return some(() => draft(random, shape.table), 1);
    case "union": {
      const member = random.of(shape.members);
      return { type: member.name, ...draft(random, member) };
    }
  }
}

/** The draft as decoding gives it: what was left out is zero or undefined. */
export function complete(table, value) {
  const whole = {};
  for (const [name, { shape }] of Object.entries(table.fields)) whole[name] = completeField(shape, value[name]);
  return whole;
}

function completeField(shape, value) {
  if (value === undefined) return shape.kind === "scalar" ? (shape.scalar === "u64" ? 0n : 0) : undefined;
  if (shape.kind === "table") return complete(shape.table, value);
  if (shape.kind === "tables") return value.map((each) => complete(shape.table, each));
  if (shape.kind === "union") {
    return { type: value.type, ...complete(shape.members.find(({ name }) => name === value.type), value) };
  }
  return value;
}
