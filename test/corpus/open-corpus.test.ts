import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryStorage, openCorpus } from '../../src/corpus/index.ts'
import { collect, entryFor, space, textsOf, vectorFor } from './support.ts'

const doc = (id: string, text: string) => entryFor({ id, text })

describe('openCorpus', () => {
  test('an opened corpus writes nothing before its first commit', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    expect(corpus.info()).toEqual({ version: 0, documents: 0, chunks: 0, damage: [] })
    await corpus.commit({})
    await corpus.commit({ remove: ['unknown'] })
    expect(await storage.list('')).toEqual([])
  })

  test('a document, its chunks and vectors come back as they went in, here and after opening again', async () => {
    const storage = memoryStorage()
    const document = {
      id: 'a/../b?',
      text: 'Zürich 🙂 \ud800 lone, then more text over several chunks.\r\n',
      uri: 'file:///a',
      title: 'A title',
      metadata: { tags: ['x', 'y'], nested: { constructor: 1, toString: null } },
      outline: [{ kind: 'heading' as const, start: 0, end: 6, level: 1, label: 'Zürich' }],
      sourceMap: { pieces: [{ start: 0, end: 6, sourceStart: 2, sourceEnd: 8 }], lineStarts: [0] },
    }
    const entry = entryFor(document)
    const chunks = entry.chunks.map((chunk, index) => ({
      ...chunk,
      tokenCount: index,
      headingPath: ['Zürich'],
      metadata: { ...chunk.metadata, part: index },
    }))
    const corpus = await openCorpus({ storage })
    const commit = await corpus.commit({ put: [{ ...entry, chunks, scope: 's', revision: 'r', pipeline: 'p' }], space })
    expect(commit).toEqual({ version: 1, added: [document.id], changed: [], removed: [], removedChunkIds: [] })
    for (const opened of [corpus, await openCorpus({ storage, readOnly: true })]) {
      expect(await opened.document(document.id)).toEqual(document)
      const expected = chunks.map((chunk) => ({ ...chunk, source: { uri: 'file:///a', title: 'A title' } }))
      expect(await opened.get(chunks.map((chunk) => chunk.id))).toEqual(expected)
      expect(await opened.get(['unknown'])).toEqual([undefined])
      const entries = await collect(opened.entries())
      expect(entries.map(({ chunk }) => chunk)).toEqual(expected)
      expect(entries.map(({ vector }) => vector)).toEqual(entry.vectors)
      expect(opened.record(document.id)).toMatchObject({ scope: 's', revision: 'r', pipeline: 'p', title: 'A title' })
      const { holds, ...info } = opened.info()
      expect(info).toEqual({ version: 1, documents: 1, chunks: chunks.length, space, damage: [] })
      expect(holds).toBe(corpus.info().holds)
    }
  })

  test('any sequence of commits leaves what a map would hold, after every step and after opening again', async () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd')
    const change = fc.record({
      put: fc.uniqueArray(fc.tuple(id, fc.string({ maxLength: 60 })), { selector: ([name]) => name, maxLength: 3 }),
      remove: fc.uniqueArray(id, { maxLength: 2 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const storage = memoryStorage()
        const corpus = await openCorpus({ storage })
        const model = new Map<string, string>()
        for (const { put, remove } of changes) {
          const names = new Set(put.map(([name]) => name))
          const gone = remove.filter((name) => !names.has(name))
          const commit = await corpus.commit({ put: put.map(([name, text]) => doc(name, text)), remove: gone, space })
          expect([...commit.changed].sort()).toEqual([...names].filter((name) => model.has(name)).sort())
          expect([...commit.removed].sort()).toEqual(gone.filter((name) => model.has(name)).sort())
          for (const name of gone) model.delete(name)
          for (const [name, text] of put) model.set(name, text)
          expect(await textsOf(corpus)).toEqual(new Map([...model].sort()))
        }
        const again = await openCorpus({ storage })
        expect(await textsOf(again)).toEqual(new Map([...model].sort()))
        const entries = await collect(again.entries())
        for (const { chunk, vector } of entries) expect(vector).toEqual(vectorFor(chunk.text))
        expect(entries.map(({ chunk }) => chunk.id)).toEqual(
          (await collect(again.documents())).flatMap((r) => r.chunkIds),
        )
        expect(again.info().chunks).toBe(entries.length)
      }),
      { seed: 7, numRuns: 60 },
    )
  })

  test('two writers over one storage lose nothing of each other', async () => {
    const storage = memoryStorage()
    const [one, two] = [await openCorpus({ storage }), await openCorpus({ storage })]
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? one : two).commit({ put: [doc(`d${index}`, `text ${index}`)], space }),
      ),
    )
    await Promise.all([one.refresh(), two.refresh()])
    expect(await one.refresh()).toBe(false)
    expect(one.info()).toMatchObject({ version: 20, documents: 20 })
    expect(await textsOf(one)).toEqual(await textsOf(two))
  })

  test('a change on an outdated version is CONFLICT when it says which one it expects', async () => {
    const storage = memoryStorage()
    const [one, two] = [await openCorpus({ storage }), await openCorpus({ storage })]
    await one.commit({ put: [doc('a', '1')], space, expectedVersion: 0 })
    await expect(two.commit({ put: [doc('a', '2')], space, expectedVersion: 0 })).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect((await textsOf(one)).get('a')).toBe('1')
  })

  test('what cannot be stored is refused before anything is written', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const good = doc('good', 'text')
    const vector = Float32Array.of(1, 2, 3, 4)
    const bad: [string, object][] = [
      ['INVALID_DOCUMENT', { put: [doc('', 'x')] }],
      ['INVALID_DOCUMENT', { put: [doc('a\u0000', 'x')] }],
      ['INVALID_DOCUMENT', { put: [doc('a\u001b[0m', 'x')] }],
      ['INVALID_DOCUMENT', { put: [doc('\udc00', 'x')] }],
      ['INVALID_DOCUMENT', { put: [doc('x'.repeat(4096), 'x')] }],
      ['INVALID_DOCUMENT', { put: [{ ...good, chunks: good.chunks.map((chunk) => ({ ...chunk, text: 'tex!' })) }] }],
      ['INVALID_METADATA', { put: [entryFor({ id: 'm', text: '', metadata: JSON.parse('{"__proto__":{"x":1}}') })] }],
      ['INVALID_METADATA', { put: [{ ...good, document: { ...good.document, metadata: circle } }] }],
      ['INVALID_METADATA', { put: [{ ...good, document: { ...good.document, metadata: { f: () => 1 } } }] }],
      ['INVALID_METADATA', { put: [{ ...good, document: { ...good.document, metadata: { n: 1n } } }] }],
      ['INVALID_METADATA', { put: [{ ...good, document: { ...good.document, metadata: { n: Number.NaN } } }] }],
      ['INVALID_METADATA', { put: [{ ...good, document: { ...good.document, metadata: { d: new Date(0) } } }] }],
      ['DUPLICATE_ID', { put: [good, good] }],
      ['DUPLICATE_ID', { put: [good], remove: ['good'] }],
      ['DUPLICATE_ID', { put: [{ ...good, chunks: [good.chunks[0], good.chunks[0]], vectors: [] }] }],
      ['INVALID_VECTOR', { put: [{ ...good, vectors: [vector, vector] }] }],
      ['INVALID_VECTOR', { put: [{ ...good, vectors: [Float32Array.of(1, Number.NaN, 0, 0)] }] }],
      ['INVALID_VECTOR', { put: [{ ...good, vectors: [Float32Array.of(1, Number.POSITIVE_INFINITY, 0, 0)] }] }],
      ['DIMENSION_MISMATCH', { put: [{ ...good, vectors: [Float32Array.of(1)] }] }],
    ]
    for (const [code, change] of bad) {
      await expect(corpus.commit({ space, ...change }), JSON.stringify(Object.keys(change))).rejects.toMatchObject({
        code,
      })
    }
    await expect(corpus.commit({ put: [good] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await storage.list('')).toEqual([])
    await corpus.commit({ put: [good], space })
    const foreign = { ...doc('other', 'text'), chunks: [{ ...good.chunks[0]!, documentId: 'other' }] }
    await expect(corpus.commit({ put: [foreign], space })).rejects.toMatchObject({ code: 'DUPLICATE_ID' })
    await expect(corpus.commit({ put: [doc('b', 'b')], space: { ...space, model: 'x' } })).rejects.toMatchObject({
      code: 'SPACE_MISMATCH',
    })
    expect(corpus.info()).toMatchObject({ version: 1, documents: 1 })
  })

  test('a chunk may move from one document of a change to another', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const first = doc('a', 'moving')
    await corpus.commit({ put: [first], space })
    const moved = { ...doc('b', 'moving'), chunks: first.chunks.map((chunk) => ({ ...chunk, documentId: 'b' })) }
    await corpus.commit({ put: [moved, doc('a', 'else')], space })
    expect((await corpus.get([first.chunks[0]!.id]))[0]).toMatchObject({ documentId: 'b', text: 'moving' })
  })

  test('changing an object after it was stored changes nothing in the corpus', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const metadata = { tags: ['a'] }
    await corpus.commit({ put: [entryFor({ id: 'a', text: 'x', metadata })], space })
    metadata.tags.push('b')
    expect(corpus.record('a')?.metadata).toEqual({ tags: ['a'] })
  })

  test('a closed corpus is CLOSED and a read-only one READ_ONLY', async () => {
    const storage = memoryStorage()
    const absent = openCorpus({ storage, readOnly: true })
    await expect(absent).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await (await openCorpus({ storage })).commit({ put: [doc('a', '1')], space })
    const corpus = await openCorpus({ storage, readOnly: true })
    await expect(corpus.commit({ remove: ['a'] })).rejects.toMatchObject({ code: 'READ_ONLY' })
    await corpus.close()
    await expect(corpus.get(['a'])).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(collect(corpus.documents())).rejects.toMatchObject({ code: 'CLOSED' })
    expect(() => corpus.info()).toThrow('closed')
  })

  test('an aborted commit rejects with the reason and leaves the corpus usable', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const reason = new Error('enough')
    await expect(corpus.commit({ put: [doc('a', '1')], space }, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    await corpus.commit({ put: [doc('a', '2')], space })
    expect(await textsOf(corpus)).toEqual(new Map([['a', '2']]))
  })
})
