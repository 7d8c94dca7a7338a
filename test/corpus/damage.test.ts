import { describe, expect, test } from 'vitest'
import { memoryStorage, openCorpus, type Storage } from '../../src/corpus/index.ts'
import type { Document } from '../../src/document.ts'
import { isGroundlineError } from '../../src/errors.ts'
import { scaled } from './scale.ts'
import { seededRandom } from './simulated-file-system.ts'
import { collect, entryFor, space, vectorFor } from './support.ts'

type Files = Map<string, Uint8Array>

/** A corpus with several segments, replaced and removed documents, a tag and a candidate; its files and documents. */
async function sample(): Promise<{ files: Files; documents: Map<string, Document> }> {
  const storage = memoryStorage()
  const corpus = await openCorpus({ storage, maintenance: 'manual' })
  const documents = new Map<string, Document>()
  for (let index = 0; index < 8; index++) {
    const document = { id: `d${index % 5}`, text: `text ${index} in a few slices of the document`, metadata: { index } }
    await corpus.commit({ put: [entryFor(document)], space })
    documents.set(document.id, document)
    if (index === 3) await corpus.tag('tagged')
    if (index === 5) await corpus.compact({ mode: 'small' })
  }
  await corpus.commit({ remove: ['d2'] })
  documents.delete('d2')
  const files: Files = new Map()
  for (const name of await storage.list('')) files.set(name, await storage.read(name))
  return { files, documents }
}

async function storageOf(files: Files): Promise<Storage> {
  const storage = memoryStorage()
  for (const [name, bytes] of files) await storage.writeNew(name, bytes)
  return storage
}

const DETECTED = new Set(['CORRUPT_DATA', 'UNSUPPORTED_FORMAT', 'INVALID_ARGUMENT'])

/** Throws when a damaged corpus gives an answer that is not the truth, or lacks one without saying so. */
async function requireHonest(files: Files, documents: ReadonlyMap<string, Document>): Promise<'harmless' | 'detected'> {
  const storage = await storageOf(files)
  try {
    const corpus = await openCorpus({ storage, readOnly: true })
    const missing: string[] = []
    for (const [id, document] of documents) {
      const found = await corpus.document(id).catch((error: unknown) => {
        if (isGroundlineError(error) && error.code === 'CORRUPT_DATA') return undefined
        throw error
      })
      if (found === undefined) missing.push(id)
      else expect(found).toEqual(document)
    }
    for (const record of await collect(corpus.documents())) expect(documents.has(record.id), record.id).toBe(true)
    const seen = new Set<string>()
    for (const { chunk, vector } of await collect(corpus.entries())) {
      seen.add(chunk.documentId)
      expect(chunk.text).toBe(documents.get(chunk.documentId)?.text.slice(chunk.start, chunk.end))
      expect(chunk.metadata).toEqual(documents.get(chunk.documentId)?.metadata)
      expect(vector).toEqual(vectorFor(chunk.text))
      expect([undefined, chunk.text]).toContain((await corpus.get([chunk.id]))[0]?.text)
    }
    const { damage } = corpus.info()
    if (missing.length > 0 || seen.size < documents.size) expect(damage.length).toBeGreaterThan(0)
    return damage.length > 0 ? 'detected' : 'harmless'
  } catch (error) {
    if (isGroundlineError(error) && DETECTED.has(error.code)) return 'detected'
    throw error
  }
}

describe('damaged files', () => {
  const flips = scaled({ quick: 600, short: 2_000, full: 10_000 })
  const truncations = scaled({ quick: 150, short: 400, full: 1_000 })
  const swaps = scaled({ quick: 60, short: 100, full: 200 })

  test(`${flips} flipped bits are detected or harmless`, { timeout: 300_000 }, async () => {
    const { files, documents } = await sample()
    const random = seededRandom(11)
    const names = [...files.keys()]
    let detected = 0
    for (let index = 0; index < flips; index++) {
      const name = names[index % names.length]!
      const bytes = files.get(name)!.slice()
      const at = Math.floor(random() * bytes.length)
      bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
      if ((await requireHonest(new Map(files).set(name, bytes), documents)) === 'detected') detected++
    }
    expect(detected).toBeGreaterThan(flips / 100)
  })

  test(`${truncations} truncations are detected or harmless`, { timeout: 300_000 }, async () => {
    const { files, documents } = await sample()
    const random = seededRandom(12)
    const names = [...files.keys()]
    for (let index = 0; index < truncations; index++) {
      const name = names[index % names.length]!
      const bytes = files.get(name)!
      await requireHonest(new Map(files).set(name, bytes.slice(0, Math.floor(random() * bytes.length))), documents)
    }
  })

  test(`${swaps} swaps of two files, and files put in the place of others, are detected or harmless`, async () => {
    const { files, documents } = await sample()
    const random = seededRandom(13)
    const names = [...files.keys()]
    for (let index = 0; index < swaps; index++) {
      const [a, b] = [names[Math.floor(random() * names.length)]!, names[Math.floor(random() * names.length)]!]
      const swapped = new Map(files).set(a, files.get(b)!)
      await requireHonest(index % 2 ? swapped.set(b, files.get(a)!) : swapped, documents)
    }
  }, 300_000)

  test('a missing segment takes its documents away and nothing else, and earlier rows of theirs are not shown', async () => {
    const { files, documents } = await sample()
    const segments = [...files.keys()].filter((name) => name.startsWith('segments/'))
    let damaging = 0
    for (const name of segments) {
      const left = new Map(files)
      left.delete(name)
      if ((await requireHonest(left, documents)) === 'detected') damaging++
    }
    expect(damaging).toBeGreaterThan(2)
  })

  test('damage of one document names file, offset and document, the others stay, and putting it again heals it', async () => {
    const storage = memoryStorage()
    const corpus = await openCorpus({ storage })
    const ids = ['a', 'b', 'c']
    await corpus.commit({ put: ids.map((id) => entryFor({ id, text: `the text of ${id}` })), space })
    const [name] = await storage.list('segments/')
    const bytes = await storage.read(name!)
    const at = new TextDecoder('latin1').decode(bytes).indexOf('the text of b')
    bytes[at] = bytes[at]! ^ 1
    await storage.remove(name!)
    await storage.writeNew(name!, bytes)
    const damaged = await openCorpus({ storage })
    await expect(damaged.document('b')).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
    const entries = await collect(damaged.entries())
    expect(entries.map(({ chunk }) => chunk.documentId)).toEqual(['a', 'c'])
    const [damage] = damaged.info().damage
    expect(damage).toMatchObject({ file: name, documents: ['b'] })
    expect(damage!.offset).toBeGreaterThan(0)
    expect(await damaged.verify()).toHaveLength(1)
    await damaged.compact()
    expect((await textsById(damaged)).get('a')).toBe('the text of a')
    await damaged.commit({ put: [entryFor({ id: 'b', text: 'the text of b' })], space })
    const healed = await openCorpus({ storage })
    expect(await healed.verify()).toEqual([])
    await healed.compact()
    expect([...(await textsById(healed)).keys()]).toEqual(ids)
  })
})

async function textsById(corpus: Awaited<ReturnType<typeof openCorpus>>): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for await (const { chunk } of corpus.entries()) {
    texts.set(chunk.documentId, (texts.get(chunk.documentId) ?? '') + chunk.text)
  }
  return texts
}
