import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { memoryStorage, openCorpus, openTenants } from '../../src/corpus/index.ts'
import { fileStorage, localKey, nodeCipher } from '../../src/node/index.ts'
import { scaled } from './scale.ts'
import { seededRandom } from './simulated-file-system.ts'
import { collect, entryFor, space, textsOf } from './support.ts'

describe('openTenants', () => {
  test('hostile tenant names are typed errors or tenants of their own, and nothing outside the root is touched', async () => {
    const above = await mkdtemp(join(tmpdir(), 'groundline-tenants-'))
    const tenants = await openTenants({ storage: fileStorage(join(above, 'root')) })
    const fine = [
      '..',
      '../../etc',
      'a/b',
      'CON',
      'nul.txt',
      '~',
      'Ä',
      'a',
      'A',
      'a ',
      '%2e%2e',
      'constructor',
      '__proto__',
    ]
    for (const id of fine) {
      const { corpus } = await tenants.tenant(id)
      await corpus.commit({ put: [entryFor({ id: 'doc', text: `of ${id}` })], space })
    }
    for (const id of fine) {
      const { corpus } = await tenants.tenant(id)
      expect(await textsOf(corpus)).toEqual(new Map([['doc', `of ${id}`]]))
    }
    expect(await readdir(above)).toEqual(['root'])
    expect((await readdir(join(above, 'root', 'tenants'))).every((name) => /^[0-9a-f]{40}$/.test(name))).toBe(true)
    for (const id of ['', undefined, null, 7, 'a\u0000', '\ud800', 'x'.repeat(4096), 'line\nbreak']) {
      // @ts-expect-error hostile values
      await expect(tenants.tenant(id), String(id)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    await rm(above, { recursive: true })
  })

  test('once a storage has tenants it is no corpus, and a corpus is no storage of tenants', async () => {
    const storage = memoryStorage()
    await openTenants({ storage })
    await expect(openCorpus({ storage })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const plain = memoryStorage()
    await (await openCorpus({ storage: plain })).commit({ put: [entryFor({ id: 'a', text: 'a' })], space })
    await expect(openTenants({ storage: plain })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  const [count, operations] = [
    scaled({ quick: 40, short: 200, full: 1_000 }),
    scaled({ quick: 600, short: 2_000, full: 10_000 }),
  ]

  test(`${operations} operations on ${count} tenants never show one the ids of another`, async () => {
    const tenants = await openTenants({ storage: memoryStorage() })
    const random = seededRandom(31)
    const opened = new Map<number, Awaited<ReturnType<typeof tenants.tenant>>>()
    const models = new Map<number, Map<string, string>>()
    for (let operation = 0; operation < operations; operation++) {
      const number = Math.floor(random() * count)
      const tenant = opened.get(number) ?? (await tenants.tenant(`tenant ${number}`))
      const model = models.get(number) ?? new Map<string, string>()
      opened.set(number, tenant)
      models.set(number, model)
      // Every tenant uses the same few ids, among them those that name other tenants' folders.
      const id = ['doc', '../doc', `tenant ${(number + 1) % count}`, '__proto__'][Math.floor(random() * 4)]!
      const choice = random()
      if (choice < 0.5) {
        const text = `text of ${number} at ${operation}`
        await tenant.corpus.commit({ put: [entryFor({ id, text })], space })
        model.set(id, text)
      } else if (choice < 0.6) {
        await tenant.corpus.commit({ remove: [id] })
        model.delete(id)
      } else if (choice < 0.65) await tenant.corpus.compact()
      else if (choice < 0.75) opened.delete(number)
      else {
        expect(await textsOf(tenant.corpus)).toEqual(new Map([...model].sort(([a], [b]) => (a < b ? -1 : 1))))
        const other = opened.get((number + 1) % count)
        const foreign = other ? (await collect(other.corpus.entries())).map(({ chunk }) => chunk) : []
        const texts = new Set(model.values())
        for (const found of await tenant.corpus.get(foreign.map((chunk) => chunk.id))) {
          if (found) expect([...texts].some((text) => text.includes(found.text))).toBe(true)
        }
      }
    }
  }, 300_000)

  test('tenants with encryption have keys of their own, and erasing one takes its data and no other', async () => {
    const storage = memoryStorage()
    const encryption = { cipher: nodeCipher(), keyProvider: localKey(new Uint8Array(32).fill(3)) }
    const tenants = await openTenants({ storage, encryption })
    const [a, b] = [await tenants.tenant('a'), await tenants.tenant('b')]
    for (const { corpus, id } of [a, b])
      await corpus.commit({ put: [entryFor({ id: 'doc', text: `canary ${id}` })], space })
    const before = new Map<string, Uint8Array>()
    for (const name of await storage.list('')) before.set(name, await storage.read(name))
    // A file of one tenant in the place of the other's does not open, wrapped keys included.
    const [folderA, folderB] = [...new Set((await storage.list('tenants/')).map((name) => name.split('/')[1]!))]
    const swapped = memoryStorage()
    for (const [name, bytes] of before) {
      const twin = before.get(name.replace(folderA!, 'x').replace(folderB!, folderA!).replace('x', folderB!))
      await swapped.writeNew(name, twin ?? bytes)
    }
    for (const id of ['a', 'b']) {
      await expect((await openTenants({ storage: swapped, encryption })).tenant(id)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      })
    }
    await tenants.erase('a')
    expect((await (await tenants.tenant('a')).corpus.info()).documents).toBe(0)
    expect(await textsOf((await tenants.tenant('b')).corpus)).toEqual(new Map([['doc', 'canary b']]))
  })

  test.each(['plain', 'encrypted'] as const)(
    'a hold keeps a %s tenant from being erased until it is released',
    async (mode) => {
      const storage = memoryStorage()
      const keyProvider = localKey(new Uint8Array(32).fill(3))
      const encryption = mode === 'encrypted' ? { keyProvider, cipher: nodeCipher() } : undefined
      const tenants = await openTenants({ storage, ...(encryption && { encryption }) })
      const { corpus } = await tenants.tenant('a')
      await corpus.commit({ put: [entryFor({ id: 'doc', text: 'held' })], space })
      await corpus.tag('case', { hold: 'litigation' })
      await corpus.commit({ remove: ['doc'] })
      const before = await storage.list('')
      await expect(tenants.erase('a')).rejects.toMatchObject({ code: 'LEGAL_HOLD', details: { tag: 'case' } })
      expect(await storage.list('')).toEqual(before)
      await corpus.untag('case')
      await tenants.erase('a')
      expect(await storage.list('')).toEqual(['tenants.on'])
      await tenants.erase('a')
      await tenants.erase('never there')
    },
  )

  test('an erasure that stopped after the keys is carried to its end', async () => {
    const storage = memoryStorage()
    let stop = true
    const stopping = {
      ...storage,
      remove: async (name: string) => {
        if (stop && !name.includes('/keys/')) throw new Error('killed')
        await storage.remove(name)
      },
    }
    const encryption = { keyProvider: localKey(new Uint8Array(32).fill(3)), cipher: nodeCipher() }
    const tenants = await openTenants({ storage: stopping, encryption })
    const { corpus } = await tenants.tenant('a')
    await corpus.commit({ put: [entryFor({ id: 'doc', text: 'text' })], space })
    await expect(tenants.erase('a')).rejects.toThrow('killed')
    await expect(tenants.tenant('a')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    stop = false
    await tenants.erase('a')
    expect((await (await tenants.tenant('a')).corpus.info()).documents).toBe(0)
  })

  test('a mark of a newer format is refused and left as it is; a damaged one still says that there are tenants', async () => {
    const storage = memoryStorage()
    const newer = new TextEncoder().encode('groundline tenants 2\n')
    await storage.publish('tenants.on', newer)
    for (const readOnly of [false, true])
      await expect(openTenants({ storage, readOnly })).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
    expect(await storage.read('tenants.on')).toEqual(newer)
    const damaged = memoryStorage()
    await damaged.publish('tenants.on', Uint8Array.of(1, 2))
    await openTenants({ storage: damaged })
    await expect(openCorpus({ storage: damaged })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
