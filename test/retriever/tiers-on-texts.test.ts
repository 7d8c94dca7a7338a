import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Embedder, staticEmbedder, withDimensions } from '../../src/embedder/index.ts'
import { calibratedTieredRetriever, denseRetriever, memoryChunkStore } from '../../src/retriever/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'
import { chunkOf } from './pipeline.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const filesOf = (folder: string, ending: string) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => readFileSync(`${root}${folder}/${name}`, 'utf8'))

/** Paragraphs of the documentation, and what the comments in src say as questions: texts of one subject in two styles. */
function repository() {
  const sources = [
    readFileSync(`${root}CHANGELOG.md`, 'utf8'),
    ...filesOf('docs', '.md'),
    ...filesOf('test', '.test.ts'),
  ]
  const paragraphs = sources.flatMap((source) => source.split(/\n\s*\n|\n- /)).map((text) => text.trim())
  const comments = filesOf('src', '.ts').flatMap((source) =>
    Array.from(source.matchAll(/\/\*\*\s+\*?\s*([A-Z][^.\n*]{20,}[.\n])/g), ([, sentence]) => sentence!.trim()),
  )
  return {
    texts: Array.from(new Set(paragraphs.filter((text) => text.length > 40))),
    questions: Array.from(new Set(comments)).slice(0, 500),
  }
}

const eightBits = (vector: Float32Array) => {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  return vector.map((value) => Math.round((127 * value) / largest))
}

describe('calibratedTieredRetriever over the static model and the texts of this repository', async () => {
  const embedder = await staticEmbedder({ dimensions: 256 })
  const { texts, questions } = repository()
  const chunks = texts.map((text, i) => chunkOf(`c${i}`, text))
  const store = memoryChunkStore()
  store.put(chunks)
  const { vectors } = await embedder.embed(texts)
  const byId = new Map(chunks.map(({ id }, i) => [id, vectors[i]!]))
  const retrieverOver = async (small: Embedder, shorten: (vector: Float32Array) => Float32Array) => {
    const index = exactIndex({ dimensions: small.dimensions })
    await index.upsert(chunks.map(({ id }, i) => ({ id, vector: shorten(vectors[i]!) })))
    return denseRetriever({ index, embedder: small, store })
  }
  const quantised: Embedder = {
    ...embedder,
    embed: async (inputs, options) => {
      const embedding = await embedder.embed(inputs, options)
      return { ...embedding, vectors: embedding.vectors.map(eightBits) }
    },
  }

  it.each([
    ['64 of 256 components', withDimensions(embedder, 64), (vector: Float32Array) => vector.slice(0, 64)],
    ['8 bits a component', quantised, eightBits],
  ] as const)(
    'finds .99 of the exact ten with %s first, also for questions it never saw',
    async (_, small, shorten) => {
      const [exact, first] = [await retrieverOver(embedder, (vector) => vector), await retrieverOver(small, shorten)]
      const queries = questions.filter((__, i) => i % 2 === 0)
      const lookUp = async (ids: readonly string[]) => ids.map((id) => byId.get(id))
      const tiers = await calibratedTieredRetriever({ first, embedder, vectors: lookUp, exact, queries })
      expect(tiers.measured.recall).toBeGreaterThanOrEqual(0.99)
      expect(tiers.measured.queries).toBeGreaterThanOrEqual(250)
      const shares: number[] = []
      for (const question of questions.filter((__, i) => i % 2 === 1)) {
        const truth = (await exact.retrieve(question)).passages.map(({ id }) => id)
        const found = new Set((await tiers.retrieve(question)).passages.map(({ id }) => id))
        shares.push(truth.filter((id) => found.has(id)).length / truth.length)
      }
      const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
      const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length
      // Other questions than those it was measured with: three standard errors of room.
      expect(mean).toBeGreaterThan(0.99 - 3 * Math.sqrt(variance / shares.length))
    },
  )
})
