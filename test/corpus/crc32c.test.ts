import { expect, test } from 'vitest'
import { crc32c } from '../../src/corpus/crc32c.ts'
import { createRandom } from '../../src/testing/random.ts'

/** The definition: bit by bit. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

test('the check value of CRC-32C', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
})

test('every length and alignment gives the remainder of the definition, in one go or in two', () => {
  const random = createRandom(7)
  const memory = Uint8Array.from({ length: 160 }, () => random.below(256))
  for (let offset = 0; offset < 9; offset++) {
    for (let length = 0; length < 140; length++) {
      const bytes = memory.subarray(offset, offset + length)
      const expected = bitwise(bytes)
      expect(crc32c(bytes)).toBe(expected)
      const cut = length >> 1
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(expected)
    }
  }
})
