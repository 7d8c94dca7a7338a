import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { iterableSource } from '../../src/corpus/index.ts'
import type { Document } from '../../src/document.ts'
import { isGroundlineError } from '../../src/errors.ts'
import { createGroundline, createTenants } from '../../src/preset/index.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'

const embedder = fakeEmbedder({ dimensions: 8 })
const good = { id: 'good', text: 'Keys are rotated every ninety days.' }

/** What a caller without types may pass. */
const names: readonly [what: string, name: unknown, accepted: boolean][] = [
  ['a way up', '../../outside.txt', true],
  ['an absolute path', '/etc/passwd', true],
  ['a backslash', 'a\\b', true],
  ['a device', 'CON', true],
  ['two dots', '..', true],
  ['a prototype', '__proto__', true],
  ['NUL', 'a\0b', false],
  ['a control character', 'a\u0007', false],
  ['a lone surrogate', 'a\ud800', false],
  ['4 KB', 'x'.repeat(4096), false],
  ['nothing', '', false],
  ...[undefined, null, 5, 10n, Symbol('s'), {}, ['a'], () => 1].map(
    (value) => [`a ${typeof value}`, value, false] as [string, unknown, boolean],
  ),
]

/** The code of a call, or `fine`; anything but an error of ours fails. */
async function outcomeOf(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'fine'
  } catch (error) {
    if (!isGroundlineError(error)) throw error
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: error.code, message: error.message })
    return error.code
  }
}

