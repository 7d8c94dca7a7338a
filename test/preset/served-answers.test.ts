import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { characterCounter, recursiveChunker } from '../../src/chunker/index.ts'
import { derivedFiles, openCorpus, servedFiles } from '../../src/corpus/index.ts'
import { lexicalHashEmbedder } from '../../src/embedder/index.ts'
import { GroundlineError } from '../../src/errors.ts'
import { fileStorage } from '../../src/node/index.ts'
import { groundlineOver } from '../../src/preset/groundline-over.ts'
import { createRandom } from '../../src/testing/index.ts'
import { exactIndex } from '../../src/vector-index/index.ts'
import { childScript, filesBelow, runChild } from '../corpus/child-process.ts'
import { scaled } from '../corpus/scale.ts'
import {
  type Answers,
  answersOf,
  dimensions,
  entryOf,
  openServed,
  put,
  settledAnswers,
  space,
  vectorOf,
} from './served-harness.ts'

const workerUrl = new URL('../../dist/providers/usearch/graph-worker.js', import.meta.url)
const folders: string[] = []

beforeAll(() => {
  if (!existsSync(workerUrl)) throw new Error('npm run build:js first: workers run built code')
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'groundline-served-'))
  folders.push(folder)
  return folder
}

function entriesOf(count: number, seed: number) {
  return Array.from({ length: count }, (_, at) => entryOf(`d${at}`, seed + at))
}
const kept = (folder: string, kind: string) =>
  readdirSync(join(folder, 'derived'))
    .filter((name) => name.startsWith(`${kind}-`))
    .map((name) => join(folder, 'derived', name))

/** How a vector of some length stands in files: as 32-bit floats, and as the 16 bits of a graph, rounded or cut off. */
function vectorTraces(vector: Float32Array): Buffer[] {
  const at = vector.findIndex((value) => value !== 0)
  const some = vector.slice(at, at + 24)
  const words = new Uint32Array(some.buffer, 0, some.length)
  const halves = (add: number) => Buffer.from(Uint16Array.from(words, (word) => (word + add) >>> 16).buffer)
  return [Buffer.from(some.buffer), halves(0), halves(0x7fff), halves(0x8000)]
}

