import { describe, expect, test } from 'vitest'
import { type KeyProvider, memoryStorage, openCorpus, openKeyring, type Storage } from '../../src/corpus/index.ts'
import { localKey, nodeCipher } from '../../src/node/index.ts'
import { entryFor, space, textsOf } from './support.ts'

const cipher = nodeCipher()
const [first, second] = [localKey(new Uint8Array(32).fill(1)), localKey(new Uint8Array(32).fill(2))]

/** Stops before, or right after, the n-th call that changes something, as a killed process does: nothing follows. */
function killedAt(storage: Storage, nth: number, when: 'before' | 'after'): Storage & { readonly dead: () => boolean } {
  let calls = 0
  const guard = async <T>(call: () => Promise<T>): Promise<T> => {
    if (calls > nth || (++calls > nth && when === 'before')) throw new Error('killed')
    const result = await call()
    if (calls > nth) throw new Error('killed')
    return result
  }
  return {
    ...storage,
    dead: () => calls > nth,
    writeNew: (...parts) => guard(() => storage.writeNew(...parts)),
    publish: (...parts) => guard(() => storage.publish(...parts)),
    remove: (...parts) => guard(() => storage.remove(...parts)),
  }
}

async function copyOf(storage: Storage): Promise<Storage> {
  const copy = memoryStorage()
  for (const name of await storage.list('')) await copy.writeNew(name, await storage.read(name))
  return copy
}

/** A corpus with two data keys, as it is before whatever is interrupted. */
async function beforehand(): Promise<Storage> {
  const storage = memoryStorage()
  const keyring = await openKeyring({ storage, cipher, keyProvider: first })
  const corpus = await openCorpus({ storage, sealer: keyring.sealer, maintenance: 'manual' })
  await corpus.commit({ put: [entryFor({ id: 'a', text: 'under the first key' })], space })
  await keyring.rotate()
  await corpus.commit({ put: [entryFor({ id: 'b', text: 'under the second key' })], space })
  return storage
}

const expected = new Map([
  ['a', 'under the first key'],
  ['b', 'under the second key'],
])

async function opens(storage: Storage, keyProvider: KeyProvider): Promise<boolean> {
  try {
    const { sealer } = await openKeyring({ storage, cipher, keyProvider })
    expect(await textsOf(await openCorpus({ storage, sealer }))).toEqual(expected)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    return false
  }
}

describe('a rotation that is interrupted at any call', () => {
  test.each(['before', 'after'] as const)(
    'of the data key loses nothing, and works when repeated: killed %s',
    async (when) => {
      const start = await beforehand()
      let kills = 0
      for (let nth = 0; ; nth++) {
        const storage = await copyOf(start)
        const dying = killedAt(storage, nth, when)
        const keyring = await openKeyring({ storage: dying, cipher, keyProvider: first })
        const corpus = await openCorpus({ storage: dying, sealer: keyring.sealer, maintenance: 'manual' })
        const run = async () => {
          await keyring.rotate()
          await corpus.compact()
          await corpus.collect({ keep: { versions: 1, milliseconds: 0 } })
        }
        const outcome = await run().catch((error: unknown) => error)
        if (!dying.dead()) break
        kills++
        expect(outcome).toBeInstanceOf(Error)
        expect(await opens(storage, first)).toBe(true)
        const again = await openKeyring({ storage, cipher, keyProvider: first })
        await again.rotate()
        const reopened = await openCorpus({ storage, sealer: again.sealer })
        await reopened.compact()
        expect(await textsOf(reopened)).toEqual(expected)
        expect(await reopened.verify()).toEqual([])
        expect(await storage.list('keys/')).toHaveLength(1)
      }
      expect(kills).toBeGreaterThan(5)
    },
  )

  test.each(['before', 'after'] as const)(
    'of the wrapping key always leaves one that opens, and ends with the new one alone: killed %s',
    async (when) => {
      const start = await beforehand()
      let kills = 0
      for (let nth = 0; ; nth++) {
        const storage = await copyOf(start)
        const dying = killedAt(storage, nth, when)
        const keyring = await openKeyring({ storage: dying, cipher, keyProvider: first })
        await keyring.rewrap(second).catch(() => undefined)
        if (!dying.dead()) break
        kills++
        const [old, fresh] = [await opens(storage, first), await opens(storage, second)]
        expect([old, fresh].filter(Boolean)).toHaveLength(1)
        // Repeated with the key that opens, it leaves nothing that the old key could unwrap.
        const again = await openKeyring({ storage, cipher, keyProvider: old ? first : second })
        await again.rewrap(second)
        expect(await storage.list('keys/')).toHaveLength(1)
        expect(await opens(storage, second)).toBe(true)
        expect(await opens(storage, first)).toBe(false)
      }
      expect(kills).toBeGreaterThan(1)
    },
  )

  test('of either key goes on while another process reads and writes', async () => {
    const storage = await beforehand()
    const other = await openKeyring({ storage, cipher, keyProvider: first })
    const reader = await openCorpus({ storage, sealer: other.sealer })
    const owner = await openKeyring({ storage, cipher, keyProvider: first })
    const writer = await openCorpus({ storage, sealer: owner.sealer })
    await owner.rotate()
    await writer.commit({ put: [entryFor({ id: 'c', text: 'under the third key' })], space })
    await reader.refresh()
    expect((await reader.document('c'))?.text).toBe('under the third key')
    await owner.rewrap(second)
    await writer.commit({ put: [entryFor({ id: 'd', text: 'wrapped again' })], space })
    await reader.commit({ put: [entryFor({ id: 'e', text: 'from the other process' })], space })
    expect((await textsOf(reader)).size).toBe(5)
    await writer.refresh()
    expect((await textsOf(writer)).size).toBe(5)
  })
})
