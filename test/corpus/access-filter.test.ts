import { describe, expect, test } from 'vitest'
import { accessFilter, compareSpaces, memoryStorage, openCorpus, scanCorpus } from '../../src/corpus/index.ts'
import { entryFor, space, vectorFor } from './support.ts'

describe('accessFilter', () => {
  test('only documents whose list names a principal are found, none without a list, and revocation holds at once', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const put = (id: string, metadata: Record<string, string | string[]>) =>
      corpus.commit({ put: [entryFor({ id, text: `text of ${id}`, metadata })], space })
    await put('ann', { access: ['user:ann'] })
    await put('both', { access: ['user:ann', 'group:legal'] })
    await put('none', { access: [] })
    await put('unlisted', {})
    await put('odd', { access: 'user:ann' })
    const seen = async (...principals: string[]) => {
      const found = await scanCorpus(corpus, vectorFor('query'), { topK: 50, filter: accessFilter(principals) })
      const chunks = await corpus.get(found.map(({ id }) => id))
      return [...new Set(chunks.map((chunk) => chunk!.documentId))].sort()
    }
    expect(await seen('user:ann')).toEqual(['ann', 'both'])
    expect(await seen('group:legal', 'user:bob')).toEqual(['both'])
    expect(await seen('user:eve')).toEqual([])
    await put('both', { access: ['group:legal'] })
    expect(await seen('user:ann')).toEqual(['ann'])
    expect(() => accessFilter([])).toThrow('at least one')
    expect(() => accessFilter([''])).toThrow('none of them empty')
  })
})

describe('compareSpaces', () => {
  test('equal spaces overlap wholly, and labels say which space is better', async () => {
    const corpus = await openCorpus({ storage: memoryStorage() })
    const entries = Array.from({ length: 30 }, (_, index) => entryFor({ id: `d${index}`, text: `text ${index}` }))
    await corpus.commit({ put: entries, space })
    const wide = { model: 'wide', dimensions: 8, normalized: false }
    const embedWide = async (query: string) => vectorFor(`wide ${query}`, 8)
    await corpus.reembed({ space: wide, embed: (chunks) => Promise.all(chunks.map(({ text }) => embedWide(text))) })
    const candidate = await corpus.candidate()
    const queries = entries.slice(0, 8).map(({ document, chunks }) => ({
      query: document.text,
      relevant: new Map([[chunks[0]!.id, 1]]),
    }))
    const embedCurrent = async () => vectorFor('always the same')
    const options = { current: corpus, candidate, embedCurrent, embedCandidate: embedWide, queries, topK: 3 }
    const { ndcg, overlap } = await compareSpaces(options)
    expect(ndcg!.candidate).toBe(1)
    expect(ndcg!.current).toBeLessThan(0.5)
    expect(overlap).toBeLessThan(0.7)
    const same = await compareSpaces({ ...options, candidate: corpus, embedCandidate: embedCurrent })
    expect(same).toMatchObject({ overlap: 1, canaries: [] })
    const canary = { query: entries[0]!.document.text, expected: [entries[0]!.chunks[0]!.id] }
    const kept = { query: canary.query, expected: [] }
    expect((await compareSpaces({ ...options, queries: [canary, kept] })).canaries).toEqual([])
    // The constant query of the old space finds some of these chunks and not others: the candidate loses the former.
    const [reversed] = (
      await compareSpaces({
        ...options,
        current: candidate,
        candidate: corpus,
        embedCurrent: embedWide,
        embedCandidate: embedCurrent,
        queries: entries.map(({ document, chunks }) => ({ query: document.text, expected: [chunks[0]!.id] })),
      })
    ).canaries
    expect(reversed!.lost).toEqual(reversed!.missing)
    await expect(compareSpaces({ ...options, queries: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
