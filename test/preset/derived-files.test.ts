import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { characterCounter, recursiveChunker } from '../../src/chunker/index.ts'
import { derivedFiles, memoryStorage, openCorpus } from '../../src/corpus/index.ts'
import type { Metadata } from '../../src/document.ts'
import { lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { type Bm25Index, lexicalIndex, openLexicalIndex } from '../../src/lexical-index/index.ts'
import { fileStorage, localKey } from '../../src/node/index.ts'
import { derivedIndexes, type IndexMakers } from '../../src/preset/derived-indexes.ts'
import { createGroundline } from '../../src/preset/index.ts'
import { entriesOf } from '../../src/preset/intake.ts'
import { createRandom } from '../../src/testing/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'

const words = ['river', 'delta', 'kernel', 'lattice', 'harbour', 'quartz', 'meadow', 'signal', 'lantern', 'orbit']
const chunker = recursiveChunker({ maxTokens: 40, counter: characterCounter() })
const embedder = lexicalHashEmbedder({ dimensions: 64 })

function documentsOf(count: number, seed: number, prefix = 'doc') {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, number) => ({
    id: `${prefix}-${number}`,
    text: Array.from({ length: 60 }, () => `${words[random.below(words.length)]}${random.below(40)}`).join(' '),
    metadata: { group: number % 3 },
  }))
}
const questions = words.map((word, at) => `${word}${at} ${words[(at + 3) % words.length]}7`)

async function answersOf(ground: Awaited<ReturnType<typeof createGroundline>>) {
  const answers = []
  for (const question of questions) {
    const { passages } = await ground.retrieve(question, { topK: 20 })
    answers.push(passages.map(({ id, score }) => [id, score]))
  }
  return answers
}
const derivedIn = (path: string) => readdirSync(join(path, 'derived')).map((name) => join(path, 'derived', name))

