import { describe, expect, it } from 'vitest'
import { memoryStorage, type Storage } from '../../src/corpus/index.ts'
import { type Embedder, lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { createGroundline, type Groundline, type GroundlineOptions } from '../../src/preset/index.ts'
import type { Retrieval } from '../../src/retriever/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'
import { childScript, runChild } from '../corpus/child-process.ts'
import { scaled } from '../corpus/scale.ts'
import { chunker, documentsOf, embedder } from './generations.ts'

const larger = lexicalHashEmbedder({ dimensions: 192 })
const question = 'rotate vault keys at night'

/** Queries that begin with `slow` wait until the gate opens. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let waiting = 0
  const holding = (inner: Embedder): Embedder => ({
    ...inner,
    embed: async (inputs, options) => {
      const embedding = await inner.embed(inputs, options)
      if (options?.role === 'query' && inputs[0]!.startsWith('slow')) {
        waiting++
        await opened
      }
      for (let step = 0; step < 5; step++) await new Promise(setImmediate)
      return embedding
    },
  })
  const reached = async (count: number) => {
    while (waiting < count) await new Promise(setImmediate)
  }
  return { holding, reached, open: () => open() }
}

/** All that tells one version's answer from another's. */
function essence({ passages, explanation }: Retrieval) {
  const found = passages.map(({ id, text, score, documentVersion, stages }) => ({
    id,
    text,
    score,
    documentVersion,
    stages: stages.map(({ stage, rank, score }) => ({ stage, rank, score })),
  }))
  return JSON.stringify({ found, stages: explanation.stages.map(({ stage, candidates }) => ({ stage, candidates })) })
}

/** What a version answers to somebody who opens it while nothing happens. */
async function expected(storage: Storage, options: GroundlineOptions, query: string) {
  await using fresh = await createGroundline({ ...options, storage, readOnly: true })
  return essence(await fresh.retrieve(query))
}

interface World {
  readonly here: Groundline
  readonly other: Groundline
}

const events: readonly (readonly [string, (world: World) => Promise<unknown>])[] = [
  ['a commit here', ({ here }) => here.add(documentsOf(3, 20))],
  ['a commit elsewhere', ({ other }) => other.add(documentsOf(3, 20))],
  ['a removal here', ({ here }) => here.remove(['d1', 'd2', 'd3'])],
  ['a removal elsewhere', ({ other }) => other.remove(['d1', 'd2', 'd3'])],
  ['a rollback here', ({ here }) => here.corpus.rollback(1)],
  ['a rollback elsewhere', ({ other }) => other.corpus.rollback(1)],
  ['a promotion here', ({ here }) => here.promote()],
  ['a promotion elsewhere', ({ other }) => other.promote()],
  ['a compaction here', ({ here }) => here.corpus.compact()],
  ['a removal and a purge here', async ({ here }) => [await here.remove(['d1', 'd2']), await here.corpus.purge()]],
  [
    'a removal and a purge elsewhere',
    async ({ other }) => [await other.remove(['d1', 'd2']), await other.corpus.purge()],
  ],
  [
    'many versions, a purge and a rollback elsewhere',
    async ({ other }) => {
      for (let generation = 3; generation < 9; generation++) await other.add(documentsOf(generation))
      await other.corpus.purge()
      await other.add(documentsOf(9))
      await other.corpus.rollback(other.corpus.info().version - 1)
    },
  ],
]

describe('a question in flight', () => {
  it.each(events)('is answered from one version while there is %s, and lets others be asked', async (_, happen) => {
    const storage = memoryStorage()
    const { holding, reached, open } = gate()
    const options = { embedder: holding(embedder) }
    await using here = await createGroundline({ ...options, storage })
    await using other = await createGroundline({ ...options, storage })
    await here.add(documentsOf(1))
    await here.add(documentsOf(2))
    await here.reembed({ embedder: holding(larger) })
    await other.corpus.refresh()
    await other.reembed({ embedder: holding(larger) })
    await here.retrieve(question)
    await other.retrieve(question)

    const slow = ['slow keys', 'slow river stone', 'slow night door', 'slow generation 2']
    const before = await Promise.all(slow.map((query) => expected(storage, { embedder }, query)))
    const inFlight = slow.map((query) => here.retrieve(query).then(essence))
    const failed = Promise.all(inFlight)
    failed.catch(() => undefined)
    await reached(slow.length)
    await happen({ here, other })
    await here.corpus.refresh()
    const now = here.corpus.info().space?.dimensions === larger.dimensions ? larger : embedder
    // The next question waits for none of them, and is answered from what there is now.
    expect(essence(await here.retrieve(question))).toBe(await expected(storage, { embedder: now }, question))
    const after = await Promise.all(slow.map((query) => expected(storage, { embedder: now }, query)))
    open()
    for (const [at, answer] of (await failed).entries()) expect([before[at], after[at]]).toContain(answer)
  })

  it('obeys what was revoked meanwhile, and so does the next', async () => {
    const storage = memoryStorage()
    const { holding, reached, open } = gate()
    const options = { embedder: holding(embedder), access: 'listed' } as const
    await using here = await createGroundline({ ...options, storage })
    await using other = await createGroundline({ ...options, storage })
    await here.add(documentsOf(1))
    expect((await here.retrieve(question, { principals: ['ann'] })).passages.length).toBeGreaterThan(0)
    const inFlight = here.retrieve('slow keys', { principals: ['ann'] })
    await reached(1)
    await other.add(documentsOf(1).map((document) => ({ ...document, metadata: { access: ['bob'] } })))
    expect((await here.retrieve(question, { principals: ['ann'] })).passages).toEqual([])
    open()
    expect((await inFlight).passages).toEqual([])
  })

  it('ends though every step of it is disturbed, of one version, by a pair that is freed after it', async () => {
    const storage = memoryStorage()
    let [made, freed, generation] = [0, 0, 1]
    const answers = new Set<string>()
    const together =
      (between: () => Promise<void>): NonNullable<GroundlineOptions['retriever']> =>
      ({ lexicalIndex, vectorIndex, embedder, store }) => ({
        retrieve: async (query) => {
          const { vectors } = await embedder.embed([query], { role: 'query' })
          const byWords = await lexicalIndex.search(query, { topK: 5 })
          if (query.startsWith('slow')) await between()
          const byMeaning = await vectorIndex.search(vectors[0]!, { topK: 5 })
          if (query.startsWith('slow')) await between()
          const found = [...byWords, ...byMeaning]
          const chunks = await store.get(found.map(({ id }) => id))
          const passages = chunks.map((chunk, at) => ({ ...chunk!, source: {}, score: found[at]!.score, stages: [] }))
          return { passages, explanation: { stages: [] } }
        },
      })
    const vectorIndex = () => {
      const index = exactIndex({ dimensions: embedder.dimensions, space: embedder.space })
      made++
      const close = async () => {
        freed++
        await index.close()
      }
      return { ...index, close }
    }
    const calm = { embedder, retriever: together(async () => {}) }
    const other = await createGroundline({ ...calm, storage })
    await other.add(documentsOf(generation))
    answers.add(await expected(storage, calm, 'slow keys'))
    let here: Groundline
    const disturb = async () => {
      generation++
      // Each way by turns: what another process commits and a question here finds, and what is committed here.
      if (generation % 2 === 0) {
        await other.add(documentsOf(generation))
        await here.retrieve(question)
      } else await here.add(documentsOf(generation))
      answers.add(await expected(storage, calm, 'slow keys'))
    }
    here = await createGroundline({ embedder, storage, retriever: together(disturb), vectorIndex })
    const answer = essence(await here.retrieve('slow keys'))
    expect([...answers]).toContain(answer)
    expect(answers.size).toBeGreaterThan(4)
    // One pair is in use; what the question held is not.
    expect(made - freed).toBe(1)
    await here.close()
    await other.close()
    expect(freed).toBe(made)
  })

  it('fails as its retriever does when nothing changed, and stops when it is asked to', async () => {
    const { holding, reached, open } = gate()
    let asked = 0
    const failing = {
      ...holding(embedder),
      embed: async (...[inputs, options]: Parameters<Embedder['embed']>) => {
        if (options?.role !== 'query') return embedder.embed(inputs, options)
        asked++
        if (inputs[0] === 'fail') throw new RangeError('no vector')
        return holding(embedder).embed(inputs, options)
      },
    }
    await using ground = await createGroundline({ embedder: failing })
    await ground.add(documentsOf(1))
    await expect(ground.retrieve('fail')).rejects.toThrow(RangeError)
    expect(asked).toBe(1)
    const stop = new AbortController()
    const stopped = ground.retrieve('slow keys', { signal: stop.signal })
    const reason = new Error('enough')
    await reached(1)
    stop.abort(reason)
    await ground.add(documentsOf(2))
    open()
    await expect(stopped).rejects.toBe(reason)
  })

  it('is answered from all of the first version, though the indexes were begun before it', async () => {
    const storage = memoryStorage()
    let isCommitted = () => false
    const vectorIndex = () => {
      const index = exactIndex({ dimensions: embedder.dimensions, space: embedder.space })
      const fill: typeof index.fill = async (...each) => {
        await index.fill(...each)
        while (!isCommitted()) await new Promise(setImmediate)
      }
      return { ...index, fill }
    }
    await using here = await createGroundline({ embedder, storage, vectorIndex })
    isCommitted = () => here.corpus.info().version > 0
    const early = here.retrieve(question)
    await Promise.all([early, here.add(documentsOf(1))])
    expect(essence(await here.retrieve(question))).toBe(await expected(storage, { embedder }, question))
  })

  it('is answered from what another instance committed while a commit here was followed', async () => {
    const storage = memoryStorage()
    await using other = await createGroundline({ embedder, storage })
    let meanwhile: (() => Promise<void>) | undefined
    const vectorIndex = () => {
      const index = exactIndex({ dimensions: embedder.dimensions, space: embedder.space })
      const upsert: typeof index.upsert = async (...each) => {
        const now = meanwhile
        meanwhile = undefined
        await now?.()
        await index.upsert(...each)
      }
      return { ...index, upsert }
    }
    await using here = await createGroundline({ embedder, storage, vectorIndex })
    await here.add(documentsOf(1))
    await here.retrieve(question)
    meanwhile = async () => {
      await other.add(documentsOf(3))
      await here.corpus.refresh()
    }
    await here.add(documentsOf(2))
    expect(meanwhile).toBeUndefined()
    expect(essence(await here.retrieve(question))).toBe(await expected(storage, { embedder }, question))
  })

  it('is answered from what is left by a purge of another instance at each read with which the indexes are made', async () => {
    let purgedAt = 0
    for (let at = 1; purgedAt === at - 1; at++) {
      const storage = memoryStorage()
      await using other = await createGroundline({ embedder, storage })
      await other.add(documentsOf(1))
      await other.add(documentsOf(2, 8))
      let reads = 0
      const read: Storage['read'] = async (name, ...rest) => {
        if (isAsked && name.startsWith('segments/') && ++reads === at) {
          await other.remove(['d1', 'd20'])
          await other.corpus.purge()
          purgedAt = at
        }
        return storage.read(name, ...rest)
      }
      let isAsked = false
      await using here = await createGroundline({ embedder, storage: { ...storage, read } })
      isAsked = true
      const answer = essence(await here.retrieve(question))
      const now = await expected(storage, { embedder }, question)
      if (purgedAt === at) expect(answer).toBe(now)
      expect(essence(await here.retrieve(question))).toBe(now)
    }
    expect(purgedAt).toBeGreaterThan(1)
  })

  const rounds = scaled({ quick: 12, short: 40, full: 300 })

  it(`is answered from one generation while another process writes ${rounds}, goes back and purges`, async () => {
    const { script, folder, dispose } = await childScript('writer', import.meta.url)
    const { holding } = gate()
    const asked: { query: string; answer: string }[] = []
    {
      await using ground = await createGroundline({ path: folder, embedder: holding(embedder), chunker })
      await ground.add(documentsOf(1))
      let isWriting = true
      const written = runChild(script, [folder, String(rounds)]).finally(() => {
        isWriting = false
      })
      const ask = async (query: string) => {
        while (isWriting) asked.push({ query, answer: essence(await ground.retrieve(query)) })
      }
      await Promise.all(['keys', 'river stone', 'rotate paper', 'generation cloud'].map(ask))
      const { code, errors } = await written
      expect(errors).toBe('')
      expect(code).toBe(0)
    }
    const known = new Map<string, Set<string>>()
    for (let generation = 1; generation < 2 + rounds; generation++) {
      await using fresh = await createGroundline({ embedder, chunker })
      await fresh.add(documentsOf(generation))
      for (const query of new Set(asked.map(({ query }) => query))) {
        const answers = known.get(query) ?? new Set()
        known.set(query, answers.add(essence(await fresh.retrieve(query))))
      }
    }
    expect(asked.filter(({ query, answer }) => !known.get(query)!.has(answer))).toEqual([])
    expect(new Set(asked.map(({ answer }) => answer)).size).toBeGreaterThan(8)
    await dispose()
  }, 300_000)
})
