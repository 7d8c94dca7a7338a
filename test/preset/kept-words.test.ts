import { describe, expect, it } from 'vitest'
import { derivedFiles, memoryStorage } from '../../src/corpus/index.ts'
import type { Metadata } from '../../src/document.ts'
import { type Bm25Index, lexicalIndex, openLexicalIndex } from '../../src/lexical-index/index.ts'
import type { IndexMakers } from '../../src/preset/derived-indexes.ts'
import { chunkIdsOf, type KnownDocument, keptWords } from '../../src/preset/kept-words.ts'
import { createRandom } from '../../src/testing/index.ts'

const vocabulary = Array.from({ length: 60 }, (_, at) => `word${at}`)
const makers: IndexMakers<Metadata> = {
  vectors: () => Promise.reject(new Error('no vectors here')),
  words: async (bytes, additions = []) =>
    bytes ? openLexicalIndex(bytes, { integrity: 'caller', additions }) : lexicalIndex(),
  save: (index, only) => (index as Bm25Index).save({ integrity: 'caller', only }),
}

const never = async () => false

interface Stored extends KnownDocument {
  readonly chunkIds: readonly string[]
  readonly texts: readonly string[]
}

describe('words that are kept as they are added', () => {
  it('a crash at any moment of random changes leaves files that give what an index of the corpus gives', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = createRandom(seed)
      const storage = memoryStorage()
      const files = derivedFiles({ storage })
      const corpus = new Map<string, Stored>()
      let kept = keptWords(makers, files)
      const first = await kept.open({})
      let [index, known] = [first.lexicalIndex, first.known()]
      let version = 0

      const put = async (id: string, count: number) => {
        const before = known.get(id)
        const chunkIds = Array.from({ length: count }, (_, at) => `${id}/${random.below(2) ? at : `${at}-${version}`}`)
        // A chunk may move to another document: its id is that of one that was removed.
        if (!before && random.below(3) === 0) chunkIds.push(`moved/${random.below(2)}`)
        const owners = [...corpus].filter(([other]) => other !== id).flatMap(([, { chunkIds }]) => chunkIds)
        const own = [...new Set(chunkIds)].filter((chunk) => !owners.includes(chunk))
        const texts = own.map(() => Array.from({ length: 12 }, () => random.pick(vocabulary)).join(' '))
        const stored: Stored = { stored: `segment:${version++}`, chunkIds: own, texts }
        if (before) {
          kept.gone(id, before)
          await index.remove(chunkIdsOf(before))
        }
        await index.upsert(own.map((chunk, at) => ({ id: chunk, text: texts[at]!, metadata: {} })))
        corpus.set(id, stored)
        known.set(id, stored)
        if (!before) kept.added([[id, stored]])
      }
      const remove = async (id: string) => {
        const before = known.get(id)
        if (!before) return
        kept.gone(id, before)
        await index.remove(chunkIdsOf(before))
        known.delete(id)
        corpus.delete(id)
      }
      const crash = async () => {
        kept = keptWords(makers, files)
        const opened = await kept.open({})
        index = opened.lexicalIndex
        known = opened.known()
        for (const [id, document] of [...known]) {
          if (corpus.get(id)?.stored === document.stored) continue
          kept.gone(id, document)
          await index.remove(chunkIdsOf(document))
          known.delete(id)
        }
        for (const [id, { chunkIds, texts, stored }] of corpus) {
          if (known.has(id)) continue
          await index.upsert(chunkIds.map((chunk, at) => ({ id: chunk, text: texts[at]!, metadata: {} })))
          known.set(id, { chunkIds, stored })
        }
      }

      for (let step = 0; step < 40; step++) {
        const id = `doc${random.below(12)}`
        const draw = random.below(10)
        if (draw < 5) await put(id, 1 + random.below(3))
        else if (draw < 6) await remove(id)
        else if (draw < 8) await kept.keepAdded(index, 1 + random.below(4), never)
        else if (draw < 9) await crash()
        else if (random.below(3) === 0) await kept.keepAll(index, known, undefined, never)
      }
      await crash()
      const expected = lexicalIndex()
      for (const { chunkIds, texts } of corpus.values())
        await expected.upsert(chunkIds.map((chunk, at) => ({ id: chunk, text: texts[at]!, metadata: {} })))
      expect(await index.count(), `seed ${seed}`).toBe(await expected.count())
      for (const query of ['word1 word2', 'word3', 'word59 word40 word7', '"word1 word2"', 'word1*'])
        expect(await index.search(query, { topK: 100 }), `seed ${seed}, ${query}`).toEqual(
          await expected.search(query, { topK: 100 }),
        )
    }
  })

  it('an addition to another file than the one at hand, or damaged, is indexed again', async () => {
    const storage = memoryStorage()
    const files = derivedFiles({ storage })
    const kept = keptWords(makers, files)
    const first = await kept.open({})
    const [index, known] = [first.lexicalIndex, first.known()]
    const add = async (id: string) => {
      await index.upsert([{ id: `${id}/0`, text: `text of ${id}`, metadata: {} }])
      const document = { stored: `segment:${id}`, chunkIds: [`${id}/0`] }
      known.set(id, document)
      kept.added([[id, document]])
    }
    await add('a')
    await kept.keepAll(index, known, undefined, never)
    await add('b')
    await kept.keepAdded(index, 1, never)
    await add('c')
    await kept.keepAdded(index, 2, never)
    const names = await storage.list('derived/')
    expect(names).toHaveLength(2)
    expect([...(await keptWords(makers, files).open({})).known().keys()]).toEqual(['a', 'b'])
    await files.remove('words')
    expect([...(await keptWords(makers, files).open({})).known().keys()]).toEqual([])
  })
})
