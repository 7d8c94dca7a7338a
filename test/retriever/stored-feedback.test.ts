import { describe, expect, it } from 'vitest'
import { memoryStorage, openKeyring, type Storage } from '../../src/corpus/index.ts'
import { GroundlineError } from '../../src/errors.ts'
import { localKey, nodeCipher } from '../../src/node/index.ts'
import { profileRetriever, type StoredFeedbackOptions, storedFeedback } from '../../src/retriever/index.ts'
import { chunkOf, legsOver } from './pipeline.ts'

const chunks = ['a', 'b', 'c', '__proto__'].map((id) => chunkOf(id, `the same words of n${id}`))
const { lexical } = await legsOver(chunks)

async function opened(storage: Storage, options: Partial<StoredFeedbackOptions> = {}) {
  const memory = await storedFeedback({ storage, ...options })
  const retriever = memory.remember(lexical)
  const say = async (query: string, verdict: { liked?: string[]; disliked?: string[] }) => {
    const { explanation } = await retriever.retrieve(query)
    await memory.feedback(explanation.recordId, verdict)
    return explanation.recordId
  }
  return { memory, retriever, say }
}

describe('storedFeedback', () => {
  it('gives a later process the profile, the labelled queries and the records, and goes on from them', async () => {
    const storage = memoryStorage()
    const { memory, retriever, say } = await opened(storage)
    const first = await say('words', { liked: ['a', '__proto__'] })
    await say('same words', { disliked: ['a'], liked: ['b'] })
    await memory.feedback(first, { liked: ['c'] })
    await retriever.retrieve('nobody said anything of this')
    const again = await opened(storage)
    expect(again.memory.profile()).toEqual({ liked: ['__proto__', 'b', 'c'], disliked: ['a'] })
    expect(again.memory.profile()).toEqual(memory.profile())
    expect(again.memory.labelledQueries()).toEqual(memory.labelledQueries())
    await again.memory.feedback(first, { disliked: ['c'] })
    expect((await opened(storage)).memory.profile()).toEqual({ liked: ['__proto__', 'b'], disliked: ['a', 'c'] })
    const vectors = async (ids: readonly string[]) => ids.map((id) => Float32Array.of(Number(id === 'b'), 1))
    const mine = profileRetriever({ retriever: lexical, profile: again.memory.profile, vectors })
    expect((await mine.retrieve('words')).passages[0]?.id).toBe('b')
  })

  it('joins many verdicts into few files, and loses none, with two processes writing in turn', async () => {
    const storage = memoryStorage()
    const [one, two] = [await opened(storage), await opened(storage)]
    for (let i = 0; i < 150; i++) {
      await one.say(`words ${i}`, { liked: ['a'] })
      if (i % 3 === 0) await two.say(`same ${i}`, { disliked: ['b'] })
    }
    expect((await storage.list('feedback/')).length).toBeLessThan(128)
    const { memory } = await opened(storage)
    expect(memory.records()).toHaveLength(200)
    expect(memory.labelledQueries()).toHaveLength(200)
  })

  it('keeps users apart by their prefixes', async () => {
    const storage = memoryStorage()
    await (await opened(storage, { prefix: 'feedback/ann/' })).say('words', { liked: ['a'] })
    expect((await opened(storage, { prefix: 'feedback/bob/' })).memory.records()).toEqual([])
    expect((await opened(storage, { prefix: 'feedback/ann/' })).memory.profile().liked).toEqual(['a'])
  })

  it('says which file is damaged, and opens nothing of it', async () => {
    const storage = memoryStorage()
    await (await opened(storage)).say('words', { liked: ['a'] })
    const [name] = await storage.list('feedback/')
    const bytes = await storage.read(name!)
    for (let at = 0; at < bytes.length; at += 11) {
      const damaged = bytes.slice()
      damaged[at]! ^= 4
      await storage.remove(name!)
      await storage.publish(name!, damaged)
      await expect(opened(storage)).rejects.toMatchObject({ code: 'CORRUPT_DATA', details: { name } })
    }
  })

  it('shows no question in a sealed file, and opens nothing without the key', async () => {
    const storage = memoryStorage()
    const { sealer } = await openKeyring({
      storage,
      cipher: nodeCipher(),
      keyProvider: localKey(new Uint8Array(32).fill(7)),
    })
    const { say } = await opened(storage, { sealer })
    for (let i = 0; i < 70; i++) await say(`secret words ${i}`, { liked: ['a'] })
    const names = await storage.list('feedback/')
    for (const name of names) expect(Buffer.from(await storage.read(name)).includes('secret')).toBe(false)
    expect((await opened(storage, { sealer })).memory.records()).toHaveLength(70)
    await expect(opened(storage)).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
  })

  it('refuses what was not retrieved and writes nothing of it; after a failed write the same verdict is written', async () => {
    const storage = memoryStorage()
    let full = true
    const failing: Storage = {
      ...storage,
      publish: async (...given) => {
        if (full) throw new GroundlineError('STORAGE_FAILED', 'disk full')
        return storage.publish(...given)
      },
    }
    const { memory, retriever } = await opened(failing)
    await expect(memory.feedback('unknown', { liked: ['a'] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const { explanation } = await retriever.retrieve('words')
    await expect(memory.feedback(explanation.recordId, { liked: ['a'] })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    })
    expect(await storage.list('feedback/')).toEqual([])
    full = false
    await memory.feedback(explanation.recordId, { liked: ['a'] })
    expect((await opened(storage)).memory.profile().liked).toEqual(['a'])
    const signal = AbortSignal.abort('enough')
    await expect(memory.feedback(explanation.recordId, { liked: ['b'] }, { signal })).rejects.toBe('enough')
    await expect(opened(storage, { signal })).rejects.toBe('enough')
  })
})
