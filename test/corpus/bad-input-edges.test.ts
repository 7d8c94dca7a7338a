import { describe, expect, test } from 'vitest'
import type { Chunker } from '../../src/chunker/chunker.ts'
import { checksumSealer } from '../../src/corpus/checksum-sealer.ts'
import { asDamage } from '../../src/corpus/corpus-state.ts'
import {
  compareSpaces,
  type DocumentEntry,
  findPrivateText,
  iterableSource,
  type KeyProvider,
  memoryStorage,
  nearDuplicates,
  openCorpus,
  openKeyring,
  openTenants,
  planSync,
  type Storage,
  scanCorpus,
  syncCorpus,
} from '../../src/corpus/index.ts'
import { manifestName, readManifest } from '../../src/corpus/manifest.ts'
import { openSegment, vectorsOf } from '../../src/corpus/segment.ts'
import type { Document } from '../../src/document.ts'
import { GroundlineError } from '../../src/errors.ts'
import type { LoaderInput } from '../../src/loader/loader.ts'
import { localKey, nodeCipher } from '../../src/node/index.ts'
import { chunksOf, entryFor, space, textsOf, vectorFor } from './support.ts'

const cipher = nodeCipher()
const keyOf = (byte: number): KeyProvider => localKey(new Uint8Array(32).fill(byte))

/** The storage with one file's bytes changed. */
async function withFile(storage: Storage, name: string, change: (bytes: Uint8Array) => Uint8Array): Promise<Storage> {
  const changed = memoryStorage()
  for (const each of await storage.list('')) {
    const bytes = await storage.read(each)
    await changed.writeNew(each, each === name ? change(bytes) : bytes)
  }
  return changed
}

/** The storage, failing to publish. */
const unpublishable = (storage: Storage, error: Error): Storage => ({
  ...storage,
  publish: async () => {
    throw error
  },
})

/** A corpus of one document, and where it is. */
async function oneDocument(): Promise<Storage> {
  const storage = memoryStorage()
  await (await openCorpus({ storage })).commit({ put: [entryFor({ id: 'a', text: 'some text' })], space })
  return storage
}

describe('an entry that cannot be stored', () => {
  const good = entryFor({ id: 'doc', text: 'a text of some forty units, cut in slices' })
  const [first, ...others] = good.chunks
  const withFirst = (change: object) => ({ ...good, chunks: [{ ...first, ...change }, ...others] })
  const withDocument = (change: object) => ({ ...good, document: { ...good.document, ...change } })
  const cases: readonly [name: string, entry: object, code: string, message: RegExp][] = [
    ['a text that is a number', withDocument({ text: 7 }), 'INVALID_DOCUMENT', /"doc".*text must be a string/],
    ['a uri that is an object', withDocument({ uri: {} }), 'INVALID_DOCUMENT', /"doc".*uri must be a string/],
    ['a title that is a number', withDocument({ title: 1 }), 'INVALID_DOCUMENT', /"doc".*title must be a string/],
    ['metadata that are an array', withDocument({ metadata: [] }), 'INVALID_METADATA', /"doc" must be an object/],
    ['a chunk of another document', withFirst({ documentId: 'x' }), 'INVALID_DOCUMENT', /belongs to document "x"/],
    ['chunks of two versions', withFirst({ documentVersion: 'v' }), 'INVALID_DOCUMENT', /another version of the text/],
    ['a chunk that is no slice', withFirst({ start: 1 }), 'INVALID_DOCUMENT', /is not the slice 1–20/],
    ['a chunk twice', { ...good, chunks: [first, first] }, 'DUPLICATE_ID', /is twice in document "doc"/],
    ['too few vectors', { ...good, vectors: [vectorFor('x')] }, 'INVALID_VECTOR', /3 chunks and 1 vectors/],
    [
      'vectors of two lengths',
      { ...good, vectors: [vectorFor('x', 4), vectorFor('y', 5), vectorFor('z', 4)] },
      'DIMENSION_MISMATCH',
      /vector 1 of document "doc" has 5 dimensions, the others 4/,
    ],
    ['a date that is none', { ...good, expires: 'soon' }, 'INVALID_DOCUMENT', /expires must be an ISO 8601 date/],
  ]

  test.each(cases)('is refused with its name: %s', async (_, entry, code, message) => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const refused = corpus.commit({ put: [entry as DocumentEntry], space })
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(corpus.info()).toMatchObject({ version: 0, documents: 0 })
  })

  test('headings and token counts of chunks come back; undefined members of metadata do not', async () => {
    const storage = memoryStorage()
    const document = { id: 'doc', text: 'text', metadata: { kept: 1, gone: undefined } }
    // @ts-expect-error a member that JSON cannot hold
    const [chunk] = chunksOf(document, 20)
    const headed = { ...chunk!, headingPath: ['One', 'Two'] }
    const counted = { ...chunk!, id: 'counted', tokenCount: 3 }
    // @ts-expect-error as above
    await (await openCorpus({ storage })).commit({ put: [{ document, chunks: [headed, counted], vectors: [] }] })
    const corpus = await openCorpus({ storage })
    const [one, two] = await corpus.get([chunk!.id, 'counted'])
    expect(one).toMatchObject({ headingPath: ['One', 'Two'], metadata: { kept: 1 } })
    expect(one).not.toHaveProperty('tokenCount')
    expect(two).toMatchObject({ tokenCount: 3 })
    expect(Object.keys(two!.metadata)).toEqual(['kept'])
  })
})

