let tables: Int32Array | undefined

/** Sixteen tables of 256 remainders of the Castagnoli polynomial (reflected 0x82f63b78): sixteen bytes a step. */
function remainderTables(): Int32Array {
  const built = new Int32Array(16 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    built[byte] = value
  }
  for (let index = 256; index < built.length; index++) {
    const previous = built[index - 256]!
    built[index] = (previous >>> 8) ^ built[previous & 255]!
  }
  return built
}

/**
 * CRC-32C (Castagnoli) of bytes, as an unsigned 32-bit number; pass an earlier result to go on from it. Finds every
 * burst error of up to 32 bits and every pattern of up to five flipped bits in records of up to 640 bytes.
 * Slicing-by-16 (after Kounavis and Berry, 2005), a word a read: low bytes come first, as vectors are stored.
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  tables ??= remainderTables()
  const { length } = bytes
  const first = Math.min(length, -bytes.byteOffset & 3)
  const steps = (length - first) >>> 4
  const last = first + 16 * steps
  const words = new Int32Array(bytes.buffer, steps > 0 ? bytes.byteOffset + first : 0, 4 * steps)
  const before = overBytes(tables, ~previous, bytes, 0, first)
  return ~overBytes(tables, overWords(tables, before, words), bytes, last, length) >>> 0
}

// Nothing follows the loops within their functions: V8 compiles a long loop while it runs, and what it has not yet seen
// behind it makes it give the compiled code up, at each call again.

/** Four words a step. */
function overWords(table: Int32Array, before: number, words: Int32Array): number {
  let crc = before
  for (let word = 0; word < words.length; word += 4) {
    const a = crc ^ words[word]!
    const b = words[word + 1]!
    const c = words[word + 2]!
    const d = words[word + 3]!
    crc =
      table[3840 + (a & 255)]! ^
      table[3584 + ((a >>> 8) & 255)]! ^
      table[3328 + ((a >>> 16) & 255)]! ^
      table[3072 + (a >>> 24)]! ^
      table[2816 + (b & 255)]! ^
      table[2560 + ((b >>> 8) & 255)]! ^
      table[2304 + ((b >>> 16) & 255)]! ^
      table[2048 + (b >>> 24)]! ^
      table[1792 + (c & 255)]! ^
      table[1536 + ((c >>> 8) & 255)]! ^
      table[1280 + ((c >>> 16) & 255)]! ^
      table[1024 + (c >>> 24)]! ^
      table[768 + (d & 255)]! ^
      table[512 + ((d >>> 8) & 255)]! ^
      table[256 + ((d >>> 16) & 255)]! ^
      table[d >>> 24]!
  }
  return crc
}

/** A byte a step. */
function overBytes(table: Int32Array, before: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = before
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 255]!
  return crc
}
