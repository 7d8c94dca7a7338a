import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readStaticModel } from '../../src/embedder/static-model.ts'
import { staticModelFile } from './static-model-file.ts'

const file = staticModelFile(
  ['a', 'word', '##s'],
  [
    [1, -2, 3],
    [127, 0, -127],
    [4, 5, 6],
  ],
)
const code = (bytes: Uint8Array) => {
  try {
    readStaticModel(bytes)
  } catch (error) {
    return (error as { code?: string }).code
  }
  return undefined
}

describe('readStaticModel', () => {
  it('reads what was written, wherever the bytes lie in their buffer', () => {
    const shifted = new Uint8Array(file.length + 1)
    shifted.set(file, 1)
    for (const bytes of [file, shifted.subarray(1)]) {
      const model = readStaticModel(bytes)
      expect(model.vocabulary).toEqual(['a', 'word', '##s'])
      expect(model.dimensions).toBe(3)
      expect([...model.rows]).toEqual([1, -2, 3, 127, 0, -127, 4, 5, 6])
      expect(model.scales).toEqual(Float32Array.of(0.01, 0.01, 0.01))
      expect(model.revision).toMatch(/^[0-9a-f]{16}$/)
    }
  })

  it('refuses other formats and versions by name', () => {
    expect(code(new Uint8Array(0))).toBe('UNSUPPORTED_FORMAT')
    expect(code(new TextEncoder().encode('<!doctype html>'.repeat(20)))).toBe('UNSUPPORTED_FORMAT')
    const newer = file.slice()
    newer[8] = 2
    expect(code(newer)).toBe('UNSUPPORTED_FORMAT')
  })

  it('never reads a truncated or lengthened file', () => {
    for (let length = 0; length < file.length; length++) expect(code(file.subarray(0, length))).toBeDefined()
    expect(code(new Uint8Array([...file, 0, 0, 0, 0]))).toBe('CORRUPT_DATA')
  })

  it('catches every flipped bit of the payload and of the counts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: file.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const flipped = file.slice()
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        // Bytes 28–63 hold a reserved word and the identity, which the checksum does not cover.
        if (at < 28 || at >= 64) expect(code(flipped)).toMatch(/CORRUPT_DATA|UNSUPPORTED_FORMAT/)
      }),
      { seed: 11, numRuns: 600 },
    )
  })
})
