import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { usearchIndex } from '../../../src/providers/usearch/index.ts'
import { createRandom } from '../../../src/testing/index.ts'
import { scaled } from '../../corpus/scale.ts'

// Children run built code, as workers do: `npm test` builds first.
const built = (path: string) => fileURLToPath(new URL(`../../../dist/${path}`, import.meta.url))
const script = fileURLToPath(new URL('./children/open-damaged.mjs', import.meta.url))
const workerUrl = new URL('../../../dist/providers/usearch/graph-worker.js', import.meta.url)
const [dimensions, size] = [16, 1_000]
const cases = scaled({ quick: 60, short: 400, full: 2_000 })
const each = 20
let root: string

async function saveIndex(directory: string, seed: number): Promise<void> {
  const random = createRandom(seed)
  const index = await usearchIndex({ dimensions, exactBelow: 200, directory, workerUrl })
  await index.upsert(
    Array.from({ length: size }, (_, i) => ({
      id: `e${i}`,
      vector: Float32Array.from({ length: dimensions }, () => random.normal()),
      metadata: { percent: i % 100 },
    })),
  )
  await index.settled()
  await index.save()
  await index.close()
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'groundline-damaged-'))
  await saveIndex(join(root, 'saved'), 1)
  await saveIndex(join(root, 'other'), 2)
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** What a child process said of its cases, and how it ended. */
function openDamaged(first: number, last: number) {
  const folders = ['saved', 'other', `work-${first}`].map((name) => join(root, name))
  const args = [
    script,
    built('providers/usearch/index.js'),
    built('testing/index.js'),
    ...folders,
    `${first}`,
    `${last}`,
  ]
  return new Promise<{ signal: unknown; status: unknown; lines: Record<string, unknown>[] }>((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      if (stderr !== '') console.error(stderr)
      const lines = stdout.split('\n').filter(Boolean)
      resolve({ signal: error?.signal ?? null, status: error?.code ?? 0, lines: lines.map((line) => JSON.parse(line)) })
    })
  })
}

describe('damaged files of a saved index', () => {
  it(`end no process and give no wrong answer in ${cases} opens`, { timeout: 30_000 + cases * 1_000 }, async () => {
    let [refused, withoutGraph] = [0, 0]
    for (let first = 0; first < cases; first += each) {
      const { signal, status, lines } = await openDamaged(first, Math.min(cases, first + each))
      expect({ signal, status, cases: lines.length }).toEqual({
        signal: null,
        status: 0,
        cases: Math.min(each, cases - first),
      })
      for (const { code, graphNodes, count, right, ...which } of lines) {
        if (code !== undefined) {
          expect({ ...which, code }).toEqual({ ...which, code: 'CORRUPT_DATA' })
          refused++
        } else {
          // The graph did not pass its digest and was left out: every entry is there, and a scan answers.
          expect({ ...which, graphNodes, count, right }).toEqual({ ...which, graphNodes: 0, count: size, right: true })
          withoutGraph++
        }
      }
    }
    expect(refused).toBeGreaterThan(0)
    expect(withoutGraph).toBeGreaterThan(cases / 2)
  })
})
