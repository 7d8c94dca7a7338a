import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Index, MetricKind, ScalarKind } from 'usearch'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

  it('leaves a file alone that is not laid out as expected', async () => {
    const { graph } = filled()
    const [source, target] = [join(folder, 'c'), join(folder, 'd')]
    graph.save(source)
    const original = await readFile(source)
    await truncate(source, original.length - 1)
    expect(writeInOrder(source, target)).toBe(false)
    await writeFile(source, 'not an index at all')
    expect(writeInOrder(source, target)).toBe(false)
    create().save(source)
    expect(writeInOrder(source, target)).toBe(false)
    expect(existsSync(target)).toBe(false)
  })
})
