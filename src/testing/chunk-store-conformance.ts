import type { ChunkStore, StoredChunk } from '../retriever/retriever.ts'
import { type ConformanceCase, checkAborts, checkEqual } from './conformance.ts'

/** What the cases need to know of an implementation. */
export interface ChunkStoreConformanceOptions {
  /** Makes a store that holds the chunks. */
  readonly create: (chunks: readonly StoredChunk[]) => Promise<ChunkStore> | ChunkStore
}

/** The laws of {@link ChunkStore}. */
// @__NO_SIDE_EFFECTS__
export function chunkStoreConformance(options: ChunkStoreConformanceOptions): readonly ConformanceCase[] {
  const chunks = ['a', 'b', '__proto__'].map((id, i) => chunk(id, `text ${i}`))
  return [
    {
      name: 'gives one entry an id, in the order of the ids, undefined where there is none',
      run: async () => {
        const store = await options.create(chunks)
        const found = await store.get(['b', 'constructor', 'a', 'b', '__proto__'])
        checkEqual(
          found.map((each) => each?.text ?? null),
          ['text 1', null, 'text 0', 'text 1', 'text 2'],
          'texts',
        )
        checkEqual(await store.get([]), [], 'no ids')
      },
    },
    {
      name: 'gives chunks back as they were put in',
      run: async () => {
        const store = await options.create(chunks)
        const [found] = await store.get(['a'])
        const { id, documentId, documentVersion, text, start, end, metadata } = chunks[0]!
        checkEqual(
          found && [
            found.id,
            found.documentId,
            found.documentVersion,
            found.text,
            found.start,
            found.end,
            found.metadata,
          ],
          [id, documentId, documentVersion, text, start, end, metadata],
          'the chunk',
        )
      },
    },
    {
      name: 'takes an aborted signal at its word',
      run: async () => {
        const store = await options.create(chunks)
        await checkAborts((signal) => store.get(['a'], { signal }), 'get')
      },
    },
  ]
}

function chunk(id: string, text: string): StoredChunk {
  return {
    id,
    documentId: `document of ${id}`,
    documentVersion: 'v1',
    text,
    start: 0,
    end: text.length,
    metadata: { lang: 'en' },
    source: { uri: `file:///${id}` },
  }
}
