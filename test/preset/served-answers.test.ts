import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCorpus, servedFiles, type VersionedCorpus } from '../../src/corpus/index.ts'
import type { Metadata } from '../../src/document.ts'
import { contentHash } from '../../src/internal/hash.ts'
import { lexicalIndex } from '../../src/lexical-index/index.ts'
import { fileStorage } from '../../src/node/index.ts'
import { type DerivedIndexes, derivedIndexes } from '../../src/preset/derived-indexes.ts'
import { servedAnswers } from '../../src/preset/served-answers.ts'
import { type UsearchIndex, usearchIndex } from '../../src/providers/usearch/index.ts'
import { createRandom } from '../../src/testing/index.ts'
import { scaled } from '../corpus/scale.ts'

const workerUrl = new URL('../../dist/providers/usearch/graph-worker.js', import.meta.url)
const dimensions = 96
const space = { model: 'test', dimensions, normalized: true }
const folders: string[] = []

beforeAll(() => {
  if (!existsSync(workerUrl)) throw new Error('npm run build:js first: workers run built code')
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const axes = Array.from({ length: 8 }, (_, axis) => {
  const random = createRandom(900 + axis)
  return Float32Array.from({ length: dimensions }, () => random.next() - 0.5)
})

/** Few degrees of freedom in many dimensions: a graph finds neighbours there for less than a scan costs. */
function vectorOf(seed: number): Float32Array {
  const random = createRandom(seed)
  const weights = axes.map(() => random.next() - 0.5)
  const vector = Float32Array.from({ length: dimensions }, (_, at) =>
    axes.reduce((sum, axis, which) => sum + axis[at]! * weights[which]!, (random.next() - 0.5) * 0.02),
  )
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

function entryOf(id: string, seed: number) {
  const text = `text ${seed}`
  const document = { id, text }
  const place = { documentId: id, documentVersion: contentHash(text), start: 0, end: text.length }
  const chunk = { id: `${id}#0`, ...place, text, metadata: { seed: seed % 5 } }
  return { document, chunks: [chunk], vectors: [vectorOf(seed)] }
}

/** A corpus with its indexes, as the preset puts them together. */
interface Opened {
  readonly corpus: VersionedCorpus
  readonly indexes: DerivedIndexes<Metadata>
  index(): Promise<UsearchIndex<Metadata>>
  close(): Promise<void>
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'groundline-served-'))
  folders.push(folder)
  return folder
}

async function open(folder: string, now?: () => number): Promise<Opened> {
  const storage = fileStorage(folder)
  const corpus = await openCorpus({ storage })
  const files = servedFiles(storage, now)!
  const made: UsearchIndex<Metadata>[] = []
  const vectors = async (onServing: () => void) => {
    const kept = { directory: files.folder, superseded: 'kept', onServing } as const
    const index = await usearchIndex({
      dimensions,
      space,
      exactBelow: 150,
      recall: 0.95,
      connectivity: 4,
      expansionAdd: 16,
      workerUrl,
      ...kept,
    })
    made.push(index)
    return index
  }
  const indexes = derivedIndexes(
    corpus,
    { vectors, words: async () => lexicalIndex() },
    undefined,
    servedAnswers(corpus, files),
  )
  return {
    corpus,
    indexes,
    index: async () => {
      await indexes.current()
      return made.at(-1)!
    },
    close: async () => {
      await indexes.close()
      await corpus.close()
    },
  }
}

interface Answers {
  /** Ids, scores, and how each search went: candidates asked for, entries scanned. */
  readonly matches: unknown
  readonly graphs: number
}

/** What searches answer, and how many of them by a graph. */
async function answersOf(opened: Opened): Promise<Answers> {
  const index = await opened.index()
  const matches: unknown[] = []
  let graphs = 0
  for (let query = 0; query < 40; query++) {
    const filter = query % 5 === 4 ? ({ op: 'in', path: ['seed'], values: [0, 1, 2, 3] } as const) : undefined
    const explain = (note: string) => {
      if (note.startsWith('graph')) graphs++
      matches.push(note)
    }
    const found = await index.search(vectorOf(50_000 + query), { topK: 1 + (query % 12), filter, explain })
    matches.push(found.map(({ id, score }) => [id, score]))
  }
  return { matches, graphs }
}

/** The same once nothing is being built: what the version answers from then on. */
async function settledAnswers(opened: Opened): Promise<Answers> {
  const index = await opened.index()
  const { graphNodes, entries } = index.stats()
  if (graphNodes === 0 && entries >= 150) await index.build()
  await index.settled()
  return answersOf(opened)
}

async function put(opened: Opened, entries: readonly ReturnType<typeof entryOf>[], remove: readonly string[] = []) {
  const change = { put: entries, remove, space }
  const commit = await opened.corpus.commit(change)
  await opened.indexes.follow(commit, change as never)
  return commit
}

describe('what served a version', () => {
  const runs = scaled({ quick: 3, short: 6, full: 60 })

  it(`${runs} random histories: a rollback to the previous or a tagged version answers as that version did, to the bit`, async () => {
    let byGraph = 0
    let checked = 0
    for (let run = 0; run < runs; run++) {
      const random = createRandom(77 + run)
      const folder = newFolder()
      let opened = await open(folder)
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
          opened = await open(folder)
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
})
