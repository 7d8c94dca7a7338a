import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksumSealer, memoryStorage, type Sealer } from '../../src/corpus/index.ts'
import {
  type Embedder,
  embedAll,
  embeddingCache,
  embeddingKey,
  memoryVectorStore,
  storageVectorStore,
  type VectorStore,
  withCache,
} from '../../src/embedder/index.ts'
import { embedderConformance, fakeEmbedder, manualClock } from '../../src/testing/index.ts'

const fake = fakeEmbedder()

/** A fake that notes every text it was paid for, and answers when told. */
function paid() {
  const billed: string[] = []
  const gates: (() => void)[] = []
  let held = false
  const embedder: Embedder = {
    ...fake,
    async embed(inputs, options) {
      billed.push(...inputs)
      if (held) await new Promise<void>((resolve) => gates.push(resolve))
      return fake.embed(inputs, options)
    },
  }
  return { embedder, billed, gates, hold: () => (held = true) }
}

const stores: readonly [string, () => VectorStore][] = [
  ['in memory', () => memoryVectorStore()],
  ['in files', () => storageVectorStore({ storage: memoryStorage() })],
  ['in sealed files', () => storageVectorStore({ storage: memoryStorage(), sealer: checksumSealer() })],
]

for (const [name, make] of stores) {
  describe(`an embedding cache ${name}`, () => {
    for (const { name, run } of embedderConformance({
      create: () => withCache(fakeEmbedder(), embeddingCache(make())),
    }))
      it(name, run)

    it('behaves like a map', async () => {
      const key = fc.nat(20).map((number) => number.toString(16).padStart(32, '0'))
      const vector = fc
        .array(fc.float({ noNaN: true }), { minLength: 3, maxLength: 3 })
        .map((list) => Float32Array.from(list))
      const step = fc.oneof(
        fc.record({ set: fc.array(fc.tuple(key, vector), { maxLength: 4 }) }),
        fc.record({ remove: fc.array(key, { maxLength: 3 }) }),
        fc.record({ get: fc.array(key, { maxLength: 6 }) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const store = make()
          const model = new Map<string, Float32Array>()
          for (const action of steps) {
            if ('set' in action) {
              await store.set(action.set)
              for (const [key, vector] of action.set) model.set(key, vector)
            } else if ('remove' in action) {
              await store.remove(action.remove)
              for (const key of action.remove) model.delete(key)
            } else expect(await store.get(action.get)).toEqual(action.get.map((key) => model.get(key)))
          }
          expect(store.stats().entries).toBe(model.size)
          await store.clear()
          expect(await store.get([...model.keys()])).toEqual([...model.keys()].map(() => undefined))
        }),
        { seed: 4, numRuns: 60 },
      )
    })

    it('asks for each text once, however many calls want it at the same time', async () => {
      const { embedder, billed, gates, hold } = paid()
      const cached = withCache(embedder, embeddingCache(make()))
      hold()
      const calls = Array.from({ length: 50 }, () => cached.embed(['same', 'text']))
      while (gates.length === 0) await new Promise(setImmediate)
      gates[0]?.()
      for (const { vectors } of await Promise.all(calls))
        expect(vectors).toEqual((await fake.embed(['same', 'text'])).vectors)
      expect(billed).toEqual(['same', 'text'])
    })
  })
}

