import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Embedder } from '../../src/embedder/embedder.ts'
import { defaultTokenizer } from '../../src/preset/default-tokenizer.ts'
import { createGroundline } from '../../src/preset/index.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'

describe('embedding a preset again', () => {
  const documents = Array.from({ length: 8 }, (_, at) => ({ id: `d${at}`, text: `Document ${at} speaks of keys.` }))

  it('answers with the old vectors until they are promoted, and again after a rollback', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-reembed-'))
    const [small, large] = [fakeEmbedder({ dimensions: 8 }), fakeEmbedder({ dimensions: 16 })]
    await using ground = await createGroundline({ path, embedder: small })
    await ground.add(documents)
    const { version } = ground.info()
    const before = await ground.retrieve('keys of document 3')
    await ground.reembed({ embedder: large })
    expect(ground.info().space).toEqual(small.space)
    expect(await ground.retrieve('keys of document 3')).toEqual(before)
    await ground.promote()
    expect(ground.info().space).toEqual(large.space)
    expect((await ground.retrieve('keys of document 3')).passages).toHaveLength(8)
    await ground.add([{ id: 'late', text: 'Late keys.' }])
    await ground.corpus.rollback(version)
    expect(await ground.retrieve('keys of document 3')).toEqual(before)
  })

  it('is planned with its cost, and compared with canaries and labels before it is promoted', async () => {
    const [small, large] = [fakeEmbedder({ dimensions: 8 }), fakeEmbedder({ dimensions: 16 })]
    await using ground = await createGroundline({ embedder: small })
    await ground.add(documents)
    await expect(ground.compare({ embedder: large, queries: [{ query: 'keys' }] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    const plan = await ground.planReembed({ embedder: large, pricePerMillion: 10 })
    const counter = defaultTokenizer()
    const tokens = documents.reduce((sum, { text }) => sum + counter.count(text), 0)
    expect(plan).toEqual({ documents: 8, chunks: 8, tokens, price: tokens / 100_000 })
    const left: number[] = []
    const throttled: number[] = []
    const throttle = async (chunks: number) => void throttled.push(chunks)
    await ground.reembed({ embedder: large, throttle, onProgress: ({ chunks }) => left.push(chunks) })
    expect([left, throttled]).toEqual([[0], [8]])
    expect(await ground.planReembed({ embedder: large })).toEqual({ documents: 0, chunks: 0, tokens: 0, price: 0 })
    const idOf = (at: number) => ground.corpus.record(`d${at}`)!.chunkIds[0]!
    const queries = [0, 1].map((at) => ({
      query: documents[at]!.text,
      relevant: new Map([[idOf(at), 1]]),
      expected: [idOf(at)],
    }))
    const { overlap, ndcg, canaries } = await ground.compare({ embedder: large, queries, topK: 8 })
    expect(overlap).toBe(1)
    // Each finds its own text first, in either space.
    expect(ndcg).toEqual({ current: 1, candidate: 1 })
    expect(canaries).toEqual([])
    await expect(ground.compare({ embedder: small, queries })).rejects.toMatchObject({ code: 'SPACE_MISMATCH' })
    expect(ground.info().space).toEqual(small.space)
  })

  it('waits for no writer and keeps none waiting: what is added meanwhile is embedded too', async () => {
    const [small, inner] = [fakeEmbedder({ dimensions: 8 }), fakeEmbedder({ dimensions: 16 })]
    await using ground = await createGroundline({ embedder: small })
    await ground.add(documents)
    let begun = (): void => {}
    let go = (): void => {}
    const started = new Promise<void>((resolve) => {
      begun = resolve
    })
    const released = new Promise<void>((resolve) => {
      go = resolve
    })
    const large: Embedder = {
      ...inner,
      embed: async (inputs, each) => {
        begun()
        if (each?.role !== 'query') await released
        return inner.embed(inputs, each)
      },
    }
    const done = ground.reembed({ embedder: large })
    await started
    await ground.add([{ id: 'late', text: 'Late keys.' }])
    await ground.remove(['d0'])
    expect((await ground.retrieve('late keys')).passages[0]?.documentId).toBe('late')
    go()
    await done
    await ground.promote()
    expect(ground.info()).toMatchObject({ space: large.space, documents: 8 })
    expect((await ground.retrieve('late keys')).passages.map(({ documentId }) => documentId)).toContain('late')
  })

  it('happens at opening when asked for, and is refused otherwise', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-reembed-'))
    const [small, large] = [fakeEmbedder({ dimensions: 8 }), fakeEmbedder({ dimensions: 16 })]
    const first = await createGroundline({ path, embedder: small })
    await first.add(documents)
    await first.close()
    await expect(createGroundline({ path, embedder: large })).rejects.toMatchObject({ code: 'SPACE_MISMATCH' })
    await using again = await createGroundline({ path, embedder: large, reembed: 'now' })
    expect(again.info()).toMatchObject({ space: large.space, documents: 8 })
    expect((await again.retrieve('keys of document 3')).passages).toHaveLength(8)
  })
})
