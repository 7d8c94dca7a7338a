import { fnv1a, mixBits } from './string-hash.ts'

/** What ids are looked up by in {@link placesByHash} before they are compared. */
export function placeHash(id: string): number {
  return mixBits(fnv1a(id))
}

/** Places 0 to `count` − 1 by a hash of what stands there: open addressing, each place + 1, a third of it empty at the least. */
export function placesByHash(count: number, hashAt: (place: number) => number): Uint32Array {
  const table = new Uint32Array(2 ** Math.ceil(Math.log2(count * 1.5 + 2)))
  const mask = table.length - 1
  for (let place = 0; place < count; place++) {
    let at = hashAt(place) & mask
    while (table[at] !== 0) at = (at + 1) & mask
    table[at] = place + 1
  }
  return table
}

/** The first place of a hash for which `holds`. */
export function placeOf(table: Uint32Array, hash: number, holds: (place: number) => boolean): number | undefined {
  for (let at = hash; ; at++) {
    const place = table[at & (table.length - 1)]! - 1
    if (place < 0) return undefined
    if (holds(place)) return place
  }
}
