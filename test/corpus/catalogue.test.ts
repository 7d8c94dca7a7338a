import { describe, expect, test } from 'vitest'
import { type ChunkRow, decodeCatalogue, encodeCatalogue, type NewRow } from '../../src/corpus/catalogue.ts'
import { placeHash } from '../../src/internal/hashed-places.ts'
import { createRandom } from '../../src/testing/index.ts'

const BASE = 40_000
const OVERHEAD = 12

function rowsOf(seed: number): NewRow[] {
  const random = createRandom(seed)
  return Array.from({ length: random.below(30) }, (_, at): NewRow => {
    const chunks = Array.from({ length: random.below(5) }, (_, index): ChunkRow => {
      const id = `${at} ${'ä𝒳\n'.repeat(random.below(2))}${index}`
      return random.below(2) ? [id, index, index + 1] : [id, index, index + 1, 7, ['h'], { metadata: { n: index } }]
    })
    const body = {
      id: `dokument ${at} ${'ö'.repeat(random.below(4))}`,
      version: `v${at}`,
      fingerprint: `f${at}`,
      chunks,
    }
    return {
      body: random.below(2) ? body : { ...body, metadata: { tags: ['x', 'ü'] }, origin: 'segments/a:1' },
      length: OVERHEAD + random.below(5_000),
      vectorsLength: chunks.length === 0 || random.below(4) === 0 ? 0 : OVERHEAD + chunks.length * 16,
    }
  })
}

/** As format 1 wrote it: places from the end of the first copy, documents first. */
function firstFormat(rows: readonly NewRow[], removed: readonly string[]): Uint8Array {
  let end = 0
  const place = (length: number) => {
    end += length
    return { offset: end - length, length }
  }
  const ats = rows.map(({ length }) => place(length))
  const listed = rows.map(({ body, vectorsLength }, at) => ({
    ...body,
    at: ats[at],
    ...(vectorsLength > 0 && { vectorsAt: place(vectorsLength) }),
  }))
  return new TextEncoder().encode(JSON.stringify({ rows: listed, removed }))
}

describe('catalogues', () => {
  test('give back rows, places, removals and chunks, in both formats, at any position in memory', () => {
    for (let seed = 0; seed < 60; seed++) {
      const rows = rowsOf(seed)
      const removed = seed % 3 === 0 ? ['gone', 'ä'] : []
      const record = encodeCatalogue(rows, removed)
      const shifted = new Uint8Array(record.length + 3).subarray(seed % 4, (seed % 4) + record.length)
      shifted.set(record)
      const read = [
        decodeCatalogue(shifted, BASE),
        decodeCatalogue(firstFormat(rows, removed), BASE),
        decodeCatalogue(
          record,
          BASE,
          rows.map(({ body }) => body),
        ),
      ]
      for (const catalogue of read) {
        expect(catalogue.removed).toEqual(removed)
        expect(catalogue.rows.map(({ id, body, chunkCount }) => [id, body, chunkCount])).toEqual(
          rows.map(({ body }) => [body.id, body, body.chunks.length]),
        )
        let offset = BASE
        for (const [at, { length }] of rows.entries()) {
          expect(catalogue.rows[at]!.at).toEqual({ offset, length })
          offset += length
        }
        for (const [at, { vectorsLength }] of rows.entries()) {
          const expected = vectorsLength === 0 ? undefined : { offset, length: vectorsLength }
          expect(catalogue.rows[at]!.vectorsAt).toEqual(expected)
          offset += vectorsLength
        }
        for (const [at, { body }] of rows.entries())
          for (const [index, [id]] of body.chunks.entries())
            expect(catalogue.chunk(id, placeHash(id))).toEqual({ row: catalogue.rows[at], index })
        expect(catalogue.chunk('nobody', placeHash('nobody'))).toBeUndefined()
        // Ids that share a hash are told apart.
        const other = rows.flatMap(({ body }) => body.chunks)[0]?.[0]
        if (other !== undefined) expect(catalogue.chunk('nobody', placeHash(other))).toBeUndefined()
      }
    }
  })
})
