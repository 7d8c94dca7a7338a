import type { Corpus, DocumentEntry } from '../../src/corpus/index.ts'
import type { Document, Metadata } from '../../src/document.ts'
import type { EmbeddingSpace } from '../../src/embedder/embedder.ts'
import { contentHash } from '../../src/internal/hash.ts'
import type { StoredChunk } from '../../src/retriever/retriever.ts'

export const space: EmbeddingSpace = { model: 'test', dimensions: 4, normalized: false }

/** A deterministic vector of a text. */
export function vectorFor(text: string, dimensions: number = space.dimensions): Float32Array {
  const digest = contentHash(text)
  return Float32Array.from(
    { length: dimensions },
    (_, index) => Number.parseInt(digest.slice(index, index + 4), 16) / 65_536,
  )
}

/** Cuts a document into slices of `size` units, with ids made of the document's id and the start. */
export function chunksOf<M extends Metadata>(document: Document<M>, size: number = 20): StoredChunk<M>[] {
  const chunks: StoredChunk<M>[] = []
  for (let start = 0; start < document.text.length; start += size) {
    const end = Math.min(document.text.length, start + size)
    chunks.push({
      id: contentHash(document.id, String(start), document.text.slice(start, end)),
      documentId: document.id,
      documentVersion: contentHash(document.text),
      text: document.text.slice(start, end),
      start,
      end,
      metadata: document.metadata ?? ({} as M),
    })
  }
  return chunks
}

/** An entry with chunks and vectors. */
export function entryFor<M extends Metadata>(document: Document<M>): DocumentEntry<M> {
  const chunks = chunksOf(document)
  return { document, chunks, vectors: chunks.map((chunk) => vectorFor(chunk.text)) }
}

/** All texts of a corpus by id. */
export async function textsOf(corpus: Corpus): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for await (const { id } of corpus.documents()) texts.set(id, (await corpus.document(id))!.text)
  return texts
}

/** Everything an async iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