describe('embeddingCache', () => {
  it('tells roles, spaces and texts apart', () => {
    const { space } = fake
    const keys = [
      embeddingKey(space, 'query', 'a'),
      embeddingKey(space, 'document', 'a'),
      embeddingKey(space, 'document', 'b'),
      embeddingKey({ ...space, dimensions: 9 }, 'document', 'a'),
      embeddingKey({ ...space, revision: '2' }, 'document', 'a'),
      embeddingKey({ ...space, documentPrompt: 'passage: ' }, 'document', 'a'),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(embeddingKey({ normalized: true, dimensions: 8, model: space.model }, 'query', 'a')).toBe(keys[0])
  })

  it('lets a waiting call take over when the one that was making a vector fails or is aborted', async () => {
    const cache = embeddingCache(memoryVectorStore())
    const controller = new AbortController()
    const stuck: Embedder = { ...fake, embed: () => new Promise(() => {}) }
    const first = embedAll(stuck, ['a'], { cache, signal: controller.signal })
    await new Promise(setImmediate)
    const second = embedAll(fake, ['a'], { cache })
    controller.abort(new Error('stop'))
    await expect(first).rejects.toThrow('stop')
    expect((await second).vectors[0]).toEqual((await fake.embed(['a'])).vectors[0])
  })

  it('does not keep a caller waiting that aborts', async () => {
    const cache = embeddingCache(memoryVectorStore())
    const never = new AbortController()
    embedAll({ ...fake, embed: () => new Promise(() => {}) }, ['a'], { cache, signal: never.signal }).catch(() => {})
    await new Promise(setImmediate)
    const controller = new AbortController()
    const waiting = embedAll(fake, ['a'], { cache, signal: controller.signal })
    await new Promise(setImmediate)
    controller.abort(new Error('mine'))
    await expect(waiting).rejects.toThrow('mine')
    never.abort()
  })

  it('gives copies, so that no caller can change what the next one gets', async () => {
    const cached = withCache(fake, embeddingCache(memoryVectorStore()))
    ;(await cached.embed(['a'])).vectors[0]?.fill(7)
    ;(await cached.embed(['a'])).vectors[0]?.fill(8)
    expect((await cached.embed(['a'])).vectors).toEqual((await fake.embed(['a'])).vectors)
  })

  it('counts hits, misses and joins, and bills nothing for a hit', async () => {
    const cache = embeddingCache(memoryVectorStore())
    await embedAll(fake, ['a', 'b'], { cache })
    const { usage } = await embedAll(fake, ['a', 'b'], { cache })
    expect(usage).toEqual({ calls: 0, tokens: 0 })
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 2, joined: 0, entries: 2 })
  })

  it('acknowledges nothing that could not be kept', async () => {
    const full: VectorStore = {
      ...memoryVectorStore(),
      set: async () => {
        throw new Error('disk full')
      },
    }
    await expect(embedAll(fake, ['a'], { cache: embeddingCache(full) })).rejects.toThrow('disk full')
  })
})

describe('memoryVectorStore', () => {
  const vector = Float32Array.of(1, 2)
  it('lets go of what was used longest ago, by count and by bytes', async () => {
    const store = memoryVectorStore({ maxEntries: 2 })
    await store.set([
      ['a', vector],
      ['b', vector],
    ])
    await store.get(['a'])
    await store.set([['c', vector]])
    expect(await store.get(['a', 'b', 'c'])).toEqual([vector, undefined, vector])
    const small = memoryVectorStore({ maxBytes: 1 })
    await small.set([['a', vector]])
    expect(small.stats()).toEqual({ entries: 0, bytes: 0, evicted: 1, expired: 0, corrupt: 0 })
  })

  it('lets go of what is too old', async () => {
    const clock = manualClock()
    const store = memoryVectorStore({ maxAgeMs: 10, clock })
    await store.set([['a', vector]])
    await clock.advance(11)
    expect(await store.get(['a'])).toEqual([undefined])
    expect(store.stats()).toMatchObject({ entries: 0, expired: 1 })
  })
})

