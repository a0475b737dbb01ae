/** The Padmé size of `size` (SPEC chapter E2E). */
export function padme(size: number): number {
  if (size < 2) return size;
  const e = 31 - Math.clz32(size);
  const b = 32 - Math.clz32(e);
  const step = 2 ** Math.max(e - b, 0);
  return Math.ceil(size / step) * step;
}