describe('bad input to a preset', () => {
  it.each(names)(
    '%s as an id, a tag, a hold, a principal or a tenant is a typed error or a name',
    async (_, given, accepted) => {
      const above = mkdtempSync(join(tmpdir(), 'groundline-bad-'))
      writeFileSync(join(above, 'outside.txt'), 'outside')
      const name = given as string
      {
        await using ground = await createGroundline({ path: join(above, 'kb'), embedder })
        await ground.add([good])
        expect(await outcomeOf(() => ground.add([{ id: name, text: 'of the name' }]))).toMatch(
          accepted ? 'fine' : /^INVALID_(?:DOCUMENT|ARGUMENT)$/,
        )
        expect((await ground.get(name))?.text).toBe(accepted ? 'of the name' : undefined)
        const source = iterableSource('s', () => [{ id: name, content: 'x', mediaType: 'text/plain' }])
        const { failed } = await ground.sync(source)
        expect(failed).toHaveLength(1)
        expect(isGroundlineError(failed[0]!.error)).toBe(true)
        expect(await outcomeOf(() => ground.corpus.tag(name))).toBe(accepted ? 'fine' : 'INVALID_ARGUMENT')
        if (typeof given !== 'number')
          expect(await outcomeOf(() => ground.corpus.at(name))).toBe(accepted ? 'fine' : 'NOT_FOUND')
        const isText = given === undefined || typeof given === 'string'
        expect(await outcomeOf(() => ground.corpus.tag('held', { hold: name }))).toBe(
          isText ? 'fine' : 'INVALID_ARGUMENT',
        )
        await outcomeOf(() => ground.retrieve('keys', { principals: [name] }))
        await outcomeOf(() => ground.remove([name]))
        await outcomeOf(() => ground.corpus.get([name]))
        await outcomeOf(() => ground.corpus.untag(name))
        expect(await ground.get('good')).toMatchObject(good)
        expect(await ground.corpus.verify()).toEqual([])
      }
      await using tenants = await createTenants({ path: join(above, 'tenants'), embedder })
      expect(await outcomeOf(() => tenants.tenant(name))).toBe(accepted ? 'fine' : 'INVALID_ARGUMENT')
      expect(await outcomeOf(() => tenants.erase(name))).toBe(accepted ? 'fine' : 'INVALID_ARGUMENT')
      expect(readdirSync(above).sort()).toEqual(['kb', 'outside.txt', 'tenants'])
      expect(readFileSync(join(above, 'outside.txt'), 'utf8')).toBe('outside')
    },
  )

  const circle: Record<string, unknown> = {}
  circle.again = circle
  const deep: Record<string, unknown> = {}
  for (let level = 0, inner = deep; level < 100_000; level++) inner = inner.x = {}
  const metadata: readonly [what: string, value: unknown][] = [
    ['a prototype', JSON.parse('{"__proto__":{"polluted":1}}')],
    ['a prototype within', { a: [JSON.parse('{"__proto__":{"polluted":1}}')] }],
    ['a circle', circle],
    ['100,000 levels', deep],
    ['a function', { f: () => 1 }],
    ['a BigInt', { b: 1n }],
    ['a symbol', { s: Symbol('s') }],
    ['NaN', { n: Number.NaN }],
    ['a Map', { m: new Map() }],
    ['bytes', { b: new Uint8Array(2) }],
    ['null', null],
    ['a list', [1]],
    ['a text', 'x'],
  ]

  it.each(metadata)(
    'metadata with %s are refused, added or synced, and nothing of the call is stored',
    async (_, value) => {
      await using ground = await createGroundline({ embedder })
      const document = { id: 'bad', text: 'some text', metadata: value } as Document
      await expect(ground.add([good, document])).rejects.toMatchObject({ code: 'INVALID_METADATA' })
      expect(ground.info().documents).toBe(0)
      const source = iterableSource('s', () => [{ id: 'bad', content: 'x', mediaType: 'text/plain' }])
      const prepare = (loaded: Document): Document => ({ ...loaded, metadata: value as Document['metadata'] & object })
      const { failed } = await ground.sync(source, { prepare })
      expect(failed).toMatchObject([{ id: 'bad', error: { code: 'INVALID_METADATA' } }])
      expect(ground.info().documents).toBe(0)
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    },
  )

  it('arguments of another kind are typed errors, and so is what an outline or an offset map cannot be', async () => {
    await using ground = await createGroundline({ embedder })
    await ground.add([good])
    for (const wrong of [undefined, null, 5, {}] as never[]) {
      await expect(ground.add(wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      await expect(ground.add([wrong])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      await expect(ground.sync(wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      await expect(ground.plan(wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      if (wrong !== undefined) await expect(ground.remove(wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    const maps = [
      { outline: 'x' },
      { outline: [null] },
      { outline: [{ start: 0.5, end: 1 }] },
      { outline: [{ start: 0, end: 1, kind: 1n }] },
      { sourceMap: 'x' },
      { sourceMap: { pieces: [{}] } },
    ]
    for (const wrong of maps)
      await expect(ground.add([{ ...good, ...wrong } as never])).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' })
    expect(await ground.get('good')).toEqual(good)
  })

  it("another program's files in the folder are neither read, touched nor taken for the corpus's", async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'groundline-foreign-')), 'kb')
    const own = await createGroundline({ path, embedder })
    await own.add([good])
    const foreign = [
      'notes.txt',
      'segments/mine.doc',
      'manifests/000000000009.man.bak',
      'manifests/README',
      'segments/x.seg',
    ]
    for (const name of foreign) writeFileSync(join(path, name), `of another program: ${name}`)
    await own.add([{ id: 'more', text: 'More about keys.' }])
    await own.remove(['more'])
    const { unaccounted } = await own.corpus.purge()
    await own.corpus.compact()
    await own.corpus.collect({ keep: { versions: 1, milliseconds: 0 } })
    await own.close()
    await using again = await createGroundline({ path, embedder })
    expect((await again.retrieve('keys')).passages.map(({ documentId }) => documentId)).toEqual(['good'])
    for (const name of foreign) expect(readFileSync(join(path, name), 'utf8')).toBe(`of another program: ${name}`)
    expect([...unaccounted].sort()).toEqual(['notes.txt', 'segments/mine.doc', 'segments/x.seg'])
    expect(existsSync(join(path, 'manifests/README'))).toBe(true)
  })
})