describe('the kept words of a preset', () => {
  it('gives the same answers, to the bit, from the file, without it, and from damaged ones', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-derived-'))
    const first = await createGroundline({ path, chunker, embedder })
    await first.add(documentsOf(150, 1))
    const before = await answersOf(first)
    expect(first.info().chunks).toBeGreaterThan(1_000)
    await first.close()
    const [file] = derivedIn(path)
    const whole = readFileSync(file!)
    const reopened = async () => {
      await using ground = await createGroundline({ path, readOnly: true, chunker, embedder })
      return await answersOf(ground)
    }
    expect(await reopened()).toEqual(before)
    for (const at of [0, 9, 41, 60, 5_000, whole.length >> 1, whole.length - 1]) {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 4
      writeFileSync(file!, damaged)
      expect(await reopened()).toEqual(before)
    }
    for (const length of [0, 10, 50, 4_000, whole.length - 1]) {
      writeFileSync(file!, whole.subarray(0, length))
      expect(await reopened()).toEqual(before)
    }
    rmSync(file!)
    expect(await reopened()).toEqual(before)
  })

  it('lays what was committed since over the file, metadata too, when the process ended without closing', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-derived-'))
    const first = await createGroundline({ path, chunker, embedder })
    await first.add(documentsOf(150, 1))
    await first.retrieve('river')
    await first.close()
    expect(derivedIn(path)).toHaveLength(1)

    const killed = await createGroundline({ path, chunker, embedder })
    await killed.add([...documentsOf(3, 9), ...documentsOf(3, 5, 'new')])
    await killed.remove(['doc-7'])
    const [kept] = documentsOf(1, 9)
    await killed.add([{ ...kept!, metadata: { group: 99 } }])
    const expected = await answersOf(killed)
    // Never closed: what it holds is gone, as after a crash.
    await using again = await createGroundline({ path, chunker, embedder })
    expect(await answersOf(again)).toEqual(expected)
    const filter = { op: 'eq', path: ['group'], value: 99 } as const
    const { passages } = await again.retrieve('river delta kernel lattice', { filter })
    expect(new Set(passages.map(({ documentId }) => documentId))).toEqual(new Set(['doc-0']))
    expect((await again.retrieve('river', { topK: 1_000 })).passages.map(({ documentId }) => documentId)).not.toContain(
      'doc-7',
    )
  })

  it('answers after a rollback as it did before, to the bit', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-derived-'))
    await using ground = await createGroundline({ path, chunker, embedder })
    await ground.add(documentsOf(120, 1))
    await ground.corpus.tag('first')
    const before = await answersOf(ground)
    await ground.add(documentsOf(40, 2))
    await ground.remove(['doc-100'])
    expect(await answersOf(ground)).not.toEqual(before)
    await ground.corpus.rollback('first')
    expect(await answersOf(ground)).toEqual(before)
  })

  it('reads nothing of the words again when the file is whole', async () => {
    const storage = memoryStorage()
    const files = derivedFiles({ storage })
    const corpus = await openCorpus({ storage })
    const saved: boolean[] = []
    let upserted = 0
    const makers: IndexMakers<Metadata> = {
      vectors: async () => exactIndex({ dimensions: 64, metric: 'cosine' }),
      words: async (bytes) => {
        saved.push(bytes !== undefined)
        const index = bytes ? await openLexicalIndex(bytes, { integrity: 'caller' }) : lexicalIndex()
        return {
          ...index,
          upsert: (entries, options) => {
            upserted += entries.length
            return index.upsert(entries, options)
          },
        }
      },
      save: (index) => (index as Bm25Index).save({ integrity: 'caller' }),
    }
    const put = await entriesOf({ loaders: [], chunker, embedder }, documentsOf(150, 3), {})
    await corpus.commit({ put, space: embedder.space })
    const first = derivedIndexes(corpus, makers, files)
    await first.current()
    expect(upserted).toBe(corpus.info().chunks)
    await first.keep('always')
    await first.close()
    upserted = 0
    const second = derivedIndexes(corpus, makers, files)
    const { lexicalIndex: words, vectorIndex } = await second.current()
    expect([saved, upserted]).toEqual([[false, true], 0])
    expect(await words.count()).toBe(corpus.info().chunks)
    expect(await vectorIndex.count()).toBe(corpus.info().chunks)
    await corpus.commit({ remove: ['doc-1'] })
    expect(await (await second.current()).lexicalIndex.count()).toBe(corpus.info().chunks)
    expect(upserted).toBe(0)
  })

  it('holds nothing of what was purged, however the process goes on', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-derived-'))
    const canary = { id: 'canary-document', text: 'canaryword beside lattice1', metadata: { secret: 'canaryvalue' } }
    const first = await createGroundline({ path, chunker, embedder })
    await first.add([...documentsOf(150, 1), canary])
    await first.close()
    await using ground = await createGroundline({ path, chunker, embedder })
    expect((await ground.retrieve('canaryword')).passages[0]?.documentId).toBe('canary-document')
    await ground.remove(['canary-document'])
    await ground.corpus.purge()
    expect((await ground.retrieve('canaryword')).passages.map(({ documentId }) => documentId)).not.toContain(
      'canary-document',
    )
    await ground.add(documentsOf(2, 8, 'later'))
    await ground.close()
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.map(({ name }) => name).filter((name) => name.startsWith('words-'))).toHaveLength(1)
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name)).toString('latin1')).not.toMatch(/canary/)
  })

  it('holds nothing of what another process purged, before or while it is written', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-derived-'))
    const canary = { id: 'canary-document', text: 'canaryword beside lattice1', metadata: { secret: 'canaryvalue' } }
    const holdsCanary = () =>
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .some(({ parentPath, name }) => /canary/.test(readFileSync(join(parentPath, name)).toString('latin1')))
    await using other = await createGroundline({ path, chunker, embedder })
    await other.add([...documentsOf(150, 1), canary])
    expect((await other.retrieve('canaryword')).passages[0]?.documentId).toBe('canary-document')
    await using owner = await createGroundline({ path, chunker, embedder })
    await owner.remove(['canary-document'])
    await owner.corpus.purge()
    // The other still holds the words of what is gone.
    await other.close()
    expect(holdsCanary()).toBe(false)

    await owner.add([canary])
    const storage = fileStorage(path)
    let purge = true
    const third = await createGroundline({
      chunker,
      embedder,
      storage: {
        ...storage,
        publish: async (name, bytes, options) => {
          if (purge && name.startsWith('derived/')) {
            purge = false
            await owner.remove(['canary-document'])
            await owner.corpus.purge()
          }
          return storage.publish(name, bytes, options)
        },
      },
    })
    expect((await third.retrieve('canaryword')).passages[0]?.documentId).toBe('canary-document')
    await third.close()
    expect(purge).toBe(false)
    expect(holdsCanary()).toBe(false)

    await owner.add(documentsOf(2, 9, 'later'))
    expect((await owner.retrieve('canaryword')).passages.map(({ documentId }) => documentId)).not.toContain(
      'canary-document',
    )
    await owner.close()
    expect(holdsCanary()).toBe(false)
  })

  it('is sealed with the key of the corpus', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-derived-'))
    const encryption = { keyProvider: localKey(new Uint8Array(32).fill(7)) }
    const first = await createGroundline({ path, chunker, embedder, encryption })
    await first.add(documentsOf(150, 1))
    const before = await answersOf(first)
    await first.close()
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.map(({ name }) => name)).toContain('words-000000000001.der')
    for (const { parentPath, name } of files) {
      const bytes = readFileSync(join(parentPath, name)).toString('latin1')
      for (const secret of ['lattice', 'harbour', 'doc-14']) expect(bytes).not.toContain(secret)
    }
    await using again = await createGroundline({ path, chunker, embedder, encryption })
    expect(await answersOf(again)).toEqual(before)
    await again.keyring!.rotate()
    await again.add(documentsOf(1, 4, 'rotated'))
    expect((await again.retrieve('river')).passages.length).toBeGreaterThan(0)
  })
})
