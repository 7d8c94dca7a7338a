import type { Embedder } from '../embedder/embedder.ts'
import { type ConformanceCase, check, checkAborts, checkEqual } from './conformance.ts'

/** What the cases need to know of the embedder under test. */
export interface EmbedderConformanceOptions {
  /** Gives an embedder that is ready to use; called once a case. */
  readonly create: () => Embedder | Promise<Embedder>
  /** The largest difference of a component between two runs of one text, for models that round by batch. Default 1e-5. */
  readonly tolerance?: number
}

const TEXTS: readonly string[] = [
  'The quick brown fox jumps over the lazy dog.',
  'Rotate a signing key without downtime.',
  '東京は日本の首都です。',
  'مرحبا بالعالم',
  'function add(a, b) { return a + b }',
  'Naïve café 👩‍👩‍👧‍👦 🇩🇪 e\u0301',
]

/**
 * The laws of every {@link Embedder}: as many vectors as inputs and in their order, of the declared length, finite,
 * independent of the batch, unit length where promised, and abortable.
 *
 * @example
 * for (const { name, run } of embedderConformance({ create: () => myEmbedder() })) test(name, run)
 */
export function embedderConformance(options: EmbedderConformanceOptions): readonly ConformanceCase[] {
  const { create, tolerance = 1e-5 } = options
  return [
    {
      name: 'an embedder declares the dimensions of its space, and limits that let something through',
      run: async () => {
        const { space, dimensions, limits = {} } = await create()
        checkEqual(dimensions, space.dimensions, 'dimensions and space.dimensions')
        check(Number.isInteger(dimensions) && dimensions > 0, `dimensions must be positive, got ${dimensions}`)
        check(space.model.length > 0, 'the space names no model')
        for (const [name, limit] of Object.entries(limits))
          check(limit === undefined || limit >= 1, `limit ${name} lets nothing through: ${limit}`)
      },
    },
    {
      name: 'no inputs give no vectors',
      run: async () => {
        const embedder = await create()
        checkEqual((await embedder.embed([])).vectors.length, 0, 'vectors of no inputs')
      },
    },
    {
      name: 'each input gets one finite vector of the declared length, for both roles',
      run: async () => {
        const embedder = await create()
        for (const role of ['query', 'document'] as const) {
          const vectors = await embedTexts(embedder, TEXTS, role)
          for (const vector of vectors) {
            check(vector instanceof Float32Array, 'a vector is not a Float32Array')
            checkEqual(vector.length, embedder.dimensions, 'length of a vector')
            check(vector.every(Number.isFinite), 'a component is not finite')
            check(!embedder.space.normalized || Math.abs(norm(vector) - 1) < 1e-3, 'a vector is not of unit length')
          }
        }
      },
    },
    {
      name: 'vectors are in the order of the inputs and do not depend on the batch',
      run: async () => {
        const embedder = await create()
        const forward = await embedTexts(embedder, TEXTS)
        const backward = (await embedTexts(embedder, TEXTS.toReversed())).toReversed()
        for (const [index, text] of TEXTS.entries()) {
          const [alone] = await embedTexts(embedder, [text])
          checkClose(forward[index], alone, tolerance, `text ${index} alone and in a batch`)
          checkClose(forward[index], backward[index], tolerance, `text ${index} in two orders`)
        }
      },
    },
    {
      name: 'different texts get different vectors, equal texts equal ones',
      run: async () => {
        const embedder = await create()
        const [one, other, again] = await embedTexts(embedder, [TEXTS[0] ?? '', TEXTS[1] ?? '', TEXTS[0] ?? ''])
        checkClose(one, again, tolerance, 'one text twice in a batch')
        check(distance(one, other) > tolerance, 'two different texts have the same vector')
      },
    },
    {
      name: 'calls at the same time do not disturb each other',
      run: async () => {
        const embedder = await create()
        const alone = await embedTexts(embedder, TEXTS)
        const together = await Promise.all(TEXTS.map((text) => embedTexts(embedder, [text])))
        for (const [index, [vector]] of together.entries())
          checkClose(vector, alone[index], tolerance, `text ${index} among concurrent calls`)
      },
    },
    {
      name: 'the inputs are left as they were',
      run: async () => {
        const inputs = Object.freeze(TEXTS.slice(0, 2))
        await (await create()).embed(inputs)
        checkEqual(inputs, TEXTS.slice(0, 2), 'inputs after the call')
      },
    },
    {
      name: 'usage is a whole number of tokens or absent, never NaN',
      run: async () => {
        const { tokens } = (await (await create()).embed(TEXTS.slice(0, 1))).usage
        check(tokens === undefined || (Number.isInteger(tokens) && tokens >= 0), `usage.tokens is ${tokens}`)
      },
    },
    {
      name: 'an aborted signal rejects with its own reason',
      run: async () => {
        const embedder = await create()
        await checkAborts((signal) => embedder.embed(TEXTS.slice(0, 1), { signal }), 'embed with an aborted signal')
      },
    },
  ]
}

async function embedTexts(
  embedder: Embedder,
  texts: readonly string[],
  role: 'query' | 'document' = 'document',
): Promise<readonly Float32Array[]> {
  const most = embedder.limits?.items ?? texts.length
  const vectors: Float32Array[] = []
  for (let start = 0; start < texts.length; start += most)
    vectors.push(...(await embedder.embed(texts.slice(start, start + most), { role })).vectors)
  checkEqual(vectors.length, texts.length, 'number of vectors')
  return vectors
}

function checkClose(a: Float32Array | undefined, b: Float32Array | undefined, tolerance: number, what: string): void {
  const apart = distance(a, b)
  check(apart <= tolerance, `${what}: vectors differ by ${apart}`)
}

/** The largest difference of two components; infinite when there is no pair to compare. */
function distance(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (a === undefined || b === undefined || a.length !== b.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (const [index, component] of a.entries()) largest = Math.max(largest, Math.abs(component - (b[index] ?? 0)))
  return largest
}

function norm(vector: Float32Array): number {
  let sum = 0
  for (const component of vector) sum += component * component
  return Math.sqrt(sum)
}
