import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentHash, portableSha256Hex, sha256Hex } from '../../src/internal/hash.ts'

test("the runtime's own SHA-256 and the portable one give the same digits, lone surrogates included", () => {
  expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.uint8Array({ maxLength: 300 })),
      (content) => {
        expect(sha256Hex(content)).toBe(portableSha256Hex(content))
      },
    ),
    { numRuns: 500, seed: 20_261_125 },
  )
  expect(sha256Hex('a\ud83d')).toBe(portableSha256Hex('a\ufffd'))
})

test('lists that join alike hash apart, and so do texts that UTF-8 cannot tell apart', () => {
  expect(contentHash('ab', 'c')).not.toBe(contentHash('a', 'bc'))
  expect(contentHash('\ud83d')).not.toBe(contentHash('\ufffd'))
  expect(contentHash('\ud83d')).not.toBe(contentHash('\udc69'))
})
