import { GroundlineError } from '../errors.ts'
import { requireString } from '../internal/argument.ts'
import type { Embedder, Embedding, EmbedOptions } from './embedder.ts'
import { readStaticModel, type StaticModel } from './static-model.ts'
import { createWordPieces } from './word-pieces.ts'

/** Options of {@link staticEmbedder}. */
export interface StaticEmbedderOptions {
  /** Length of the vectors: the first components of the model's rows, renormalised. Default 256. */
  readonly dimensions?: 256 | 128 | 64
  /** The model file's content, where neither a file nor a URL beside the module can be read. It is kept, not copied. */
  readonly bytes?: Uint8Array
  /**
   * What a text gets that has no token of the vocabulary (empty, or in another script): `constant` gives all such texts
   * one fixed vector of length 1, `refuse` throws `INVALID_ARGUMENT` with the input's index. Default `constant`.
   */
  readonly unknown?: 'constant' | 'refuse'
  /** Cancels loading. */
  readonly signal?: AbortSignal | undefined
}

/** Code units embedded between two looks at the signal, with a pause for other work: about 3 ms. */
const UNITS_A_TURN = 65_536

let shipped: Promise<LoadedModel> | undefined

interface LoadedModel {
  readonly model: StaticModel
  readonly encode: (text: string) => readonly number[]
}

/**
 * The embedding model that ships with the package: semantic search without a key, a download or a native module. A
 * text's vector is the sum over its distinct tokens of √count × row, at length 1; rows were distilled from
 * all-MiniLM-L6-v2 and trained on openly licensed text (models/README.md). English only. Weaker than the model it
 * learned from: use it beside a lexical index, or take a provider's embedder where quality matters more than cost.
 *
 * Sums run in double precision in the order of the text with +, × and √ only, so vectors are identical on every
 * runtime. Inputs have no length limit; the time is linear. The file (8 MB) is read beside the package's `models`
 * folder in Node, Bun and Deno and fetched from there elsewhere, once for all embedders.
 *
 * @throws GroundlineError `INVALID_ARGUMENT`, `NOT_FOUND` when the file cannot be had, `CORRUPT_DATA`,
 * `UNSUPPORTED_FORMAT`.
 *
 * @example
 * const embedder = await staticEmbedder({ dimensions: 128 })
 */
export async function staticEmbedder(options: StaticEmbedderOptions = {}): Promise<Embedder> {
  const { dimensions = 256, bytes, unknown = 'constant', signal } = options
  if (dimensions !== 256 && dimensions !== 128 && dimensions !== 64)
    throw new GroundlineError('INVALID_ARGUMENT', `dimensions must be 256, 128 or 64, got ${String(dimensions)}`)
  if (unknown !== 'constant' && unknown !== 'refuse')
    throw new GroundlineError('INVALID_ARGUMENT', `unknown must be 'constant' or 'refuse', got ${String(unknown)}`)
  signal?.throwIfAborted()
  const { model, encode } = bytes ? prepare(bytes) : await shippedModel(signal)
  if (model.dimensions < dimensions)
    throw new GroundlineError('INVALID_ARGUMENT', `The model has ${model.dimensions} dimensions, not ${dimensions}`)

  const counts = new Uint32Array(model.vocabulary.length)
  const sums = new Float64Array(dimensions)
  return {
    space: {
      model: 'groundline-static-en',
      revision: model.revision,
      dimensions,
      pooling: 'mean',
      normalized: true,
    },
    dimensions,
    async embed(inputs: readonly string[], { signal }: EmbedOptions = {}): Promise<Embedding> {
      signal?.throwIfAborted()
      const vectors: Float32Array[] = []
      let tokens = 0
      let units = 0
      for (const [index, input] of inputs.entries()) {
        requireString(`inputs[${index}]`, input)
        const ids = encode(input)
        if (ids.length === 0 && unknown === 'refuse')
          throw new GroundlineError(
            'INVALID_ARGUMENT',
            `inputs[${index}] has no token of the model's vocabulary: it is empty or not English. Leave it out, or set unknown: 'constant'.`,
            { details: { argument: 'inputs', index } },
          )
        vectors.push(pool(model, ids, counts, sums))
        tokens += ids.length
        units += input.length + 1
        if (units >= UNITS_A_TURN) {
          units = 0
          await new Promise((resolve) => setTimeout(resolve, 0))
          signal?.throwIfAborted()
        }
      }
      return { vectors, usage: { tokens } }
    },
  }
}

/** `counts` is all zero before and after; `sums` is scratch. Neither outlives the call, so calls may interleave. */
function pool(model: StaticModel, ids: readonly number[], counts: Uint32Array, sums: Float64Array): Float32Array {
  const { rows, scales, dimensions: width } = model
  const length = sums.length
  sums.fill(0)
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1
  for (const id of ids) {
    const count = counts[id] ?? 0
    if (count === 0) continue
    counts[id] = 0
    const weight = (scales[id] ?? 0) * Math.sqrt(count)
    const base = id * width
    for (let at = 0; at < length; at++) sums[at] = (sums[at] as number) + weight * (rows[base + at] as number)
  }
  let squares = 0
  for (let at = 0; at < length; at++) squares += (sums[at] as number) * (sums[at] as number)
  if (squares === 0) {
    // Alternating signs keep it away from every direction that words share.
    for (let at = 0; at < length; at++) sums[at] = at % 2 === 0 ? 1 : -1
    squares = length
  }
  const norm = Math.sqrt(squares)
  const vector = new Float32Array(length)
  for (let at = 0; at < length; at++) vector[at] = (sums[at] as number) / norm
  return vector
}

function prepare(bytes: Uint8Array): LoadedModel {
  const model = readStaticModel(bytes)
  return { model, encode: createWordPieces(model.vocabulary).encode }
}

/** Loads once; a failed load is tried again by the next caller. One caller's abort must not fail the others. */
async function shippedModel(signal: AbortSignal | undefined): Promise<LoadedModel> {
  shipped ??= readAsset(new URL('../../models/static-en-1.bin', import.meta.url)).then(prepare)
  const loading = shipped
  try {
    const model = await loading
    signal?.throwIfAborted()
    return model
  } catch (error) {
    if (!signal?.aborted && shipped === loading) shipped = undefined
    throw error
  }
}

/** Without an import of `node:fs`, so that one module serves Node and browsers, bundled or not. */
async function readAsset(url: URL): Promise<Uint8Array> {
  const fs = url.protocol === 'file:' ? globalThis.process?.getBuiltinModule?.('node:fs/promises') : undefined
  try {
    if (fs) return await fs.readFile(url)
    const response = await fetch(url)
    if (response.ok) return new Uint8Array(await response.arrayBuffer())
    throw new Error(`status ${response.status}`)
  } catch (cause) {
    throw new GroundlineError(
      'NOT_FOUND',
      `The static embedding model cannot be read from ${url.href}. Serve or copy the package's models folder there, or pass { bytes } of its file.`,
      { cause, details: { url: url.href } },
    )
  }
}
