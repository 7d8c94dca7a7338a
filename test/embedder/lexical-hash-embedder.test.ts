import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { embedderConformance } from '../../src/testing/index.ts'

const embedder = lexicalHashEmbedder()
const cosine = async (a: string, b: string): Promise<number> => {
  const [one, other] = (await embedder.embed([a, b])).vectors
  return one?.reduce((sum, component, index) => sum + component * (other?.[index] ?? 0), 0) ?? Number.NaN
}

describe('lexicalHashEmbedder', () => {
  for (const { name, run } of embedderConformance({ create: () => lexicalHashEmbedder(), tolerance: 0 })) it(name, run)

  it('puts texts that share words, inflections or spellings closer than texts that do not', async () => {
    expect(await cosine('rotate the signing keys', 'signing key rotation')).toBeGreaterThan(0.4)
    expect(await cosine('rotate the signing keys', 'the harbour at dusk')).toBeLessThan(0.2)
    expect(await cosine('normalisation', 'normalization')).toBeGreaterThan(0.15)
  })

  it('lets rare words decide, not the commonest', async () => {
    expect(await cosine('the keyring of the system', 'keyring')).toBeGreaterThan(0.7)
    expect(await cosine('the keyring of the', 'the harbour of the')).toBeLessThan(0.2)
  })

  it('gives a unit vector for any text at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (text) => {
        const [vector] = (await embedder.embed([text])).vectors
        const squares = vector?.reduce((sum, component) => sum + component * component, 0) ?? 0
        expect(Math.abs(squares - 1)).toBeLessThan(1e-5)
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('never changes its vectors without changing its revision', async () => {
    const [vector] = (await lexicalHashEmbedder({ dimensions: 64 }).embed(['Rotate the keys, again: 東京 e\u0301.']))
      .vectors
    const digest = vector?.reduce((sum, component, index) => sum + component * (index + 1), 0) ?? 0
    expect(embedder.space.revision).toBe('1')
    expect(digest).toBeCloseTo(DIGEST, 3)
  })

  it('is linear in long words and long texts', async () => {
    const started = performance.now()
    await embedder.embed(['a'.repeat(1_000_000), 'ab '.repeat(300_000), '字'.repeat(300_000)])
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('refuses dimensions out of range', () => {
    for (const dimensions of [0, 63, 1.5, Number.NaN, 65_537]) {
      expect(() => lexicalHashEmbedder({ dimensions })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })
})

/** Recorded from revision 1. */
const DIGEST = 37.02956
