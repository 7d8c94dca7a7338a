import { describe, expect, test } from 'vitest'
import { memoryStorage, openCorpus, openKeyring, type Storage } from '../../src/corpus/index.ts'
import { localKey, nodeCipher, passphraseKey } from '../../src/node/index.ts'
import { entryFor, space, textsOf } from './support.ts'

const cipher = nodeCipher()
const keyOf = (byte: number) => localKey(new Uint8Array(32).fill(byte))

async function open(storage: Storage, byte = 1, context = '') {
  const keyring = await openKeyring({ storage, cipher, keyProvider: keyOf(byte), context })
  return { keyring, corpus: await openCorpus({ storage, sealer: keyring.sealer }) }
}

async function allBytes(storage: Storage): Promise<string> {
  const parts: string[] = []
  for (const name of await storage.list('')) parts.push(Buffer.from(await storage.read(name)).toString('latin1'))
  return parts.join('')
}

describe('openKeyring', () => {
  test('what is stored with a key reads back with it, and shows nothing without', async () => {
    const storage = memoryStorage()
    const { corpus } = await open(storage)
    const entry = entryFor({
      id: 'secret-id',
      text: 'secret text',
      title: 'secret title',
      metadata: { secret: 'value' },
    })
    await corpus.commit({ put: [entry], space })
    await corpus.tag('secret tag')
    const bytes = await allBytes(storage)
    const vector = Buffer.from(entry.vectors[0]!.buffer).toString('latin1')
    for (const canary of ['secret', vector, entry.chunks[0]!.id]) expect(bytes.includes(canary)).toBe(false)
    expect(await textsOf((await open(storage)).corpus)).toEqual(new Map([['secret-id', 'secret text']]))
  })

  test('another key, no key, a superfluous key and erased keys are typed errors', async () => {
    const storage = memoryStorage()
    const { corpus, keyring } = await open(storage)
    await corpus.commit({ put: [entryFor({ id: 'a', text: 'text' })], space })
    await expect(open(storage, 2)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(open(storage, 1, 'other')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(openCorpus({ storage })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const plain = memoryStorage()
    await (await openCorpus({ storage: plain })).commit({ put: [entryFor({ id: 'a', text: 'text' })], space })
    await expect(open(plain)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await keyring.erase()
    await expect(corpus.commit({ put: [entryFor({ id: 'b', text: 'text' })], space })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(open(storage)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('every changed byte, and every file from elsewhere in the corpus, is rejected', async () => {
    const storage = memoryStorage()
    const { corpus } = await open(storage)
    for (const id of ['a', 'b']) await corpus.commit({ put: [entryFor({ id, text: `text of ${id}` })], space })
    const names = (await storage.list('')).filter((name) => !name.startsWith('keys/'))
    const files = new Map<string, Uint8Array>()
    for (const name of await storage.list('')) files.set(name, await storage.read(name))
    const check = async (name: string, bytes: Uint8Array) => {
      const changed = memoryStorage()
      for (const [other, content] of files) await changed.writeNew(other, other === name ? bytes : content)
      try {
        const opened = (await open(changed)).corpus
        for (const [id, text] of await textsOf(opened)) expect(text).toBe(`text of ${id}`)
        return opened.info().damage.length > 0 || (await opened.verify()).length > 0
      } catch {
        return true
      }
    }
    let harmless = 0
    for (const name of names) {
      const bytes = files.get(name)!
      for (let at = 0; at < bytes.length; at += 37) {
        const flipped = bytes.slice()
        flipped[at] = flipped[at]! ^ 0x40
        if (!(await check(name, flipped))) harmless++
      }
      for (const other of names)
        if (other !== name && other.split('/')[0] === name.split('/')[0]) await check(name, files.get(other)!)
    }
    // Copies of catalogue and manifest and repeated headers may change without effect; no document may.
    expect(harmless).toBeGreaterThan(0)
  })

  test('keys rotate while readers read, old files stay readable, and compaction retires them', async () => {
    const storage = memoryStorage()
    const { corpus, keyring } = await open(storage)
    const reader = await open(storage)
    await corpus.commit({ put: [entryFor({ id: 'a', text: 'under the first key' })], space })
    await keyring.rotate()
    await corpus.commit({ put: [entryFor({ id: 'b', text: 'under the second key' })], space })
    expect(await reader.corpus.refresh()).toBe(true)
    const expected = new Map([
      ['a', 'under the first key'],
      ['b', 'under the second key'],
    ])
    expect(await textsOf(reader.corpus)).toEqual(expected)
    await corpus.compact()
    await corpus.collect({ keep: { versions: 1, milliseconds: 0 } })
    for (const name of await storage.list('')) {
      if (name.startsWith('keys/')) continue
      const header = await storage.read(name, { start: 0, end: 16 })
      expect(new DataView(header.buffer, header.byteOffset).getUint32(12, true), name).toBe(2)
    }
    await keyring.rewrap(keyOf(9))
    expect(await storage.list('keys/')).toHaveLength(1)
    await expect(open(storage, 1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await textsOf((await open(storage, 9)).corpus)).toEqual(expected)
  })

  test('a passphrase opens what it closed and no other does', async () => {
    const storage = memoryStorage()
    const keyProvider = passphraseKey('correct horse', { cost: 1024 })
    const { sealer } = await openKeyring({ storage, cipher, keyProvider })
    await (await openCorpus({ storage, sealer })).commit({ put: [entryFor({ id: 'a', text: 'text' })], space })
    const again = await openKeyring({ storage, cipher, keyProvider: passphraseKey('correct horse') })
    expect((await openCorpus({ storage, sealer: again.sealer })).info().documents).toBe(1)
    const wrong = openKeyring({ storage, cipher, keyProvider: passphraseKey('wrong', { cost: 1024 }) })
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(() => passphraseKey('')).toThrow('not empty')
    expect(() => passphraseKey('x', { cost: 1000 })).toThrow('power of two')
    expect(() => localKey(new Uint8Array(16))).toThrow('32 bytes')
  })

  test('two processes that make a keyring at once share one', async () => {
    const storage = memoryStorage()
    const [one, two] = await Promise.all([open(storage), open(storage)])
    await one.corpus.commit({ put: [entryFor({ id: 'a', text: '1' })], space })
    await two.corpus.commit({ put: [entryFor({ id: 'b', text: '2' })], space })
    expect((await textsOf((await open(storage)).corpus)).size).toBe(2)
  })
})
