/** Where FNV-1a begins. */
export const FNV_BASIS: number = 0x811c9dc5 | 0
/** What it is multiplied with for each unit. */
export const FNV_PRIME = 0x01000193

/** FNV-1a over the UTF-16 units of a text, as a signed 32-bit integer. Mix it before taking bits of it. */
export function fnv1a(text: string): number {
  let hash = FNV_BASIS
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME)
  return hash
}

/** The finaliser of MurmurHash3: every bit of the answer depends on every bit of `hash`. Unsigned. */
export function mixBits(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
