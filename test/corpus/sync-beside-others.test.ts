import { expect, test } from 'vitest'
import type { Chunker } from '../../src/chunker/chunker.ts'
import { memoryStorage, openCorpus, planSync, type Source, syncCorpus } from '../../src/corpus/index.ts'
import type { LoaderInput } from '../../src/loader/loader.ts'
import { chunksOf, textsOf } from './support.ts'

test('a sync and its plan see what another process removed, replaced and collected since the corpus was opened', async () => {
  const storage = memoryStorage()
  const [corpus, other] = [await openCorpus({ storage }), await openCorpus({ storage })]
  const source: Source = {
    scope: 'test',
    items: async function* () {
      for (const id of ['a', 'b', 'c'])
        yield { id, revision: '1', read: async () => ({ id, content: `text of ${id}` }) }
    },
  }
  const load = async ({ id, content }: LoaderInput) => ({ id, text: String(content) })
  const chunker: Chunker = { id: 'slices', chunk: (document) => chunksOf(document) }
  await syncCorpus({ corpus, source, load, chunker })
  await other.refresh()
  await other.commit({ remove: ['a'] })
  const document = { id: 'b', text: 'changed' }
  await other.commit({ put: [{ document, chunks: [], vectors: [], scope: 'test', revision: '2' }] })
  await other.compact()
  await other.collect({ keep: { versions: 1, milliseconds: 0 } })
  expect(await planSync({ corpus, source, load, chunker })).toMatchObject({
    added: ['a'],
    changed: ['b'],
    reused: ['c'],
  })
  const stale = await openCorpus({ storage })
  await other.commit({ remove: ['c'] })
  expect(await syncCorpus({ corpus: stale, source, load, chunker })).toMatchObject({
    added: ['a', 'c'],
    changed: ['b'],
  })
  expect(await textsOf(stale)).toEqual(new Map(['a', 'b', 'c'].map((id) => [id, `text of ${id}`])))
})
