import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recursiveChunker } from '../../src/chunker/index.ts'
import { type Corpus, memoryStorage, openCorpus } from '../../src/corpus/index.ts'
import type { Document, Metadata } from '../../src/document.ts'
import { isGroundlineError } from '../../src/errors.ts'
import { canonicalJson, contentHash } from '../../src/internal/hash.ts'
import { scaled } from './scale.ts'

const nasty = [
  ...['', '.', '..', '../up', 'a/b', '/etc/passwd', 'C:\\x', 'CON', 'nul.txt', '%2e%2e', 'a\u0000b', '\u001b[0m', ' '],
  ...[
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    '\ud800',
    'x\udc00',
    '\ufeff',
    'é',
    'e\u0301',
    '👩‍👩‍👧',
  ],
]
const word = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  // Code units one by one: lone surrogates among them.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
)
const id = fc.oneof({ weight: 3, arbitrary: word }, { weight: 1, arbitrary: fc.constant('x'.repeat(4096)) })
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(word, fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(-0)),
    fc.constantFrom<unknown>(
      undefined,
      1n,
      Symbol('s'),
      () => 1,
      new Date(0),
      new Map(),
      Number.NaN,
      new Uint8Array(2),
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 3, noNullPrototype: false }),
  ),
})).value
const text = fc.oneof(
  word,
  fc.array(word, { maxLength: 20 }).map((words) => words.join('\r\n')),
)
const document = fc.record(
  { id, text, metadata: fc.dictionary(word, value, { maxKeys: 4 }), title: word, uri: word },
  { requiredKeys: ['id', 'text'] },
)

/** Metadata as it reads back: without undefined members, -0 as 0, the way JSON has them. */
const asStored = (metadata: unknown): unknown => JSON.parse(JSON.stringify(metadata ?? {}))

const count = scaled({ quick: 1_500, short: 10_000, full: 100_000 })
test(`${count} random documents read back as they went in or fail with a typed error, and no two share an id`, async () => {
  const chunker = recursiveChunker({ maxTokens: 8 })
  let storage = memoryStorage()
  let corpus: Corpus = await openCorpus({ storage })
  let expected = new Map<string, Document>()
  const owners = new Map<string, string>()
  let [stored, refused] = [0, 0]
  const verify = async () => {
    const opened = await openCorpus({ storage })
    for (const [key, { text: whole, title, uri, metadata }] of expected) {
      const read = await opened.document(key)
      expect(read).toMatchObject({ id: key, text: whole })
      expect([read!.title, read!.uri, canonicalJson(read!.metadata ?? {})]).toEqual([
        title,
        uri,
        canonicalJson(asStored(metadata) as Metadata),
      ])
      const { chunkIds } = opened.record(key)!
      const chunks = await opened.get(chunkIds)
      expect(chunks.map((chunk) => chunk!.text).join('')).toBe(whole)
    }
    expect(opened.info()).toMatchObject({ documents: expected.size, damage: [] })
  }
  const before = Object.getOwnPropertyNames(Object.prototype)
  await fc.assert(
    fc.asyncProperty(document, async (random) => {
      const made = random as Document
      try {
        const chunks = []
        for (const chunk of chunker.chunk(made) as Iterable<{ id: string }>) chunks.push(chunk)
        await corpus.commit({ put: [{ document: made, chunks: chunks as never, vectors: [] }] })
        for (const chunk of chunks) {
          // One chunk id, one document: over every corpus of the run.
          expect(owners.get(chunk.id) ?? made.id).toBe(made.id)
          owners.set(chunk.id, made.id)
        }
        expected.set(made.id, made)
        stored++
      } catch (error) {
        if (!isGroundlineError(error)) throw error
        expect(error.message).not.toBe('')
        refused++
      }
      if (expected.size >= 200) {
        await verify()
        storage = memoryStorage()
        corpus = await openCorpus({ storage })
        expected = new Map()
      }
    }),
    { seed: 20, numRuns: count, endOnFailure: true },
  )
  await verify()
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
  // Neither side is empty: the law is about both.
  expect(Math.min(stored, refused)).toBeGreaterThan(count / 20)
}, 1_800_000)

test('texts that differ in a lone surrogate only have other hashes', () => {
  const hashes = ['\ud800', '\ud801', '\udc00', '\ufffd', '\ud800\udc00', '\u0000"\\ud800"'].map((each) =>
    contentHash(each),
  )
  expect(new Set(hashes).size).toBe(hashes.length)
})
