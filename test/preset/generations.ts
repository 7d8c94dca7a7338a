import { type Chunker, characterCounter, recursiveChunker } from '../../src/chunker/index.ts'
import type { Document } from '../../src/document.ts'
import { type Embedder, lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { createRandom } from '../../src/testing/index.ts'

export const embedder: Embedder = lexicalHashEmbedder({ dimensions: 128 })
/** Needs no vocabulary, so that a bundled child has it. */
export const chunker: Chunker = recursiveChunker({ maxTokens: 600, counter: characterCounter() })

const words = [
  'keys',
  'rotate',
  'backup',
  'night',
  'vault',
  'door',
  'engine',
  'river',
  'stone',
  'paper',
  'cloud',
  'iron',
]

/** The same ids in each generation, every text another: ids, scores and texts of two generations differ. */
export function documentsOf(generation: number, count: number = 24): Document[] {
  return Array.from({ length: count }, (_, at) => {
    const random = createRandom(generation * 1_000 + at + 1)
    const length = 8 + random.below(400)
    const text = Array.from({ length }, () => words[random.below(words.length)]).join(' ')
    return { id: `d${at}`, text: `generation ${generation}. ${text}`, metadata: { access: ['ann'] } }
  })
}
