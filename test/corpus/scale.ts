/** How many cases a durability test runs: a few in every test run, more in `test:durability`, all in `test:nightly`. */
export function scaled(counts: { readonly quick: number; readonly short: number; readonly full: number }): number {
  if (process.env.GROUNDLINE_NIGHTLY === '1') return counts.full
  return process.env.GROUNDLINE_DURABILITY === '1' ? counts.short : counts.quick
}
