import { expect, test } from 'vitest'
import { type Bm25Index, lexicalIndex, openLexicalIndex } from '../../src/lexical-index/index.ts'
import { createRandom } from '../../src/testing/index.ts'

const vocabulary = Array.from({ length: 80 }, (_, at) => `term${at}`)

function entriesOf(count: number, seed: number) {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, at) => ({
    id: `${seed}-${at}`,
    text: Array.from({ length: 15 }, () => vocabulary[Math.floor(80 * random.next() ** 2)]!).join(' '),
    headingPath: [random.pick(vocabulary)],
    metadata: { even: at % 2 === 0 },
  }))
}

const queries = ['term1 term2 term3', 'term70', '"term0 term1"', 'term7*', '+term0 -term1', 'absent term5']

async function expectAlike(index: Bm25Index, expected: Bm25Index) {
  expect(await index.count()).toBe(await expected.count())
  for (const query of queries) {
    for (const filter of [undefined, { op: 'eq', path: ['even'], value: true } as const])
      expect(await index.search(query, { topK: 30, ...(filter && { filter }) })).toEqual(
        await expected.search(query, { topK: 30, ...(filter && { filter }) }),
      )
  }
}

test('an index saved in parts opens as the index of all, and stays it under changes and another saving', async () => {
  const parts = [entriesOf(60, 1), entriesOf(25, 2), entriesOf(1, 3), entriesOf(40, 4)]
  const all = lexicalIndex()
  for (const part of parts) await all.upsert(part)
  const saved: Uint8Array[] = []
  for (const part of parts) saved.push(await all.save({ only: part.map(({ id }) => id) }))
  const [first, ...additions] = saved
  const open = () => openLexicalIndex(first!, { additions })
  await expectAlike(await open(), all)

  const changed = await open()
  const gone = ['1-3', '2-0', '3-0', '4-39', 'absent']
  for (const index of [changed, all]) {
    await index.remove(gone)
    await index.upsert([...entriesOf(5, 5), { ...entriesOf(3, 2)[2]!, text: 'term1 term1 unheard' }])
  }
  await expectAlike(changed, all)
  await expectAlike(await openLexicalIndex(await changed.save()), all)
  const weights = { text: 1, headings: 2.5 }
  const weighted = lexicalIndex({ weights })
  for (const part of parts) await weighted.upsert(part)
  await expectAlike(await openLexicalIndex(first!, { additions, weights }), weighted)
})

test('an id in two parts is refused, and unknown ids are left out', async () => {
  const index = lexicalIndex()
  await index.upsert(entriesOf(6, 1))
  const bytes = await index.save()
  const again = await index.save({ only: ['1-2', 'absent'] })
  await expect(openLexicalIndex(bytes, { additions: [again] })).rejects.toMatchObject({ code: 'DUPLICATE_ID' })
  expect(await (await openLexicalIndex(again)).count()).toBe(1)
})