describe('storageVectorStore', () => {
  const key = (number: number) => number.toString(16).padStart(32, '0')
  const vector = (number: number) => Float32Array.of(number, 0.5, -number)

  it('gives the same vectors after a restart, and joins many small files', async () => {
    const storage = memoryStorage()
    const first = storageVectorStore({ storage })
    for (let number = 0; number < 200; number++) await first.set([[key(number), vector(number)]])
    expect((await storage.list('')).length).toBeLessThan(70)
    const second = storageVectorStore({ storage })
    const numbers = Array.from({ length: 200 }, (_, number) => number)
    expect(await second.get(numbers.map(key))).toEqual(numbers.map(vector))
    expect(second.stats()).toMatchObject({ entries: 200, corrupt: 0 })
  })

  it('treats every flipped bit as an absent vector, never as another one', async () => {
    const storage = memoryStorage()
    await storageVectorStore({ storage }).set([
      [key(1), vector(1)],
      [key(2), vector(2)],
    ])
    const [name = ''] = await storage.list('')
    const whole = await storage.read(name)
    for (let bit = 0; bit < whole.length * 8; bit += 3) {
      const damaged = memoryStorage()
      const bytes = whole.slice()
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await damaged.writeNew(name, bytes)
      const found = await storageVectorStore({ storage: damaged }).get([key(1), key(2)])
      for (const [index, got] of found.entries()) if (got) expect(got).toEqual(vector(index + 1))
    }
    for (const length of [0, 10, 36, 50, whole.length - 1]) {
      const cut = memoryStorage()
      await cut.writeNew(name, whole.slice(0, length))
      const [one, two] = await storageVectorStore({ storage: cut }).get([key(1), key(2)])
      expect([undefined, 1]).toContain(one?.[0])
      expect(two).toBeUndefined()
    }
  })

  it('does not confuse a file put under the name of another', async () => {
    const storage = memoryStorage()
    const store = storageVectorStore({ storage })
    await store.set([[key(1), vector(1)]])
    const [name = ''] = await storage.list('')
    const moved = memoryStorage()
    await moved.writeNew(name.replace('.vec', 'x.vec'), await storage.read(name))
    const other = storageVectorStore({ storage: moved })
    expect(await other.get([key(1)])).toEqual([undefined])
    expect(other.stats().corrupt).toBe(1)
  })

  it('removes the last copy of a vector from every file', async () => {
    const storage = memoryStorage()
    const store = storageVectorStore({ storage })
    const canary = Float32Array.of(1.2345678, 9.8765432, 5.5555)
    await store.set([
      [key(1), canary],
      [key(2), vector(2)],
    ])
    await store.set([[key(1), canary]])
    await store.remove([key(1)])
    const bytes = Buffer.from(canary.buffer)
    for (const name of await storage.list('')) expect(Buffer.from(await storage.read(name)).includes(bytes)).toBe(false)
    expect(await store.get([key(1), key(2)])).toEqual([undefined, vector(2)])
  })

  it('shows neither keys nor vectors in a sealed file, and nothing at all under another key', async () => {
    const storage = memoryStorage()
    const secret = { storage, sealer: encryptingSealer(1) }
    await storageVectorStore(secret).set([[key(0xabcdef123456), vector(3)]])
    const [name = ''] = await storage.list('')
    const file = Buffer.from(await storage.read(name))
    expect(file.includes(Buffer.from(key(0xabcdef123456), 'hex').subarray(10))).toBe(false)
    expect(file.includes(Buffer.from(vector(3).buffer))).toBe(false)
    expect(await storageVectorStore(secret).get([key(0xabcdef123456)])).toEqual([vector(3)])
    for (const sealer of [encryptingSealer(2), undefined]) {
      const other = storageVectorStore({ storage, ...(sealer && { sealer }) })
      expect(await other.get([key(0xabcdef123456)])).toEqual([undefined])
    }
  })

  it('keeps within its size and age, oldest first', async () => {
    let now = 1_000_000
    const storage = memoryStorage()
    const store = storageVectorStore({ storage, maxBytes: 500, maxAgeMs: 100, now: () => now })
    for (let number = 0; number < 10; number++) {
      now += 5
      await store.set([[key(number), vector(number)]])
    }
    expect(store.stats().bytes).toBeLessThanOrEqual(500)
    expect(store.stats().evicted).toBeGreaterThan(0)
    expect((await store.get([key(9), key(0)])).map(Boolean)).toEqual([true, false])
    now += 1000
    expect(await store.get([key(9)])).toEqual([undefined])
    await store.set([[key(20), vector(20)]])
    expect((await storage.list('')).length).toBe(1)
  })

  it('goes on after a write that failed, and passes the failure on', async () => {
    const storage = memoryStorage()
    let broken = true
    const store = storageVectorStore({
      storage: {
        ...storage,
        writeNew: async (name, bytes) => {
          if (broken) throw new Error('EIO')
          return storage.writeNew(name, bytes)
        },
      },
    })
    await expect(store.set([[key(1), vector(1)]])).rejects.toThrow('EIO')
    broken = false
    await store.set([[key(1), vector(1)]])
    expect(await store.get([key(1)])).toEqual([vector(1)])
  })
})

/** AES-256-GCM with the file's salt, the position and the kind as associated data: what a corpus with a key passes in. */
function encryptingSealer(seed: number): Sealer {
  const secret = Buffer.alloc(32, seed)
  return {
    kind: 1,
    overhead: 28,
    epoch: 1,
    forFile: ({ name, salt }) => {
      const bound = (position: number, kind: number) =>
        Buffer.concat([salt, Buffer.from(`${name} ${position} ${kind}`)])
      return {
        seal(record, position, kind) {
          const nonce = randomBytes(12)
          const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(bound(position, kind))
          return Buffer.concat([nonce, cipher.update(record), cipher.final(), cipher.getAuthTag()])
        },
        open(sealed, position, kind) {
          const cipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, 12)).setAAD(bound(position, kind))
          cipher.setAuthTag(sealed.subarray(-16))
          try {
            return Buffer.concat([cipher.update(sealed.subarray(12, -16)), cipher.final()])
          } catch {
            return undefined
          }
        },
      }
    },
  }
}
