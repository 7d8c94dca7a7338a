import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expireDocuments, nearDuplicates, redactor } from '../../src/corpus/index.ts'
import type { Document } from '../../src/document.ts'
import { folder } from '../../src/node/index.ts'
import { createGroundline } from '../../src/preset/index.ts'

function docsFolder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'groundline-docs-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

describe('taking in through a preset', () => {
  it('says what a sync would do and cost before it does it', async () => {
    const docs = docsFolder({ 'keys.md': 'Keys are rotated every ninety days.', 'doors.md': 'Doors have hinges.' })
    await using ground = await createGroundline()
    const plan = await ground.plan(folder(docs), { pricePerMillion: 1_000_000 })
    expect(plan).toMatchObject({ added: ['doors.md', 'keys.md'], changed: [], removed: [], embedChunks: 2 })
    expect(plan.embedTokens).toBeGreaterThan(5)
    expect(plan.price).toBe(plan.embedTokens)
    expect(ground.info().version).toBe(0)
    expect(await ground.sync(folder(docs), { plan })).toMatchObject({ added: ['doors.md', 'keys.md'] })
    expect(await ground.plan(folder(docs))).toMatchObject({ added: [], changed: [], embedTokens: 0, price: 0 })
  })

  it('keeps private text out of every file, and leaves near-duplicates out, in later syncs too', async () => {
    const page = Array.from({ length: 60 }, (_, at) => `word${at * 7}`).join(' ')
    const docs = docsFolder({
      'a.md': `${page} Write to jane@example.com.`,
      'b.md': `${page} Write to jane@example.com!`,
      'c.md': 'Something else.',
    })
    const path = mkdtempSync(join(tmpdir(), 'groundline-kb-'))
    const redact = redactor()
    const options = () => ({
      prepare: (document: Document) => ({ ...document, text: redact(document.text) }),
      pipeline: 'redacted 1',
      duplicates: { finder: nearDuplicates(), policy: 'skip' as const },
    })
    await using ground = await createGroundline({ path })
    const expected = { skipped: [{ id: 'b.md', duplicateOf: 'a.md' }] }
    expect(await ground.plan(folder(docs), options())).toMatchObject({ added: ['a.md', 'c.md'], ...expected })
    expect(await ground.sync(folder(docs), options())).toMatchObject({ added: ['a.md', 'c.md'], ...expected })
    expect(await ground.sync(folder(docs), options())).toMatchObject({ reused: ['a.md', 'c.md'], ...expected })
    expect((await ground.retrieve('write')).passages[0]?.text).toContain('████')
    // Without the name of what it does, the folder would count as unchanged.
    expect(await ground.sync(folder(docs), { ...options(), pipeline: 'redacted 2' })).toMatchObject({
      changed: ['a.md', 'c.md'],
    })
    await ground.close()
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.length).toBeGreaterThan(2)
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name)).includes('jane'), name).toBe(false)
  })

  it('gives documents a time to live, added or synced', async () => {
    const docs = docsFolder({ 'news.md': 'News of the day.', 'law.md': 'The law.' })
    await using ground = await createGroundline()
    await ground.add([{ id: 'note', text: 'A note.' }], { expires: '2030-01-01T00:00:00Z' })
    await ground.sync(folder(docs), {
      expires: ({ id }) => (id === 'news.md' ? '2031-01-01T00:00:00Z' : undefined),
    })
    const left = async () => {
      const ids: string[] = []
      for await (const { id } of ground.list()) ids.push(id)
      return ids
    }
    await expireDocuments(ground.corpus, { now: new Date('2030-06-01') })
    expect(await left()).toEqual(['law.md', 'news.md'])
    await expireDocuments(ground.corpus, { now: new Date('2032-01-01') })
    expect(await left()).toEqual(['law.md'])
    expect((await ground.retrieve('news of the day')).passages.map(({ documentId }) => documentId)).toEqual(['law.md'])
    await expect(ground.add([{ id: 'x', text: 'x' }], { expires: 'soon' })).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
    })
  })
})
