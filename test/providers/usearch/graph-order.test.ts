import { existsSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Index, MetricKind, ScalarKind } from 'usearch'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publishGraph } from '../../../src/providers/usearch/graph-file.ts'
import { writeInOrder } from '../../../src/providers/usearch/graph-order.ts'
import { createRandom } from '../../../src/testing/index.ts'

const dimensions = 24
const size = 2_000
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groundline-order-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const create = () =>
  new Index({
    dimensions,
    metric: MetricKind.IP,
    quantization: ScalarKind.BF16,
    connectivity: 8,
    expansion_add: 64,
    expansion_search: 32,
    multi: false,
  })

function filled() {
  const random = createRandom(3)
  const vector = () => Float32Array.from({ length: dimensions }, () => random.normal())
  const graph = create()
  for (let i = 0; i < size; i++) graph.add(BigInt(7 * i), vector(), 1)
  return { graph, vector, queries: Array.from({ length: 200 }, vector) }
}

describe('writeInOrder', () => {
  it('keeps every answer, viewed, loaded and after removals, and what is added later is found', async () => {
    const { graph, vector, queries } = filled()
    graph.remove(Array.from({ length: 300 }, (_, i) => BigInt(21 * i)))
    const [source, target] = [join(folder, 'a'), join(folder, 'b')]
    graph.save(source)
    expect(writeInOrder(source, target)).toBe(true)
    expect((await stat(target)).size).toBe((await stat(source)).size)
    expect((await readFile(target)).equals(await readFile(source))).toBe(false)
    const [viewed, loaded, plain] = [create(), create(), create()]
    viewed.view(target)
    loaded.load(target)
    plain.load(source)
    for (const query of queries) {
      const expected = plain.search(query, 20, 1)
      expect(viewed.search(query, 20, 1)).toEqual(expected)
      expect(loaded.search(query, 20, 1)).toEqual(expected)
    }
    const late = vector()
    loaded.add(99_999n, late, 1)
    expect(loaded.search(late, 1, 1).keys[0]).toBe(99_999n)
    expect(loaded.size()).toBe(plain.size() + 1)
  })

  it('leaves a file alone whose version it does not know, or that is empty', async () => {
    const { graph } = filled()
    const [source, target] = [join(folder, 'c'), join(folder, 'd')]
    graph.save(source)
    const other = await readFile(source)
    other.writeUInt16LE(3, other.lastIndexOf('usearch') + 7)
    await writeFile(source, other)
    expect(writeInOrder(source, target)).toBe(false)
    create().save(source)
    expect(writeInOrder(source, target)).toBe(false)
    expect(existsSync(target)).toBe(false)
  })
})

describe('publishGraph', () => {
  /** A graph whose file is not the one it wanted to write, as on a full disk: USearch says nothing of it. */
  const saving = (bytes: Buffer, length: (call: number) => number) => {
    let call = 0
    return { save: (path: string) => writeFileSync(path, bytes.subarray(0, length(call++))) } as unknown as Index
  }

  it('publishes no file that is shorter than its graph, wherever it ends', async () => {
    const { graph } = filled()
    const [source, directory] = [join(folder, 'whole'), join(folder, 'short')]
    await mkdir(directory)
    graph.save(source)
    const bytes = await readFile(source)
    const random = createRandom(8)
    const head = bytes.lastIndexOf('usearch')
    const lengths = [0, 7, 8, head, head + 63, head + 64, head + 104, bytes.length - 1]
    for (const length of [...lengths, ...Array.from({ length: 40 }, () => random.below(bytes.length))]) {
      const published = publishGraph(
        saving(bytes, () => length),
        directory,
      )
      await expect(published, `${length} bytes`).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
      expect(await readdir(directory)).toEqual([])
    }
    const whole = saving(bytes, () => bytes.length)
    expect((await publishGraph(whole, directory)).bytes).toBe(bytes.length)
  })

  it('publishes a file of a version it does not know only when it is written alike twice', async () => {
    const { graph } = filled()
    const [source, directory] = [join(folder, 'other'), join(folder, 'unknown')]
    await mkdir(directory)
    graph.save(source)
    const bytes = await readFile(source)
    bytes.writeUInt16LE(3, bytes.lastIndexOf('usearch') + 7)
    const short = saving(bytes, (call) => bytes.length - 1_000 * (1 + call))
    await expect(publishGraph(short, directory)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    expect(await readdir(directory)).toEqual([])
    const published = await publishGraph(
      saving(bytes, () => bytes.length),
      directory,
    )
    expect(await readFile(join(directory, published.name))).toEqual(bytes)
  })
})
