/** Repeatable randomness: the seed is printed by whoever uses it. */
export class Random {
  constructor(seed) { this.state = (seed * 2654435761 + 1) >>> 0; }
  /** 0 to below 1 (mulberry32). */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n) { return Math.floor(this.next() * n); }
  chance(p) { return this.next() < p; }
  of(list) { return list[this.below(list.length)]; }
  bytes(n) { return Uint8Array.from({ length: n }, () => this.below(256)); }
}
export const seedFrom = (name, fallback) => Number(process.env[name] ?? fallback);
