import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { derivedFiles, openCorpus, servedFiles } from '../../src/corpus/index.ts'
import { lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { fileStorage, localKey } from '../../src/node/index.ts'
import { groundlineOver } from '../../src/preset/groundline-over.ts'
import { createGroundline, createTenants, type Groundline, type GroundlineView } from '../../src/preset/index.ts'
import { createRandom } from '../../src/testing/index.ts'
import { scaled } from '../corpus/scale.ts'

const embedder = lexicalHashEmbedder({ dimensions: 64 })
const words = Array.from({ length: 60 }, (_, at) => `word${at}`)
const questions = ['word1 word2', 'word7 word30', 'word59', 'word11 word12 word13']
const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'groundline-view-'))
  folders.push(folder)
  return folder
}

interface Written {
  readonly id: string
  readonly text: string
  readonly metadata: { readonly group: number; readonly access: readonly string[] }
}

function documentOf(id: string, seed: number): Written {
  const random = createRandom(seed)
  const text = Array.from({ length: 12 }, () => random.pick(words)).join(' ')
  const access = ['ann', 'bob', 'eve'].filter(() => random.below(3) > 0)
  return { id, text, metadata: { group: random.below(3), access } }
}

async function answersOf(asked: Pick<Groundline, 'retrieve'>, principals?: readonly string[]) {
  const answers = []
  for (const question of questions)
    for (const filter of [undefined, { op: 'eq', path: ['group'], value: 1 } as const]) {
      const { passages } = await asked.retrieve(question, { topK: 12, filter, ...(principals && { principals }) })
      answers.push(passages.map(({ id, text, score, stages }) => ({ id, text, score, stages })))
    }
  return answers
}

const idsOf = (answers: Awaited<ReturnType<typeof answersOf>>) =>
  answers.map((each) => each.map(({ text, score }) => [text, score]))