describe('a file that is not what was written', () => {
  test('a manifest cut at any length is damaged, with its name, and never read by half', async () => {
    const storage = await oneDocument()
    const name = manifestName(1)
    const { length } = await storage.read(name)
    for (const left of [0, 10, 39, 40, 41, 47, 48, 60]) {
      const cut = await withFile(storage, name, (bytes) => bytes.slice(0, left))
      await expect(readManifest(cut, 1, checksumSealer()), `${left} bytes`).rejects.toMatchObject({
        code: 'CORRUPT_DATA',
        message: expect.stringContaining(name),
      })
    }
    const first = await withFile(storage, name, (bytes) => bytes.slice(0, length - 1))
    expect(await readManifest(first, 1, checksumSealer())).toMatchObject({ version: 1, action: 'commit' })
  })

  test('files with other names in the folders of manifests and keys are left alone', async () => {
    const storage = memoryStorage()
    await storage.writeNew('keys/readme.txt', new Uint8Array(1))
    const { sealer } = await openKeyring({ storage, cipher, keyProvider: keyOf(1) })
    const corpus = await openCorpus({ storage, sealer })
    await storage.writeNew('manifests/readme.txt', new Uint8Array(1))
    await corpus.commit({ put: [entryFor({ id: 'a', text: 'text' })], space })
    const again = await openKeyring({ storage, cipher, keyProvider: keyOf(1) })
    expect(await textsOf(await openCorpus({ storage, sealer: again.sealer }))).toEqual(new Map([['a', 'text']]))
    expect(await storage.list('keys/')).toContain('keys/readme.txt')
  })

  test('what a sealer throws while it opens a manifest is thrown as it is', async () => {
    const storage = await oneDocument()
    const failure = new Error('the key service is away')
    const sealer = checksumSealer()
    const failing = {
      ...sealer,
      forFile: () => ({
        seal: async (record: Uint8Array) => record,
        open: async () => {
          throw failure
        },
      }),
    }
    await expect(openCorpus({ storage, sealer: failing })).rejects.toBe(failure)
  })

  test('a record shorter than its checksum does not open', async () => {
    const seals = await checksumSealer().forFile({ name: 'a', salt: new Uint8Array(16), epoch: 0 })
    for (const length of [0, 1, 3]) expect(await seals.open(new Uint8Array(length), 40, 1)).toBeUndefined()
    const sealed = await seals.seal(new Uint8Array(0), 40, 1)
    expect(await seals.open(sealed, 40, 1)).toEqual(new Uint8Array(0))
    expect(await seals.open(sealed, 41, 1)).toBeUndefined()
  })

  test('a segment whose catalogue is not the one the manifest names is damaged', async () => {
    const storage = await oneDocument()
    const [ref] = (await readManifest(storage, 1, checksumSealer())).segments
    const other = openSegment(storage, { ...ref!, digest: '0'.repeat(64) }, checksumSealer())
    await expect(other).rejects.toMatchObject({ code: 'CORRUPT_DATA', message: expect.stringContaining(ref!.name) })
    const none = openSegment(storage, { ...ref!, catalogues: [] }, checksumSealer())
    await expect(none).rejects.toMatchObject({ code: 'CORRUPT_DATA', details: { file: ref!.name, offset: 0 } })
    const { rows } = await openSegment(storage, ref!, checksumSealer())
    expect(() => vectorsOf(new Uint8Array(15), rows[0]!, 4, ref!.name)).toThrow(
      expect.objectContaining({
        code: 'CORRUPT_DATA',
        details: { file: ref!.name, documents: ['a'], expected: 16, actual: 15 },
      }),
    )
  })

  test('damage without a place is listed without one, and nothing but damage is', () => {
    const damage = asDamage(new GroundlineError('CORRUPT_DATA', 'broken'))
    expect(damage).toEqual({ file: '', offset: 0, message: 'broken' })
    const failure = new GroundlineError('CLOSED', 'closed')
    expect(() => asDamage(failure)).toThrow(failure)
  })

  test('a key for a corpus without one is refused', async () => {
    const { sealer } = await openKeyring({ storage: memoryStorage(), cipher, keyProvider: keyOf(1) })
    await expect(openCorpus({ storage: await oneDocument(), sealer })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('is not encrypted, but a key was given'),
    })
  })
})

