import type { Corpus, DocumentEntry } from '../corpus/corpus.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { contentHash } from '../internal/hash.ts'
import { type ConformanceCase, check, checkAborts, checkEqual, checkThrows } from './conformance.ts'

/** How to make corpora to check. */
export interface CorpusConformanceOptions {
  /** A fresh, empty corpus for each case. */
  readonly create: () => Corpus | Promise<Corpus>
  /** Opens what a corpus stored once more; absent for one that stores nothing. */
  readonly reopen?: (corpus: Corpus) => Corpus | Promise<Corpus>
}

const space: EmbeddingSpace = { model: 'conformance', dimensions: 2, normalized: false }

/** A document of one chunk a line, with a vector made of the line's length and number. */
function entry(id: string, text: string, metadata: Readonly<Record<string, string>> = {}): DocumentEntry {
  const document = { id, text, metadata }
  let start = 0
  const chunks = text.split(/(?<=\n)/).map((line) => {
    const chunk = {
      id: contentHash(id, String(start), line),
      documentId: id,
      documentVersion: contentHash(text),
      text: line,
      start,
      end: start + line.length,
      metadata,
    }
    start += line.length
    return chunk
  })
  return { document, chunks, vectors: chunks.map((chunk, index) => Float32Array.of(chunk.text.length, index)) }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/**
 * The laws of {@link Corpus}, to be run in any test runner.
 *
 * @example
 * ```ts
 * import { memoryStorage, openCorpus } from 'groundline/corpus'
 * import { corpusConformance } from 'groundline/testing'
 *
 * const create = () => openCorpus({ storage: memoryStorage() })
 * for (const { name, run } of corpusConformance({ create })) test(name, run)
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function corpusConformance({ create, reopen }: CorpusConformanceOptions): readonly ConformanceCase[] {
  const law = (name: string, run: (corpus: Corpus) => Promise<void>): ConformanceCase => ({
    name,
    run: async () => run(await create()),
  })
  /** Runs a check on the corpus and on the same one opened again. */
  const onBoth = async (corpus: Corpus, run: (corpus: Corpus) => Promise<void>): Promise<void> => {
    await run(corpus)
    if (reopen) await run(await reopen(corpus))
  }
  return [
    law('documents, chunks and vectors come back as they went in', async (corpus) => {
      const one = entry('a', 'first\nsecond 🙂\n', { kind: 'x' })
      await corpus.commit({ put: [one], space })
      await onBoth(corpus, async (each) => {
        checkEqual(await each.document('a'), one.document, 'the document')
        checkEqual(await each.document('b'), undefined, 'an unknown document')
        const entries = await collect(each.entries())
        checkEqual(
          entries.map(({ chunk }) => chunk.text),
          ['first\n', 'second 🙂\n'],
          'the texts of the chunks',
        )
        checkEqual(
          entries.map(({ vector }) => vector),
          one.vectors,
          'the vectors',
        )
        const [found, missing] = await each.get([one.chunks[1]!.id, 'unknown'])
        checkEqual([found?.text, found?.start, found?.metadata], ['second 🙂\n', 6, { kind: 'x' }], 'a chunk by id')
        check(missing === undefined, 'an unknown chunk must be undefined')
        checkEqual(
          each.record('a')?.chunkIds,
          one.chunks.map(({ id }) => id),
          'the record',
        )
      })
    }),
    law('a commit says what it did, and info counts what is there', async (corpus) => {
      const first = await corpus.commit({ put: [entry('a', '1'), entry('b', '2')], space })
      checkEqual([first.added.toSorted(), first.changed, first.removed], [['a', 'b'], [], []], 'the first commit')
      const old = corpus.record('a')?.chunkIds
      const second = await corpus.commit({
        put: [entry('a', '3'), entry('c', '4\n5')],
        remove: ['b', 'unknown'],
        space,
      })
      checkEqual([second.added, second.changed, second.removed], [['c'], ['a'], ['b']], 'the second commit')
      check(second.version > first.version, 'versions must grow')
      check(
        (old ?? []).every((id) => second.removedChunkIds.includes(id)),
        'old chunks must be listed as removed',
      )
      await onBoth(corpus, async (each) => {
        const { documents, chunks, version } = each.info()
        checkEqual([documents, chunks, version], [2, 3, second.version], 'info')
        checkEqual(
          (await collect(each.documents())).map(({ id }) => id),
          ['a', 'c'],
          'documents in id order',
        )
      })
    }),
    law('a change that cannot be stored changes nothing', async (corpus) => {
      await corpus.commit({ put: [entry('a', 'kept')], space })
      const cut = entry('b', 'text')
      const wrong = { ...cut, chunks: cut.chunks.map((chunk) => ({ ...chunk, text: 'other' })) }
      const put = [entry('c', 'good')]
      await checkThrows(
        () => corpus.commit({ put: [...put, wrong], space }),
        'INVALID_DOCUMENT',
        'a chunk that is no slice',
      )
      await checkThrows(() => corpus.commit({ put: [...put, ...put], space }), 'DUPLICATE_ID', 'a document twice')
      const nan = { ...cut, vectors: [Float32Array.of(Number.NaN, 0)] }
      await checkThrows(() => corpus.commit({ put: [...put, nan], space }), 'INVALID_VECTOR', 'NaN in a vector')
      const other = { ...space, model: 'other' }
      await checkThrows(() => corpus.commit({ put, space: other }), 'SPACE_MISMATCH', 'another space')
      await checkThrows(() => corpus.commit({ put, space, expectedVersion: 99 }), 'CONFLICT', 'another version')
      await onBoth(corpus, async (each) =>
        checkEqual(
          (await collect(each.documents())).map(({ id }) => id),
          ['a'],
          'the documents',
        ),
      )
    }),
    law('aborted calls reject with the reason and leave the corpus usable', async (corpus) => {
      await corpus.commit({ put: [entry('a', 'text')], space })
      const id = entry('a', 'text').chunks[0]!.id
      await checkAborts((signal) => corpus.commit({ put: [entry('b', 'x')], space }, { signal }), 'commit')
      await checkAborts((signal) => corpus.get([id], { signal }), 'get')
      await checkAborts((signal) => corpus.document('a', { signal }), 'document')
      await checkAborts((signal) => collect(corpus.documents({ signal })), 'documents')
      await checkAborts((signal) => collect(corpus.entries({ signal })), 'entries')
      await corpus.commit({ put: [entry('b', 'y')], space })
      checkEqual(corpus.info().documents, 2, 'how many documents there are')
    }),
    law('a closed corpus is CLOSED', async (corpus) => {
      await corpus.close()
      await checkThrows(() => corpus.info(), 'CLOSED', 'info')
      await checkThrows(() => corpus.commit({ remove: ['a'] }), 'CLOSED', 'commit')
      await checkThrows(() => corpus.document('a'), 'CLOSED', 'document')
      await checkThrows(() => collect(corpus.entries()), 'CLOSED', 'entries')
    }),
  ]
}