describe('at() of a preset', () => {
  const runs = scaled({ quick: 6, short: 20, full: 300 })

  it(`${runs} random histories: each version answers as it did when it was current, to the bit, and readers by the lists of then and now`, async () => {
    for (let run = 0; run < runs; run++) {
      const random = createRandom(400 + run)
      const path = run % 3 === 0 ? undefined : newFolder()
      const encryption = run % 3 === 2 ? { keyProvider: localKey(new Uint8Array(32).fill(3)) } : undefined
      const options = { embedder, ...(path !== undefined && { path }), ...(encryption && { encryption }) }
      let ground = await createGroundline(options)
      let stored = new Map<string, Written>()
      const contents = new Map<number, Map<string, Written>>()
      const recorded = new Map<number, Awaited<ReturnType<typeof answersOf>>>()
      const open: { readonly view: GroundlineView; readonly version: number }[] = []
      for (let step = 0; step < 14; step++) {
        const draw = random.below(10)
        const known = [...contents.keys()]
        if (draw < 6 || known.length === 0) {
          const put = Array.from({ length: 1 + random.below(6) }, () =>
            documentOf(`d${random.below(25)}`, run * 1_000 + random.below(1_000)),
          )
          const once = [...new Map(put.map((one) => [one.id, one])).values()]
          await ground.add(once)
          stored = new Map([...stored, ...once.map((one) => [one.id, one] as const)])
        } else if (draw < 7) {
          const gone = [...stored.keys()].slice(0, 1 + random.below(3))
          await ground.remove(gone)
          stored = new Map([...stored].filter(([id]) => !gone.includes(id)))
        } else if (draw < 8) {
          const back = random.pick(known)
          await ground.corpus.rollback(back)
          stored = contents.get(back)!
        } else if (draw < 9 && path !== undefined) {
          for (const { view } of open.splice(0)) await view.close()
          await ground.close()
          ground = await createGroundline(options)
        } else {
          await ground.corpus.compact()
        }
        const { version } = ground.info()
        contents.set(version, stored)
        recorded.set(version, await answersOf(ground))
        if (random.below(3) === 0) open.push({ view: await ground.at(version), version })
      }
      const check = async (view: GroundlineView, version: number) => {
        const note = `run ${run}, version ${version}`
        expect(await answersOf(view), note).toEqual(recorded.get(version))
        const principals = [random.pick(['ann', 'bob', 'eve'])]
        // The oracle is a corpus of what is given by both.
        const then = contents.get(version)!
        const lists = [...then.values()].map(({ metadata, ...rest }) => {
          const now = stored.get(rest.id)?.metadata.access ?? []
          return { ...rest, metadata: { ...metadata, access: metadata.access.filter((one) => now.includes(one)) } }
        })
        await using oracle = await createGroundline({ embedder })
        await oracle.add(lists)
        expect(idsOf(await answersOf(view, principals)), note).toEqual(idsOf(await answersOf(oracle, principals)))
        const given = lists.filter(({ metadata }) => metadata.access.includes(principals[0]!)).map(({ id }) => id)
        const listed = []
        for await (const { id } of view.list({ principals })) listed.push(id)
        expect(listed, note).toEqual(given.sort())
        for (const id of then.keys())
          expect((await view.get(id, { principals }))?.text, note).toBe(
            given.includes(id) ? then.get(id)!.text : undefined,
          )
        // Once more without principals: the lists change no answer of the owner's.
        expect(await answersOf(view), note).toEqual(recorded.get(version))
      }
      for (const { view, version } of open) await check(view, version)
      for (const version of [...recorded.keys()].slice(-5)) {
        await using view = await ground.at(version)
        await check(view, version)
      }
      await ground.close()
    }
  }, 300_000)

  it('a revocation, here or in another process, holds for the next question of an open view', async () => {
    const path = newFolder()
    await using ground = await createGroundline({ path, embedder, access: 'listed' })
    await ground.add([{ id: 'a', text: 'word1 word2', metadata: { access: ['ann', 'bob'] } }])
    await using view = await ground.at(1)
    const found = async (principal: string) =>
      (await view.retrieve('word1', { principals: [principal] })).passages.map(({ documentId }) => documentId)
    expect([await found('ann'), await found('bob')]).toEqual([['a'], ['a']])
    await using other = await createGroundline({ path, embedder, access: 'listed' })
    await other.add([{ id: 'a', text: 'word9', metadata: { access: ['bob', 'eve'] } }])
    expect([await found('ann'), await found('bob'), await found('eve')]).toEqual([[], ['a'], []])
    await other.remove(['a'])
    expect([await found('ann'), await found('bob')]).toEqual([[], []])
    await expect(view.retrieve('word1')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('previous and tagged versions are answered by the graph that served them', async () => {
    const path = newFolder()
    const storage = fileStorage(path)
    const graphs = {
      exactBelow: 150,
      workerUrl: new URL('../../dist/providers/usearch/graph-worker.js', import.meta.url),
    }
    const opened = async () => ({
      corpus: await openCorpus({ storage }),
      files: derivedFiles({ storage }),
      served: servedFiles(storage),
      graphs,
      keyring: undefined,
      embedder,
    })
    const ground = groundlineOver({ embedder, topK: 12 }, await opened())
    const put = (from: number, count: number) =>
      ground.add(Array.from({ length: count }, (_, at) => documentOf(`d${from + at}`, from + at)))
    await put(0, 400)
    await answersOf(ground)
    const isServed = (version: number) =>
      existsSync(join(path, 'derived')) &&
      readdirSync(join(path, 'derived')).some((name) => name.startsWith(`serving-${String(version).padStart(12, '0')}`))
    for (let tried = 0; tried < 600 && !isServed(1); tried++) await new Promise((done) => setTimeout(done, 50))
    expect(isServed(1)).toBe(true)
    const first = await answersOf(ground)
    await ground.corpus.tag('first')
    await put(400, 20)
    const second = await answersOf(ground)
    await put(500, 20)
    await ground.close()
    const again = groundlineOver({ embedder, topK: 12 }, await opened())
    await using tagged = await again.at('first')
    await using previous = await again.at(3)
    expect(await answersOf(tagged)).toEqual(first)
    expect(await answersOf(previous)).toEqual(second)
    const notes = JSON.stringify((await tagged.retrieve(questions[0]!)).explanation)
    expect(notes).toContain('"graph: ')
    await again.close()
  }, 120_000)

  it('gives typed errors for versions that never were, were collected or purged, and after it was closed', async () => {
    await using ground = await createGroundline({ path: newFolder(), embedder })
    for (const version of [1, 0, -1, 1.5, 'none', Number.NaN])
      await expect(ground.at(version)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await ground.add([documentOf('a', 1), documentOf('b', 2)])
    await ground.corpus.tag('kept')
    const view = await ground.at('kept')
    expect(view.version).toBe(1)
    await ground.remove(['a'])
    expect((await view.get('a'))?.id).toBe('a')
    await ground.corpus.purge()
    for (const call of [
      () => view.retrieve('word1'),
      () => view.get('a'),
      () => view.list()[Symbol.asyncIterator]().next(),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(ground.at(2)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await using after = await ground.at('kept')
    expect([(await after.get('a'))?.id, (await after.get('b'))?.id]).toEqual([undefined, 'b'])
    await view.close()
    await expect(view.retrieve('word1')).rejects.toMatchObject({ code: 'CLOSED' })
    await after.close()
    await expect(after.assemble('word1')).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('belongs to its tenant, and ends with it', async () => {
    await using tenants = await createTenants({ path: newFolder(), embedder })
    const [acme, other] = [await tenants.tenant('acme'), await tenants.tenant('other')]
    await acme.add([documentOf('a', 1)])
    await other.add([documentOf('b', 2)])
    const view = await acme.at(1)
    await acme.remove(['a'])
    const { passages } = await view.retrieve(documentOf('a', 1).text)
    expect(passages.map(({ documentId }) => documentId)).toEqual(['a'])
    await acme.close()
    await expect(view.retrieve('word1')).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
