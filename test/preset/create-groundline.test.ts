import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/corpus/index.ts'
import { lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { fileStorage, folder, localKey } from '../../src/node/index.ts'
import { createGroundline, createSession, createTenants, sessionFromJson } from '../../src/preset/index.ts'
import { fakeEmbedder, scriptedModel } from '../../src/testing/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'

const documents = [
  { id: 'keys.md', title: 'Keys', text: 'Keys are rotated every ninety days.', metadata: { team: 'security' } },
  { id: 'backup.md', title: 'Backups', text: 'Backups run each night.', metadata: { team: 'operations' } },
]

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

describe('createGroundline', () => {
  it('finds, assembles and lists what was added, and no longer what was removed', async () => {
    await using ground = await createGroundline()
    expect(await ground.add(documents)).toMatchObject({ version: 1, added: ['backup.md', 'keys.md'] })
    const { passages } = await ground.retrieve('rotated keys', { topK: 1 })
    expect(passages).toMatchObject([
      { documentId: 'keys.md', source: { title: 'Keys' }, metadata: { team: 'security' } },
    ])
    const prompt = await ground.assemble('When are keys rotated?')
    expect(prompt.sources[0]).toMatchObject({ number: 1, documentId: 'keys.md' })
    expect(prompt.ledger.total).toBeLessThanOrEqual(prompt.ledger.budget)
    expect((await collect(ground.list())).map(({ id }) => id)).toEqual(['backup.md', 'keys.md'])

    await ground.remove(['keys.md'])
    expect(await ground.get('keys.md')).toBeUndefined()
    expect((await ground.retrieve('rotated keys')).passages.map(({ documentId }) => documentId)).not.toContain(
      'keys.md',
    )
  })

  it('returns only what a filter allows', async () => {
    await using ground = await createGroundline()
    await ground.add(documents)
    const filter = { op: 'eq', path: ['team'], value: 'operations' } as const
    const { passages } = await ground.retrieve('rotated keys', { filter })
    expect(passages.map(({ documentId }) => documentId)).toEqual(['backup.md'])
  })

  it('gives the same answers after it was closed and opened again, and writes nothing when opened read-only', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-preset-'))
    const first = await createGroundline({ path })
    await first.add(documents)
    const before = await first.retrieve('backups at night')
    await first.close()

    await using again = await createGroundline({ path, readOnly: true })
    expect(await again.retrieve('backups at night')).toEqual(before)
    await expect(again.add(documents)).rejects.toMatchObject({ code: 'READ_ONLY' })
  })

  it('opened read-only says that there is nothing to read, and makes nothing', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'groundline-none-')), 'none')
    const keyProvider = localKey(new Uint8Array(32).fill(1))
    for (const encryption of [undefined, { keyProvider }]) {
      const options = { path, readOnly: true, ...(encryption && { encryption }) }
      await expect(createGroundline(options)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
    await using tenants = await createTenants({ path, readOnly: true, encryption: { keyProvider } })
    await expect(tenants.tenant('acme')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(existsSync(path)).toBe(false)
  })

  it('adds all documents or none', async () => {
    await using ground = await createGroundline()
    await ground.add(documents)
    const bad = [
      { id: 'new.md', text: 'New.' },
      { id: 'bad\u0000id', text: 'Bad.' },
    ]
    await expect(ground.add(bad)).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' })
    expect(ground.info()).toMatchObject({ documents: 2, version: 1 })
    expect((await ground.retrieve('new')).passages.map(({ documentId }) => documentId)).not.toContain('new.md')
  })

  it('syncs a folder: new, changed, vanished and unreadable files', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'groundline-folder-'))
    writeFileSync(join(directory, 'a.md'), '# A\n\nAlpha.')
    writeFileSync(join(directory, 'b.md'), '# B\n\nBeta.')
    writeFileSync(join(directory, 'binary.md'), Uint8Array.of(0, 1, 2, 0, 255, 254, 0, 7))
    await using ground = await createGroundline({ storage: memoryStorage() })
    const first = await ground.sync(folder(directory))
    expect(first).toMatchObject({ added: ['a.md', 'b.md'], changed: [], removed: [], reused: [] })
    expect(first.failed).toMatchObject([{ id: 'binary.md', error: { code: 'UNSUPPORTED_FORMAT' } }])

    writeFileSync(join(directory, 'b.md'), '# B\n\nGamma instead.')
    const second = await ground.sync(folder(directory))
    expect(second).toMatchObject({ added: [], changed: ['b.md'], removed: [], reused: ['a.md'] })
    expect((await ground.retrieve('gamma', { topK: 1 })).passages[0]?.text).toContain('Gamma instead.')
    await expect(ground.sync(folder(join(directory, 'missing')))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('refuses an empty question, a call after close, and ask without a model', async () => {
    const ground = await createGroundline()
    await expect(ground.retrieve(' ')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(collect(ground.ask('why?'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await ground.close()
    await ground.close()
    await expect(ground.retrieve('why?')).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(ground.add(documents)).rejects.toMatchObject({ code: 'CLOSED' })
    expect(() => ground.list()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })

  it('refuses a corpus of another embedding space', async () => {
    const storage = memoryStorage()
    const first = await createGroundline({ storage })
    await first.add(documents)
    await first.close()
    const embedder = fakeEmbedder({ dimensions: 16 })
    await expect(createGroundline({ storage, embedder })).rejects.toMatchObject({ code: 'SPACE_MISMATCH' })
  })

  it('takes every part from outside, and builds a failing index again from the corpus', async () => {
    const embedder = lexicalHashEmbedder({ dimensions: 64 })
    let made = 0
    await using ground = await createGroundline({
      embedder,
      vectorIndex: ({ dimensions }) => {
        const index = exactIndex({ dimensions, metric: 'cosine' })
        // The first index breaks at once, as one on a full disk would.
        if (made++ === 0) return { ...index, upsert: () => Promise.reject(new Error('full')) }
        return index
      },
    })
    await ground.retrieve('nothing yet')
    await ground.add(documents)
    expect((await ground.retrieve('rotated keys', { topK: 1 })).passages[0]?.documentId).toBe('keys.md')
    expect(made).toBe(2)
    expect(ground.info().vectorIndex).toBe('custom')
  })

  it('stops at an abort, keeps its reason, and works afterwards', async () => {
    await using ground = await createGroundline()
    const reason = new Error('stop')
    const signal = AbortSignal.abort(reason)
    await expect(ground.add(documents, { signal })).rejects.toBe(reason)
    await expect(ground.retrieve('keys', { signal })).rejects.toBe(reason)
    await expect(ground.sync(folder(tmpdir()), { signal })).rejects.toBe(reason)
    await ground.add(documents)
    expect((await ground.retrieve('rotated keys')).passages).not.toEqual([])
  })

  it('answers with verified citations and remembers the conversation, also through JSON', async () => {
    const model = scriptedModel(['They are "rotated every ninety days" [1].'])
    await using ground = await createGroundline({ model })
    await ground.add(documents)
    const session = createSession({ topK: 1 })
    const events = await collect(ground.ask('When are keys rotated?', { session }))
    expect(events.at(-1)).toMatchObject({
      type: 'done',
      answer: {
        citations: [{ number: 1, verdict: 'verified', source: { documentId: 'keys.md' }, span: { start: 9, end: 34 } }],
      },
    })
    expect(session.history).toMatchObject([{ role: 'user', content: 'When are keys rotated?' }, { role: 'assistant' }])

    const restored = sessionFromJson(JSON.parse(JSON.stringify(session)))
    expect(await ground.assemble('And backups?', { session: restored })).toEqual(
      await ground.assemble('And backups?', { session }),
    )
  })

  it('shares a folder between a writer and a later reader', async () => {
    const path = mkdtempSync(join(tmpdir(), 'groundline-shared-'))
    await using writer = await createGroundline({ storage: fileStorage(path) })
    await writer.add(documents)
    await using reader = await createGroundline({ path, readOnly: true })
    expect(reader.info()).toMatchObject({ documents: 2, version: 1, notes: [] })
  })
})
