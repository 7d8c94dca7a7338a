import { GroundlineError } from '../errors.ts'

/**
 * A byte-pair vocabulary: token bytes ↔ rank. All tokens' bytes lie in one arena; an open-addressing table of ranks,
 * keyed by a polynomial hash of the bytes, finds them. The hash of any range of a text follows from two prefix hashes,
 * so the merge loops look up a candidate without reading its bytes first.
 */
export interface RankTable {
  /** One past the largest rank. */
  readonly size: number
  /** Longest token, in bytes. */
  readonly longest: number
  /** Rank of each single byte. */
  readonly byteRank: Int32Array
  /** Rank of each two bytes `first << 8 | second`, −1 where there is none. */
  readonly pairRank: Int32Array
  /** Rank of the token that equals `bytes[start, end)`, whose hash is given; −1 where there is none. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number
  /** Where a rank's bytes lie in the arena; the length is 0 for a rank that is not used. */
  lengthOf(rank: number): number
  /** A rank's bytes. A view of the arena: not to be written to. */
  bytesOf(rank: number): Uint8Array
}

const BASE = 0x01000193
const HEADER = 20
let powers: Int32Array | undefined

/** One step of the polynomial: the hash of a range extended by one byte. */
export function extendHash(hash: number, byte: number): number {
  return (Math.imul(hash, BASE) + byte + 1) | 0
}

/** Mixes a polynomial into the hash that {@link RankTable.find} takes. */
export function finishHash(polynomial: number, length: number): number {
  let hash = polynomial ^ (polynomial >>> 15)
  hash = (Math.imul(hash, 0x2c1b3c6d) + length) | 0
  return hash ^ (hash >>> 13)
}

/** Powers of the polynomial's base up to `length`: `hash(a, b) = prefix[b] - prefix[a] * powers[b - a]`. */
export function hashPowers(length: number): Int32Array {
  if (!powers || powers.length <= length) {
    const table = new Int32Array(Math.max(length + 1, 1024))
    table[0] = 1
    for (let index = 1; index < table.length; index++) table[index] = Math.imul(table[index - 1]!, BASE)
    powers = table
  }
  return powers
}

/**
 * Reads a table as scripts/build-vocabularies.mjs writes it. Throws `CORRUPT_DATA` when the bytes are not such a table,
 * are cut short, or fail their checksum.
 */
export function readRankTable(name: string, file: Uint8Array): RankTable {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < HEADER || view.getUint32(0, true) !== 0x50424c47 || view.getUint32(4, true) !== 1) {
    throw corrupt(name, 'it does not start as a version 1 vocabulary table')
  }
  const size = view.getUint32(8, true)
  const total = view.getUint32(12, true)
  if (file.length !== HEADER + size + total) {
    throw corrupt(name, `it should have ${HEADER + size + total} bytes and has ${file.length}`)
  }
  let checksum = 0x811c9dc5
  for (let index = HEADER; index < file.length; index++) checksum = Math.imul(checksum ^ file[index]!, BASE)
  if (checksum >>> 0 !== view.getUint32(16, true)) throw corrupt(name, 'its checksum does not match')
  return createRankTable(file.subarray(HEADER, HEADER + size), file.subarray(HEADER + size))
}

/** Builds a table from the lengths of the tokens and their bytes, both in order of rank. Keeps both arrays. */
export function createRankTable(lengths: Uint8Array | Uint16Array, arena: Uint8Array): RankTable {
  const size = lengths.length
  const offsets = new Uint32Array(size)
  let capacity = 1024
  while (capacity < size * 2) capacity <<= 1
  const mask = capacity - 1
  const slots = new Int32Array(capacity).fill(-1)
  const hashes = new Int32Array(size)
  const byteRank = new Int32Array(256).fill(-1)
  const pairRank = new Int32Array(65536).fill(-1)
  let longest = 0
  let offset = 0
  for (let rank = 0; rank < size; rank++) {
    const length = lengths[rank]!
    offsets[rank] = offset
    if (length === 0) continue
    let polynomial = 0
    for (let index = offset; index < offset + length; index++) polynomial = extendHash(polynomial, arena[index]!)
    const hash = finishHash(polynomial, length)
    hashes[rank] = hash
    let slot = hash & mask
    while (slots[slot] !== -1) slot = (slot + 1) & mask
    slots[slot] = rank
    if (length > longest) longest = length
    if (length === 1) byteRank[arena[offset]!] = rank
    else if (length === 2) pairRank[(arena[offset]! << 8) | arena[offset + 1]!] = rank
    offset += length
  }
  return {
    size,
    longest,
    byteRank,
    pairRank,
    find(bytes, start, end, hash) {
      const length = end - start
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const rank = slots[slot]!
        if (rank === -1) return -1
        if (hashes[rank] !== hash || lengths[rank] !== length) continue
        const at = offsets[rank]!
        let index = 0
        while (index < length && arena[at + index] === bytes[start + index]) index++
        if (index === length) return rank
      }
    },
    lengthOf: (rank) => lengths[rank]!,
    bytesOf: (rank) => arena.subarray(offsets[rank]!, offsets[rank]! + lengths[rank]!),
  }
}

function corrupt(name: string, reason: string): GroundlineError {
  return new GroundlineError(
    'CORRUPT_DATA',
    `The vocabulary ${name} cannot be read: ${reason}. Use the file that ships with this version of the package.`,
    { details: { vocabulary: name, reason } },
  )
}
