let tables: Uint32Array | undefined

/** Eight tables of 256 remainders of the Castagnoli polynomial (reflected 0x82f63b78): eight bytes a step. */
function remainderTables(): Uint32Array {
  const built = new Uint32Array(8 * 256)
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
 * Slicing-by-8 (Kounavis and Berry, 2005).
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  tables ??= remainderTables()
  const table = tables
  let crc = ~previous
  let at = 0
  for (const last = bytes.length - 7; at < last; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      table[1792 + (low & 255)]! ^
      table[1536 + ((low >>> 8) & 255)]! ^
      table[1280 + ((low >>> 16) & 255)]! ^
      table[1024 + (low >>> 24)]! ^
      table[768 + bytes[at + 4]!]! ^
      table[512 + bytes[at + 5]!]! ^
      table[256 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 255]!
  return ~crc >>> 0
}
