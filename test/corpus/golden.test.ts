import { readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { derivedFiles, memoryStorage, openCorpus, openKeyring } from '../../src/corpus/index.ts'
import { fileStorage, localKey, nodeCipher } from '../../src/node/index.ts'
import { goldenDerived, goldenDocuments, goldenKey } from './golden/golden-content.ts'
import { collect, entryFor, space, vectorFor } from './support.ts'

const root = new URL('./golden/', import.meta.url)
const formats = (await readdir(root)).filter((name) => name.startsWith('format-')).sort()

describe.each(formats)('%s', (format) => {
  const modes = readdirSync(new URL(format, root)).sort()
  test.each(modes)('a %s corpus of this format reads as it was written, and takes new documents', async (mode) => {
    const files = fileStorage(fileURLToPath(new URL(`${format}/${mode}`, root)), { write: 'never' })
    const storage = memoryStorage()
    for (const name of await files.list('')) await storage.writeNew(name, await files.read(name))
    const keyProvider = localKey(goldenKey())
    const keyring = mode.startsWith('sealed')
      ? await openKeyring({ storage, cipher: nodeCipher(), keyProvider })
      : undefined
    const corpus = await openCorpus({ storage, ...(keyring && { sealer: keyring.sealer }) })
    const documents = goldenDocuments()
    expect(corpus.info()).toMatchObject({ documents: documents.length, space, damage: [] })
    for (const document of documents) expect(await corpus.document(document.id)).toEqual(document)
    for (const { chunk, vector } of await collect(corpus.entries())) {
      const { text } = documents.find(({ id }) => id === chunk.documentId)!
      expect(chunk.text).toBe(text.slice(chunk.start, chunk.end))
      expect(vector).toEqual(vectorFor(chunk.text))
    }
    expect((await corpus.at('first')).record('removed')).toBeDefined()
    expect(await corpus.verify()).toEqual([])
    if (mode.endsWith('audited')) {
      expect((await corpus.audit()).map(({ action, details }) => [action, details])).toEqual([
        ['hold', { tag: 'case', reason: 'litigation' }],
        ['rollback', { to: 'first' }],
        ['rollback', { to: 'case' }],
      ])
      expect(await corpus.tags()).toMatchObject([{ name: 'first' }, { name: 'case', hold: 'litigation' }])
      const files = derivedFiles({ storage, sealer: keyring?.sealer })
      expect(await files.read('golden')).toEqual(goldenDerived())
    }
    await corpus.commit({ put: [entryFor({ id: 'new', text: 'new' })], space })
    expect(corpus.info().documents).toBe(documents.length + 1)
  })
})