describe('a keyring', () => {
  const open = (storage: Storage, keyProvider: KeyProvider = keyOf(1)) => openKeyring({ storage, cipher, keyProvider })

  test('that cannot be published fails with the error of the storage', async () => {
    const failure = new GroundlineError('STORAGE_FAILED', 'no space left')
    await expect(open(unpublishable(memoryStorage(), failure))).rejects.toBe(failure)
  })

  test('opened twice at once is one; rotated twice at once it has both keys', async () => {
    const storage = memoryStorage()
    const [one, two] = await Promise.all([open(storage), open(storage)])
    expect([one.sealer.epoch, two.sealer.epoch]).toEqual([1, 1])
    await Promise.all([one.rotate(), two.rotate()])
    expect((await open(storage)).sealer.epoch).toBe(3)
  })

  test('rewrapped twice at once refuses one of the two, and opens with the key of the other', async () => {
    const storage = memoryStorage()
    const [one, two] = await Promise.all([open(storage), open(storage)])
    const outcomes = await Promise.allSettled([one.rewrap(keyOf(2)), two.rewrap(keyOf(3))])
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
    expect(outcomes[1 - winner]).toMatchObject({ status: 'rejected', reason: { code: 'CONFLICT' } })
    expect((await open(storage, keyOf(2 + winner))).sealer.epoch).toBe(1)
    await expect(open(storage)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('has no key for a file of an unknown epoch, and says which', async () => {
    const { sealer } = await open(memoryStorage())
    const file = { name: 'segments/x.seg', salt: new Uint8Array(16), epoch: 9 }
    await expect(sealer.forFile(file)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'segments/x.seg is sealed under key 9, which is not in the keyring',
    })
  })

  test('refuses a provider that unwraps to a key of another length', async () => {
    const storage = memoryStorage()
    await open(storage)
    const short: KeyProvider = { ...keyOf(1), unwrap: async () => new Uint8Array(16) }
    await expect(open(storage, short)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('cannot unwrap'),
    })
  })

  test('opens from either copy, and is damaged by name when both are', async () => {
    const storage = memoryStorage()
    await open(storage)
    const [name] = await storage.list('keys/')
    const flip = (from: number) => (bytes: Uint8Array) => bytes.map((byte, at) => (at > from ? byte ^ 255 : byte))
    const { length } = await storage.read(name!)
    expect((await open(await withFile(storage, name!, flip(40 + (length - 40) / 2)))).sealer.epoch).toBe(1)
    for (const change of [
      flip(40),
      (bytes: Uint8Array) => bytes.slice(0, -1),
      (bytes: Uint8Array) => bytes.slice(0, 44),
    ]) {
      await expect(open(await withFile(storage, name!, change))).rejects.toMatchObject({
        code: 'CORRUPT_DATA',
        message: expect.stringContaining(name!),
      })
    }
  })
})

describe('tenants', () => {
  test('opened to read do not mark the storage', async () => {
    const storage = memoryStorage()
    await openTenants({ storage, readOnly: true })
    expect(await storage.list('')).toEqual([])
  })

  test('take the key of each tenant from a function', async () => {
    const storage = memoryStorage()
    const asked: string[] = []
    const keyProvider = (tenant: string) => {
      asked.push(tenant)
      return keyOf(tenant.length)
    }
    const tenants = await openTenants({ storage, encryption: { cipher, keyProvider } })
    const { corpus } = await tenants.tenant('acme')
    await corpus.commit({ put: [entryFor({ id: 'a', text: 'text' })], space })
    expect(asked).toEqual(['acme'])
    const wrong = await openTenants({ storage, encryption: { cipher, keyProvider: keyOf(9) } })
    await expect(wrong.tenant('acme')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('in a storage that cannot be marked fail with its error', async () => {
    const failure = new GroundlineError('STORAGE_FAILED', 'no space left')
    await expect(openTenants({ storage: unpublishable(memoryStorage(), failure) })).rejects.toBe(failure)
  })
})

describe('findPrivateText', () => {
  test('gives text that two patterns match the kind that comes first', () => {
    const key = `sk-${'a1'.repeat(12)}`
    expect(findPrivateText(`${key}@example.com and x@example.com`)).toEqual([
      { kind: 'key', start: 0, end: key.length },
      { kind: 'email', start: key.length + 17, end: key.length + 30 },
    ])
  })

  test('finds no IBAN in what is too short or too long for one', () => {
    expect(findPrivateText('GB82 WEST 1234', ['iban'])).toEqual([])
    expect(findPrivateText(`GB82${'A1B2'.repeat(7)}ABC`, ['iban'])).toEqual([])
  })
})

describe('reading a corpus', () => {
  test('a reader whose files another process compacted and collected reads the newest version', async () => {
    const storage = memoryStorage()
    const writer = await openCorpus({ storage })
    for (const id of ['a', 'b']) await writer.commit({ put: [entryFor({ id, text: `text of ${id}` })], space })
    const reader = await openCorpus({ storage, readOnly: true })
    await writer.compact()
    await writer.collect({ keep: { versions: 1, milliseconds: 0 } })
    expect(await reader.document('a')).toMatchObject({ id: 'a', text: 'text of a' })
    expect(await textsOf(reader)).toEqual(new Map(['a', 'b'].map((id) => [id, `text of ${id}`])))
  })

  test('documents larger than the cache, and more than it holds, read back whole', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    const sizes = [1, 3_000_000, 1_900_000, 1_900_000, 1_900_000, 1_900_000, 1_900_000]
    const put = sizes.map((size, index) => ({
      document: { id: `d${index}`, text: String(index).repeat(size) },
      chunks: [],
      vectors: [],
    }))
    await corpus.commit({ put })
    for (let round = 0; round < 2; round++) {
      for (const { document } of put) expect((await corpus.document(document.id))?.text === document.text).toBe(true)
    }
  })

  test('collecting without a rule keeps what the corpus was opened to keep', async () => {
    const keep = { versions: 2, milliseconds: 0 }
    const corpus = await openCorpus({ storage: memoryStorage(), keep, maintenance: 'manual' })
    for (const id of ['a', 'b', 'c', 'd']) await corpus.commit({ put: [entryFor({ id, text: id })], space })
    expect((await corpus.collect()).versions).toContain(1)
    expect((await corpus.versions()).length).toBeLessThanOrEqual(3)
    expect(corpus.info().documents).toBe(4)
  })

  test('versions of the last minutes outlive the automatic collection', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    for (let index = 0; index < 70; index++) {
      await corpus.commit({ put: [{ document: { id: `d${index}`, text: 'x' }, chunks: [], vectors: [] }] })
    }
    expect((await corpus.at(1)).info().documents).toBe(1)
    expect(corpus.info().documents).toBe(70)
  })

  test('verifying reads the candidate too, and names what is damaged there', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage, maintenance: 'manual' })
    await corpus.commit({ put: [entryFor({ id: 'a', text: 'some text' })], space })
    const before = await storage.list('segments/')
    const wide = { ...space, model: 'wide', dimensions: 8 }
    await corpus.reembed({ space: wide, embed: async (chunks) => chunks.map(({ text }) => vectorFor(text, 8)) })
    expect(await corpus.verify()).toEqual([])
    const [made] = (await storage.list('segments/')).filter((name) => !before.includes(name))
    const flipped = await withFile(storage, made!, (bytes) => bytes.map((byte, at) => (at > 40 ? byte ^ 255 : byte)))
    const damage = await (await openCorpus({ storage: flipped })).verify()
    expect(damage.map(({ file }) => file)).toContain(made)
  })

  test('a scan of many vectors gives the best, with zero vectors scored zero and ties by id', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const put = Array.from({ length: 100 }, (_, index) => {
      const document = { id: `d${index}`, text: `t${index}` }
      const chunks = chunksOf(document).map((chunk) => ({ ...chunk, id: `c${String(index).padStart(3, '0')}` }))
      return { document, chunks, vectors: [Float32Array.of(index % 50, index === 0 || index === 50 ? 0 : 1, 0, 0)] }
    })
    await corpus.commit({ put, space })
    const query = Float32Array.of(1, 0, 0, 0)
    const best = await scanCorpus(corpus, query, { topK: 3, metric: 'dot' })
    expect(best.map(({ id, score }) => [id, score])).toEqual([
      ['c049', 49],
      ['c099', 49],
      ['c048', 48],
    ])
    const all = await scanCorpus(corpus, query, { topK: 100 })
    expect(all.slice(-2).map(({ id, score }) => [id, score])).toEqual([
      ['c000', 0],
      ['c050', 0],
    ])
  })

  test('spaces are compared without labels too, and queries that differ as much stand in order', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    await corpus.commit({ put: [entryFor({ id: 'a', text: 'a text' })], space })
    const embed = async (query: string) => vectorFor(query)
    const compare = (queries: readonly { query: string; relevant?: ReadonlyMap<string, number> }[]) =>
      compareSpaces({ current: corpus, candidate: corpus, embedCurrent: embed, embedCandidate: embed, queries })
    const compared = await compare([{ query: 'z' }, { query: 'm', relevant: new Map() }, { query: 'a' }])
    const queries = ['a', 'm', 'z'].map((query) => ({ query, overlap: 1 }))
    expect(compared).toEqual({ overlap: 1, queries, canaries: [] })
    await expect(compare([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('a sync', () => {
  const chunker: Chunker = { id: 'slices-20', chunk: (document) => chunksOf(document) }
  const load = async ({ id, content }: LoaderInput): Promise<Document> => ({ id, text: String(content) })
  const source = (files: Readonly<Record<string, string>>, scope = 'test') =>
    iterableSource(scope, () => Object.entries(files).map(([id, content]) => ({ id, content })))
  const embed = async (chunks: readonly { readonly text: string }[]) => chunks.map(({ text }) => vectorFor(text))
  const fresh = () => openCorpus({ storage: memoryStorage() })

  test('names an item that the source lists twice, and takes the first', async () => {
    const corpus = await fresh()
    const twice = iterableSource('test', () => [
      { id: 'a', content: 'first' },
      { id: 'a', content: 'second' },
    ])
    const { added, failed } = await syncCorpus({ corpus, source: twice, load, chunker })
    expect(added).toEqual(['a'])
    expect(failed).toMatchObject([{ id: 'a', error: { code: 'DUPLICATE_ID', details: { id: 'a' } } }])
    expect((await corpus.document('a'))?.text).toBe('first')
  })

  test('takes no document that was added by itself or belongs to another source', async () => {
    const corpus = await fresh()
    await corpus.commit({ put: [{ document: { id: 'own', text: 'x' }, chunks: [], vectors: [] }] })
    await syncCorpus({ corpus, source: source({ theirs: 'y' }, 'other'), load, chunker })
    const { failed } = await syncCorpus({ corpus, source: source({ own: '1', theirs: '2' }), load, chunker })
    expect(failed.map(({ id, error }) => [id, error.message])).toEqual([
      ['own', 'document "own" was added by itself: give one of them an id prefix'],
      ['theirs', 'document "theirs" belongs to the source other: give one of them an id prefix'],
    ])
  })

  test('stores a document under the id of its item, and makes an error of whatever a loader throws', async () => {
    const corpus = await fresh()
    const renaming = async ({ id, content }: LoaderInput): Promise<Document> => {
      if (id === 'b') throw 'a bare string'
      return { id: `loaded ${id}`, text: String(content), uri: `file:///${id}`, title: id.toUpperCase() }
    }
    const { added, failed } = await syncCorpus({
      corpus,
      source: source({ a: 'some text', b: 'other text' }),
      load: renaming,
      chunker,
      embed,
      space,
    })
    expect({ added, failed }).toEqual({ added: ['a'], failed: [{ id: 'b', error: new Error('a bare string') }] })
    expect(await corpus.document('a')).toMatchObject({ id: 'a', uri: 'file:///a', title: 'A' })
  })

  test('gives up with what the corpus or its storage throws', async () => {
    const storage = memoryStorage()
    await (await openCorpus({ storage })).commit({ put: [entryFor({ id: 'x', text: 'x' })], space })
    const options = { source: source({ a: 'some text' }), load, chunker, embed, space }
    const readOnly = await openCorpus({ storage, readOnly: true })
    await expect(syncCorpus({ corpus: readOnly, ...options })).rejects.toMatchObject({ code: 'READ_ONLY' })
    const failure = new Error('the disk is gone')
    const corpus = await openCorpus({ storage: unpublishable(storage, failure) })
    await expect(syncCorpus({ corpus, ...options })).rejects.toBe(failure)
    const other = { ...options, space: { ...space, model: 'another' } }
    await expect(syncCorpus({ corpus: await openCorpus({ storage }), ...other })).rejects.toMatchObject({
      code: 'SPACE_MISMATCH',
    })
  })

  test('reports every document of a batch for which the embedder gave too few vectors', async () => {
    const corpus = await fresh()
    const { added, failed } = await syncCorpus({
      corpus,
      source: source({ a: 'one', b: 'two' }),
      load,
      chunker,
      embed: async () => [vectorFor('one')],
      space,
    })
    expect(added).toEqual([])
    expect(failed.map(({ id }) => id)).toEqual(['a', 'b'])
    for (const { error } of failed) {
      expect(error).toMatchObject({ code: 'INVALID_RESPONSE', message: 'embed gave 1 vectors for 2 chunks' })
    }
  })

  test('stores the rest of a batch of which the corpus refuses one document', async () => {
    const corpus = await fresh()
    const { added, failed } = await syncCorpus({
      corpus,
      source: source({ a: 'one', b: 'two' }),
      load,
      chunker,
      embed: async (chunks) =>
        chunks.map(({ text }) => (text === 'one' ? new Float32Array(4).fill(Number.NaN) : vectorFor(text))),
      space,
    })
    expect({ added, failed }).toMatchObject({
      added: ['b'],
      failed: [{ id: 'a', error: { code: 'INVALID_VECTOR', details: { id: 'a', index: 0 } } }],
    })
  })

  test('ends when an item fails with what every other would fail with', async () => {
    const closed = new GroundlineError('CLOSED', 'the corpus is closed')
    const options = { corpus: await fresh(), source: source({ a: 'one' }), chunker, load: () => Promise.reject(closed) }
    await expect(syncCorpus(options)).rejects.toBe(closed)
    await expect(planSync(options)).rejects.toBe(closed)
  })

  test('begins another batch with a document that does not fit, and commits what is full', async () => {
    const corpus = await fresh()
    const sizes: number[] = []
    await syncCorpus({
      corpus,
      source: source({ a: 'a'.repeat(40), b: 'b'.repeat(60), c: 'c'.repeat(100) }),
      load,
      chunker,
      embed,
      space,
      batchChunks: 4,
      onCommit: ({ added }) => void sizes.push(added.length),
    })
    expect(sizes).toEqual([1, 1, 1])
  })

  test('that is aborted between two items keeps its earlier batches and rejects with the reason', async () => {
    const corpus = await fresh()
    const controller = new AbortController()
    const reason = new Error('enough')
    const sync = syncCorpus({
      corpus,
      source: source({ a: 'one', b: 'two' }),
      load,
      chunker,
      batchChunks: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    })
    await expect(sync).rejects.toBe(reason)
    expect(await textsOf(corpus)).toEqual(new Map([['a', 'one']]))
  })

  test('with an empty source, empty documents and no embedder does what there is to do', async () => {
    const corpus = await fresh()
    const options = { corpus, load, chunker }
    expect(await syncCorpus({ ...options, source: source({}) })).toMatchObject({ added: [], removed: [], failed: [] })
    await syncCorpus({ ...options, source: source({ empty: '' }) })
    expect(corpus.info()).toMatchObject({ documents: 1, chunks: 0 })
  })

  test('takes vectors of stored chunks that have none from the embedder', async () => {
    const corpus = await fresh()
    await syncCorpus({ corpus, source: source({ a: 'one', b: 'two' }), load, chunker, embed, space })
    await corpus.commit({ put: [{ ...entryFor({ id: 'c', text: 'three' }), vectors: [], scope: 'test' }] })
    const asked: string[] = []
    await syncCorpus({
      corpus,
      source: source({ a: 'one', b: 'two', c: 'three' }),
      load,
      chunker,
      embed: (chunks) => {
        asked.push(...chunks.map(({ text }) => text))
        return embed(chunks)
      },
      space,
    })
    expect(asked).toEqual(['three'])
  })

  test('planned tells near-duplicates and renames, and counts no tokens without a counter', async () => {
    const corpus = await fresh()
    const text = 'a longer text of which a second document says exactly the same in the same order'
    const duplicates = { finder: nearDuplicates(), policy: 'skip' } as const
    await syncCorpus({ corpus, source: source({ old: text, same: 'else' }), load, chunker, embed, space, duplicates })
    const plan = await planSync({
      corpus,
      source: source({ new: text, copy: text, same: 'else', other: 'of its own' }),
      load,
      chunker,
      embed,
      space,
      duplicates: { finder: nearDuplicates(), policy: 'skip' },
    })
    expect(plan).toMatchObject({
      added: ['new', 'other'],
      removed: ['old'],
      reused: ['same'],
      skipped: [{ id: 'copy', duplicateOf: 'new' }],
      renamed: [{ from: 'old', to: 'new' }],
      embedChunks: 1,
      embedTokens: 0,
      price: 0,
    })
  })
})
