import { type Embedder, lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { lexicalIndex } from '../../src/lexical-index/index.ts'
import {
  denseRetriever,
  lexicalRetriever,
  type MemoryChunkStore,
  memoryChunkStore,
  type Retriever,
  type StoredChunk,
} from '../../src/retriever/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'

/** Both legs over the same chunks. */
export interface Legs {
  readonly store: MemoryChunkStore
  readonly lexical: Retriever
  readonly dense: Retriever
}

export async function legsOver(
  chunks: readonly StoredChunk[],
  embedder: Embedder = lexicalHashEmbedder(),
): Promise<Legs> {
  const store = memoryChunkStore()
  store.put(chunks)
  const words = lexicalIndex()
  await words.upsert(chunks)
  const vectors = exactIndex({ dimensions: embedder.dimensions, space: embedder.space })
  const embedding = await embedder.embed(chunks.map(({ text }) => text))
  await vectors.upsert(chunks.map(({ id, metadata }, i) => ({ id, metadata, vector: embedding.vectors[i]! })))
  return {
    store,
    lexical: lexicalRetriever({ index: words, store }),
    dense: denseRetriever({ index: vectors, embedder, store }),
  }
}

export function chunkOf(id: string, text: string, rest: Partial<StoredChunk> = {}): StoredChunk {
  return {
    id,
    documentId: `document of ${id}`,
    documentVersion: 'v1',
    text,
    start: 0,
    end: text.length,
    metadata: {},
    ...rest,
  }
}
