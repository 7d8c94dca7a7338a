import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Chunker, characterCounter, chunkNotes } from '../../src/chunker/index.ts'
import type { Chunk, Document } from '../../src/index.ts'
import { oddCounters, realCounters } from './counters.ts'
import type { TestLimits } from './every-chunker.ts'
import { graphemeBoundaries, hostileText, indivisible, lawRuns, lawTimeout } from './hostile-text.ts'

/** Everything a chunker gives. */
export async function chunksOf(chunker: Chunker, document: Document): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of chunker.chunk(document)) chunks.push(chunk)
  return chunks
}

const limits: fc.Arbitrary<Required<TestLimits>> = fc
  .record({
    maxTokens: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 5, max: 200 })),
    share: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.95, noNaN: true })),
    counter: fc.constantFrom(characterCounter(), ...oddCounters, ...realCounters),
  })
  .map(({ maxTokens, share, counter }) => ({
    maxTokens,
    overlap: Math.min(maxTokens - 1, Math.floor(maxTokens * share)),
    counter,
  }))

/** What a chunker's laws are checked on. */
export interface LawOptions {
  /** Documents of its own kind. Default: hostile plain texts. */
  readonly documents?: fc.Arbitrary<Document>
  /** Makes a document of each, such as a loader of its text. */
  readonly load?: (document: Document) => Document | Promise<Document>
  /** How many cases. Default: {@link lawRuns}. */
  readonly runs?: number
  /** For chunkers that never overlap. */
  readonly onlyOverlap?: 0
}

/** The laws B1 to B5 that every chunker keeps, as property tests. */
export function describeLaws(
  name: string,
  create: (limits: Required<TestLimits>) => Chunker,
  options: LawOptions = {},
): void {
  const { documents = hostileText.map((text) => ({ id: 'doc', text })), load = (document) => document } = options
  test(`${name}: slices are exact, cover the text, keep the limit and cut no grapheme`, {
    timeout: lawTimeout,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(documents, limits, async (drawnDocument, drawn) => {
        const drawnLimits = options.onlyOverlap === undefined ? drawn : { ...drawn, overlap: options.onlyOverlap }
        const document = await load(drawnDocument)
        const { text } = document
        const chunks = await chunksOf(create(drawnLimits), document)
        const boundaries = graphemeBoundaries(text)
        let covered = 0
        let lastStart = -1
        for (const chunk of chunks) {
          expect(chunk.text).toBe(text.slice(chunk.start, chunk.end))
          expect(chunk.start).toBeLessThanOrEqual(covered)
          expect(chunk.start).toBeGreaterThan(lastStart)
          expect(chunk.end).toBeGreaterThan(covered)
          if (drawnLimits.overlap === 0) expect(chunk.start).toBe(covered)
          expect(boundaries.has(chunk.start) && boundaries.has(chunk.end)).toBe(true)
          const tokens = drawnLimits.counter.count(chunk.text)
          expect(chunk.tokenCount).toBe(tokens)
          if (tokens > drawnLimits.maxTokens) {
            expect(chunkNotes(chunk).oversize).toBe(true)
            expect(graphemeBoundaries(chunk.text).size).toBe(2)
          } else expect(chunkNotes(chunk).oversize).toBeUndefined()
          covered = chunk.end
          lastStart = chunk.start
        }
        expect(covered).toBe(text.length)
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length)
        const again = await chunksOf(create(drawnLimits), document)
        expect(again).toEqual(chunks)
      }),
      { numRuns: options.runs ?? lawRuns, seed: 20_261_122 },
    )
  })
  test(`${name}: no sequence is cut, wherever the limit falls`, async () => {
    for (const sequence of indivisible) {
      for (const maxTokens of [sequence.length, sequence.length + 7]) {
        for (let before = 0; before <= maxTokens; before += 1) {
          const text = `${'a'.repeat(before)}${sequence}${sequence}b${sequence}`
          const document = await load({ id: 'doc', text })
          const boundaries = graphemeBoundaries(document.text)
          const chunker = create({ maxTokens, overlap: 0, counter: characterCounter() })
          for (const { start, end } of await chunksOf(chunker, document))
            expect(boundaries.has(start) && boundaries.has(end)).toBe(true)
        }
      }
    }
  })
}