describe('what served a version', () => {
  const runs = scaled({ quick: 3, short: 6, full: 60 })

  it(`${runs} random histories: a rollback to the previous or a tagged version answers as that version did, to the bit`, async () => {
    let byGraph = 0
    let checked = 0
    for (let run = 0; run < runs; run++) {
      const random = createRandom(77 + run)
      const folder = newFolder()
      let opened = await openServed(folder, workerUrl)
      let seed = run * 10_000
      let documents = new Set<string>()
      const contents = new Map<number, Set<string>>()
      const recorded = new Map<number, Answers>()
      const tags = new Map<string, number>()
      const record = async () => {
        const answers = await settledAnswers(opened)
        const { version } = opened.corpus.info()
        recorded.set(version, answers)
        contents.set(version, new Set(documents))
        return answers
      }
      await put(
        opened,
        Array.from({ length: 1_000 }, (_, at) => entryOf(`d${at}`, seed + at)),
      )
      documents = new Set(Array.from({ length: 1_000 }, (_, at) => `d${at}`))
      seed += 1_000
      await record()
      for (let step = 0; step < 16; step++) {
        const known = [...documents]
        const some = (count: number) => Array.from({ length: count }, () => known[random.below(known.length)]!)
        const { version } = opened.corpus.info()
        const kind = random.below(9)
        if (kind <= 1) {
          const ids = Array.from(
            { length: 1 + random.below(random.below(4) === 0 ? 400 : 70) },
            () => `d${random.below(1_100)}`,
          )
          await put(
            opened,
            [...new Set(ids)].map((id) => entryOf(id, seed++)),
          )
          for (const id of ids) documents.add(id)
          await record()
        } else if (kind === 2) {
          const gone = new Set(some(1 + random.below(random.below(3) === 0 ? 200 : 40)))
          await put(opened, [], [...gone])
          for (const id of gone) documents.delete(id)
          await record()
        } else if (kind === 3) {
          const name = `tag-${step}`
          await opened.corpus.tag(name)
          tags.set(name, version)
          await record()
        } else if (kind === 4) {
          await opened.corpus.compact()
          await record()
        } else if (kind === 5) {
          await opened.close()
          opened = await openServed(folder, workerUrl)
          expect(await answersOf(opened), `run ${run}, step ${step}: opened again at ${version}`).toEqual(
            recorded.get(version),
          )
        } else {
          const names = [...tags]
          const tag = names[random.below(Math.max(1, names.length))]
          const [to, from] = kind === 6 || tag === undefined ? [version - 1, version - 1] : tag
          if (from < 1) continue
          await opened.corpus.rollback(to)
          const answers = await answersOf(opened)
          expect(answers, `run ${run}, step ${step}: ${version} back to ${to}`).toEqual(recorded.get(from))
          checked++
          byGraph += Math.min(1, answers.graphs)
          documents = new Set(contents.get(from))
          expect(await record()).toEqual(recorded.get(from))
        }
      }
      await opened.close()
    }
    expect(checked).toBeGreaterThan(runs)
    expect(byGraph).toBeGreaterThan(checked / 2)
  }, 600_000)

  it('comes back with an embedding space: promotion and rollback, in one process and after a restart', async () => {
    const folder = newFolder()
    const opened = await openServed(folder, workerUrl)
    await put(opened, entriesOf(900, 0))
    const before = await settledAnswers(opened)
    expect(before.graphs).toBeGreaterThan(20)
    const embed = async (chunks: readonly { readonly text: string }[]) =>
      chunks.map(({ text }) => vectorOf(70_000 + Number(text.split(' ')[1])))
    await opened.corpus.reembed({ space: { ...space, model: 'another' }, embed })
    await opened.corpus.promote()
    const promoted = await settledAnswers(opened)
    expect(promoted.matches).not.toEqual(before.matches)
    expect(promoted.graphs).toBeGreaterThan(20)
    await opened.corpus.rollback(1)
    expect(await answersOf(opened)).toEqual(before)
    const back = opened.corpus.info().version
    await opened.close()
    const again = await openServed(folder, workerUrl)
    expect(await answersOf(again)).toEqual(before)
    await again.corpus.rollback(back - 1)
    expect(await answersOf(again)).toEqual(promoted)
    await again.close()
  }, 120_000)

  it('is verified: a damaged or missing file of it makes the exact scan answer, and the graph is built again', async () => {
    for (const kind of ['graph', 'base', 'serving'] as const) {
      for (const harm of ['flip', 'cut', 'remove'] as const) {
        const folder = newFolder()
        const opened = await openServed(folder, workerUrl)
        await put(opened, entriesOf(400, 0))
        await settledAnswers(opened)
        await opened.close()
        for (const path of kept(folder, kind)) {
          const bytes = readFileSync(path)
          if (harm === 'flip') bytes[bytes.length >> 1]! ^= 1
          if (harm === 'remove') rmSync(path)
          else writeFileSync(path, harm === 'cut' ? bytes.subarray(0, bytes.length - 1) : bytes)
        }
        const again = await openServed(folder, workerUrl)
        const { matches, graphs } = await answersOf(again)
        expect(graphs, `${kind}, ${harm}`).toBe(0)
        const exact = exactIndex({ dimensions, space })
        await exact.upsert(entriesOf(400, 0).map(({ chunks, vectors }) => ({ ...chunks[0]!, vector: vectors[0]! })))
        const found = await exact.search(vectorOf(50_000), { topK: 1 })
        expect((matches as unknown[])[1]).toEqual(found.map(({ id, score }) => [id, score]))
        expect((await settledAnswers(again)).graphs, `${kind}, ${harm}`).toBeGreaterThan(0)
        await again.close()
      }
    }
  }, 240_000)

  it('goes when neither the current, the previous nor a tagged version needs it, after a minute', async () => {
    const folder = newFolder()
    let time = 1_700_000_000_000
    const opened = await openServed(folder, workerUrl, { now: () => time })
    const graphOf = new Map<number, string>()
    const recorded = new Map<number, Answers>()
    for (let round = 1; round <= 6; round++) {
      await put(opened, entriesOf(300, round * 1_000))
      const index = await opened.index()
      await index.build({ compact: true })
      recorded.set(opened.corpus.info().version, await settledAnswers(opened))
      graphOf.set(opened.corpus.info().version, index.serving()!.file!)
      if (round === 2) await opened.corpus.tag('second')
      if (round === 2) await settledAnswers(opened)
      time += 10_000
    }
    // Within the minute all are there.
    expect(kept(folder, 'graph').length).toBeGreaterThanOrEqual(new Set(graphOf.values()).size - 1)
    time += 61_000
    await put(opened, [entryOf('one', 9)])
    await settledAnswers(opened)
    await opened.indexes.keep('always')
    const { version } = opened.corpus.info()
    const expected = new Set([graphOf.get(2), graphOf.get(version - 1), (await opened.index()).serving()!.file])
    expect(new Set(kept(folder, 'graph').map((path) => path.split('/').at(-1)))).toEqual(expected)
    expect(kept(folder, 'base')).toHaveLength(expected.size)
    await opened.corpus.rollback('second')
    expect(await answersOf(opened)).toEqual(recorded.get(2))
    await opened.close()
  }, 240_000)

  it('costs no commit when it cannot be written, and is written once it can', async () => {
    const folder = newFolder()
    const whole = fileStorage(folder)
    let isFull = true
    const full = {
      ...whole,
      publish: (name: string, bytes: Uint8Array) => {
        if (isFull && name.startsWith('derived/')) throw new GroundlineError('STORAGE_FAILED', `${name}: ENOSPC`)
        return whole.publish(name, bytes)
      },
    }
    mkdirSync(folder, { recursive: true })
    // A file in the folder's place: the graph can be written no more than what is published.
    writeFileSync(join(folder, 'derived'), '')
    const opened = await openServed(folder, workerUrl, { storage: full })
    await put(opened, entriesOf(400, 0))
    await expect((await opened.index()).build()).rejects.toMatchObject({ code: expect.any(String) })
    expect((await answersOf(opened)).graphs).toBe(0)
    rmSync(join(folder, 'derived'))
    await (await opened.index()).build()
    const before = await settledAnswers(opened)
    expect(before.graphs).toBeGreaterThan(0)
    expect(kept(folder, 'serving')).toEqual([])
    await put(opened, [entryOf('one', 9)])
    isFull = false
    await put(opened, [entryOf('two', 10)])
    const later = await settledAnswers(opened)
    expect(kept(folder, 'serving')).toHaveLength(1)
    await opened.corpus.rollback(1)
    await opened.index()
    await opened.close()
    const again = await openServed(folder, workerUrl)
    await again.corpus.rollback(3)
    expect(await answersOf(again)).toEqual(later)
    await again.close()
  }, 120_000)

  it("is gone after a purge: no byte of a removed document's text or vector in any file, and tags answer by the exact scan", async () => {
    const folder = newFolder()
    const embedder = lexicalHashEmbedder({ dimensions: 128 })
    const storage = fileStorage(folder)
    const open = async () =>
      groundlineOver(
        { embedder, chunker: recursiveChunker({ maxTokens: 200, counter: characterCounter() }) },
        {
          corpus: await openCorpus({ storage }),
          files: derivedFiles({ storage }),
          served: servedFiles(storage),
          keyring: undefined,
          embedder,
          graphs: { exactBelow: 150, workerUrl },
        },
      )
    const ground = await open()
    const documents = Array.from({ length: 400 }, (_, at) => ({
      id: `d${at}`,
      text: `number ${at} of words ${at % 13}`,
    }))
    const canary = { id: 'secret', text: 'zanzibarquux vellichorplinth oubliettesnarf' }
    await ground.add([...documents, canary])
    await ground.corpus.tag('before')
    const question = 'zanzibarquux vellichorplinth'
    const first = await ground.retrieve(question)
    expect(first.passages[0]!.documentId).toBe('secret')
    await expect
      .poll(() => existsSync(join(folder, 'derived')) && kept(folder, 'serving').length, { timeout: 60_000 })
      .toBeGreaterThan(0)
    const [vector] = (await embedder.embed([canary.text], { role: 'document' })).vectors
    const places = async () => {
      const found: string[] = []
      for (const [name, bytes] of await filesBelow(folder))
        if (bytes.includes('zanzibarquux') || vectorTraces(vector!).some((trace) => bytes.includes(trace)))
          found.push(name)
      return found
    }
    const before = await places()
    expect(before.some((name) => name.endsWith('.usearch'))).toBe(true)
    expect(before.some((name) => name.endsWith('.seg'))).toBe(true)
    await ground.remove(['secret'])
    await ground.retrieve(question)
    expect((await places()).length).toBeGreaterThan(0)
    const report = await ground.corpus.purge()
    expect(report.removedFiles.some((name) => name.endsWith('.usearch'))).toBe(true)
    expect(await places()).toEqual([])
    await ground.corpus.rollback('before')
    const { passages } = await ground.retrieve('number 7 of words')
    expect(passages.length).toBeGreaterThan(0)
    expect(await places()).toEqual([])
    await ground.close()
    expect(await places()).toEqual([])
  }, 120_000)

  const kills = scaled({ quick: 4, short: 15, full: 100 })

  it(`outlives ${kills} kills: the previous version and tags come back to the bit`, async () => {
    const { script, dispose } = await childScript('served-history', import.meta.url)
    const random = createRandom(5)
    let checked = 0
    let byGraph = 0
    for (let kill = 0; kill < kills; kill++) {
      const folder = newFolder()
      const { lines, errors } = await runChild(
        script,
        [folder, fileURLToPath(workerUrl), String(kill)],
        500 + random.below(4_000),
      )
      expect(errors).toBe('')
      const recorded = new Map(lines.map((line) => [line.version as number, line.answers as Answers]))
      const opened = await openServed(folder, workerUrl)
      const { version } = opened.corpus.info()
      const targets = [version - 1, ...(await opened.corpus.tags()).map((tag) => tag.version)]
      for (const target of targets) {
        const expected = recorded.get(target)
        if (!expected) continue
        await opened.corpus.rollback(target)
        expect(await answersOf(opened), `kill ${kill}, version ${version} back to ${target}`).toEqual(expected)
        checked++
        byGraph += Math.min(1, expected.graphs)
      }
      await opened.close()
    }
    await dispose()
    expect(checked).toBeGreaterThan(kills / 2)
    expect(byGraph).toBeGreaterThan(checked / 2)
  }, 1_200_000)
})
