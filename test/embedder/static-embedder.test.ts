import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Embedder, staticEmbedder, withDimensions } from '../../src/embedder/index.ts'
import { embedderConformance } from '../../src/testing/index.ts'
import { staticModelFile } from './static-model-file.ts'

const file = readFileSync(new URL('../../models/static-en-2.bin', import.meta.url))
const card = readFileSync(new URL('../../models/README.md', import.meta.url), 'utf8')
const embedder = await staticEmbedder()

async function vectorOf(text: string, by: Embedder = embedder): Promise<Float32Array> {
  const [vector] = (await by.embed([text])).vectors
  return vector ?? new Float32Array()
}
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, component, at) => sum + component * (b[at] ?? 0), 0)
const cosine = async (a: string, b: string) => dot(await vectorOf(a), await vectorOf(b))

describe('staticEmbedder', () => {
  for (const dimensions of [768, 512, 256, 128, 64] as const)
    for (const { name, run } of embedderConformance({ create: () => staticEmbedder({ dimensions }), tolerance: 0 }))
      it(`${dimensions}: ${name}`, run)

  it('puts texts of one meaning closer than texts of another, also without a shared word', async () => {
    expect(await cosine('automobile repair', 'fixing a car')).toBeGreaterThan(0.25)
    expect(await cosine('kitten', 'the cat')).toBeGreaterThan(await cosine('kitten', 'the database index'))
    expect(await cosine('sort a list', 'ordering the elements of an array')).toBeGreaterThan(
      await cosine('sort a list', 'boundary layer of a swept wing'),
    )
  })

  it('adds √count × row of each distinct token, in the order of the text', async () => {
    const rows = [
      [100, 0, 0, 50],
      [0, 100, 0, 25],
    ].map((row) => [...row, ...new Array<number>(60).fill(0)])
    const bytes = staticModelFile(['a', 'b'], rows, [0.5, 2])
    const small = await staticEmbedder({ bytes, dimensions: 64 })
    const sum = [50 * Math.sqrt(2), 200, 0, 25 * Math.sqrt(2) + 50]
    const norm = Math.hypot(...sum)
    const vector = await vectorOf('a B a', small)
    for (const [at, component] of sum.entries()) expect(vector[at]).toBeCloseTo(component / norm, 6)
  })

  it('gives shorter vectors that are the renormalised starts of the longer ones', async () => {
    const text = 'Rotate a signing key without downtime.'
    const whole = await vectorOf(text)
    for (const dimensions of [512, 256, 128, 64] as const) {
      const short = await vectorOf(text, await staticEmbedder({ dimensions }))
      const start = whole.subarray(0, dimensions)
      const norm = Math.sqrt(dot(start, start))
      expect(short).toHaveLength(dimensions)
      for (const [at, component] of short.entries()) expect(component).toBeCloseTo((start[at] ?? 0) / norm, 6)
      const cut = withDimensions(embedder, dimensions)
      expect(cut.space).toEqual((await staticEmbedder({ dimensions })).space)
    }
  })

  it('gives words that the vocabulary cuts an identity of their own, inflected or not', async () => {
    const meaning = await staticEmbedder({ dimensions: 256 })
    const words = async (a: string, b: string) => {
      const [x, y] = [(await vectorOf(a)).subarray(256), (await vectorOf(b)).subarray(256)]
      return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y))
    }
    expect(await words('aerothermoelasticity', 'Aerothermoelasticity')).toBeCloseTo(1, 5)
    expect(await words('thermobaric engines', 'thermobaric engine')).toBeCloseTo(1, 5)
    expect(Math.abs(await words('aerothermoelasticity', 'aerothermodynamics'))).toBeLessThan(0.5)
    expect(await words('the thermobaric engine', 'a thermobaric engine')).toBeGreaterThan(0.9)
    expect(await cosine('release 20000', 'release 2000')).toBeLessThan(
      dot(await vectorOf('release 20000', meaning), await vectorOf('release 2000', meaning)),
    )
  })

  it('gives a third to a half of the squared length to words', async () => {
    for (const [dimensions, share] of [
      [768, 0.5],
      [512, 1 / 3],
    ] as const) {
      const vector = await vectorOf('Rotate a signing key', await staticEmbedder({ dimensions }))
      const part = vector.subarray(256)
      expect(dot(part, part)).toBeCloseTo(share, 5)
    }
  })

  it('gives a finite unit vector for any text at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), async (text) => {
        const vector = await vectorOf(text)
        expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-5)
      }),
      { seed: 7, numRuns: 500 },
    )
  })

  it('gives all texts without a known token one vector, or refuses them with their index', async () => {
    const unknown = ['', ' \n', '東京は日本の首都です。', '\ud800', '…', 'x'.repeat(101)]
    const vectors = (await embedder.embed(unknown)).vectors
    for (const vector of vectors) expect(vector).toEqual(vectors[0])
    expect(Math.abs(dot(vectors[0] ?? new Float32Array(), await vectorOf('a common sentence')))).toBeLessThan(0.3)
    const strict = await staticEmbedder({ unknown: 'refuse' })
    for (const text of unknown)
      await expect(strict.embed(['fine', text])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { index: 1 },
      })
  })

  it('ignores what is not in its vocabulary and never changes for it', async () => {
    expect(await vectorOf('a signing\ud800key 東京')).toEqual(await vectorOf('a signing key'))
    expect(await vectorOf('A Signing-Key!')).toEqual(await vectorOf('a signing key'))
  })

  it('gives vectors that are pinned to the bit by the revision', async () => {
    const hash = createHash('sha256')
    for (const text of PINNED) hash.update(new Uint8Array((await vectorOf(text)).buffer))
    expect(embedder.space).toEqual({
      model: 'groundline-static-en',
      revision: `${REVISION}.w1`,
      dimensions: 768,
      pooling: 'mean',
      normalized: true,
    })
    expect(hash.digest('hex')).toBe(PINNED_DIGEST)
  })

  it('ships a file of at most 8,000,000 bytes whose digests are those of its header and its card', () => {
    expect(file.length).toBeLessThanOrEqual(8_000_000)
    const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    expect(digest(file.subarray(64))).toBe(file.subarray(32, 64).toString('hex'))
    expect(card).toContain(digest(file))
    expect(card).toContain(REVISION)
  })

  it('takes the bytes of a file, and refuses damaged ones and other options', async () => {
    const fromBytes = await staticEmbedder({ bytes: new Uint8Array(file) })
    expect(fromBytes.space).toEqual(embedder.space)
    expect(await vectorOf(PINNED[0], fromBytes)).toEqual(await vectorOf(PINNED[0]))
    const damaged = new Uint8Array(file)
    damaged[5_000_000] = (damaged[5_000_000] ?? 0) ^ 4
    await expect(staticEmbedder({ bytes: damaged })).rejects.toMatchObject({ code: 'CORRUPT_DATA' })
    await expect(staticEmbedder({ bytes: new Uint8Array(10) })).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
    const narrow = staticModelFile(['a'], [new Array<number>(64).fill(1)])
    await expect(staticEmbedder({ bytes: narrow })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    for (const dimensions of [0, 100, 1024, Number.NaN, '256'])
      await expect(staticEmbedder(JSON.parse(JSON.stringify({ dimensions })))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      })
  })

  it('refuses an input that is not a string, by its index', async () => {
    const inputs: readonly string[] = JSON.parse('["fine", 7]')
    await expect(embedder.embed(inputs)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('stops between texts when the signal is aborted, and lets timers run meanwhile', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 0)
    const texts = new Array<string>(5000).fill('The quick brown fox jumps over the lazy dog. '.repeat(20))
    await expect(embedder.embed(texts, { signal: controller.signal })).rejects.toBe(reason)
    expect(Math.abs(dot(await vectorOf('fox'), await vectorOf('fox')) - 1)).toBeLessThan(1e-5)
    await expect(staticEmbedder({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('is linear in the length of a text', async () => {
    const started = performance.now()
    for (const unit of ['a', 'word ', 'Ünïcode ', '字', '=', 'camelCase'])
      await vectorOf(unit.repeat(Math.ceil(1_000_000 / unit.length)))
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

const PINNED: readonly [string, ...string[]] = [
  'Rotate a signing key without downtime.',
  'function getUserName(id) { return users[id] }',
  'The effect of β-blockers on cardiac output: 東京, naïve café, ﬁle.',
  '',
]
/** Recorded with scripts/model; both change only with the model file. */
const REVISION = '39c2c5e655c59a6e'
const PINNED_DIGEST = '1fd5a553054d46ef6fe41cc9ac5d344bb9c316c86706e3e2616239e454d9acb4'
