import {
  type DocumentEntry,
  openCorpus,
  type Storage,
  servedFiles,
  type VersionedCorpus,
} from '../../src/corpus/index.ts'
import type { Metadata } from '../../src/document.ts'
import type { EmbeddingSpace } from '../../src/embedder/index.ts'
import { contentHash } from '../../src/internal/hash.ts'
import { lexicalIndex } from '../../src/lexical-index/index.ts'
import { fileStorage } from '../../src/node/index.ts'
import { type DerivedIndexes, derivedIndexes } from '../../src/preset/derived-indexes.ts'
import { servedAnswers } from '../../src/preset/served-answers.ts'
import { type UsearchIndex, usearchIndex } from '../../src/providers/usearch/index.ts'
import { createRandom } from '../../src/testing/index.ts'

export const dimensions: number = 96
export const space: EmbeddingSpace = { model: 'test', dimensions, normalized: true }
const axes = Array.from({ length: 8 }, (_, axis) => {
  const random = createRandom(900 + axis)
  return Float32Array.from({ length: dimensions }, () => random.next() - 0.5)
})

/** Few degrees of freedom in many dimensions: a graph finds neighbours there for less than a scan costs. */
export function vectorOf(seed: number): Float32Array {
  const random = createRandom(seed)
  const weights = axes.map(() => random.next() - 0.5)
  const vector = Float32Array.from({ length: dimensions }, (_, at) =>
    axes.reduce((sum, axis, which) => sum + axis[at]! * weights[which]!, (random.next() - 0.5) * 0.02),
  )
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

export function entryOf(id: string, seed: number): DocumentEntry {
  const text = `text ${seed}`
  const document = { id, text }
  const place = { documentId: id, documentVersion: contentHash(text), start: 0, end: text.length }
  const chunk = { id: `${id}#0`, ...place, text, metadata: { seed: seed % 5 } }
  return { document, chunks: [chunk], vectors: [vectorOf(seed)] }
}

/** A corpus with its indexes, as the preset puts them together. */
export interface Opened {
  readonly corpus: VersionedCorpus
  readonly indexes: DerivedIndexes<Metadata>
  index(): Promise<UsearchIndex<Metadata>>
  close(): Promise<void>
}

/** Opens a folder; workers run the built script. */
export async function openServed(
  folder: string,
  workerUrl: URL | string,
  { now, storage = fileStorage(folder) }: { readonly now?: () => number; readonly storage?: Storage } = {},
): Promise<Opened> {
  const corpus = await openCorpus({ storage })
  const files = servedFiles(storage, now)!
  const made: UsearchIndex<Metadata>[] = []
  const vectors = async (onServing: () => void) => {
    const kept = { directory: files.folder, superseded: 'kept', onServing } as const
    const index = await usearchIndex({
      dimensions,
      space,
      exactBelow: 150,
      recall: 0.95,
      connectivity: 4,
      expansionAdd: 16,
      workerUrl,
      ...kept,
    })
    made.push(index)
    return index
  }
  const indexes = derivedIndexes(
    corpus,
    { vectors, words: async () => lexicalIndex() },
    undefined,
    servedAnswers(corpus, files),
  )
  return {
    corpus,
    indexes,
    index: async () => {
      await indexes.current()
      return made.at(-1)!
    },
    close: async () => {
      await indexes.close()
      await corpus.close()
    },
  }
}

export interface Answers {
  /** Ids, scores, and how each search went: candidates asked for, entries scanned. */
  readonly matches: unknown
  readonly graphs: number
}

/** What searches answer, and how many of them by a graph. */
export async function answersOf(opened: Opened): Promise<Answers> {
  const index = await opened.index()
  const matches: unknown[] = []
  let graphs = 0
  for (let query = 0; query < 40; query++) {
    const filter = query % 5 === 4 ? ({ op: 'in', path: ['seed'], values: [0, 1, 2, 3] } as const) : undefined
    const explain = (note: string) => {
      if (note.startsWith('graph')) graphs++
      matches.push(note)
    }
    const found = await index.search(vectorOf(50_000 + query), { topK: 1 + (query % 12), filter, explain })
    matches.push(found.map(({ id, score }) => [id, score]))
  }
  return { matches, graphs }
}

/** The same once nothing is being built: what the version answers from then on. */
export async function settledAnswers(opened: Opened): Promise<Answers> {
  const index = await opened.index()
  const { graphNodes, entries } = index.stats()
  if (graphNodes === 0 && entries >= 150) await index.build()
  await index.settled()
  return answersOf(opened)
}

export async function put(
  opened: Opened,
  entries: readonly DocumentEntry[],
  remove: readonly string[] = [],
): Promise<void> {
  const change = { put: entries, remove, space }
  const commit = await opened.corpus.commit(change)
  await opened.indexes.follow(commit, change as never)
}
