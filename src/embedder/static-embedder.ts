import { GroundlineError } from '../errors.ts'
import { requireString } from '../internal/argument.ts'
import { nextTask } from '../internal/pace.ts'
import type { Embedder, Embedding, EmbedOptions } from './embedder.ts'
import { createRowSums, type RowSums } from './row-sums.ts'
import { readStaticModel, type StaticModel } from './static-model.ts'
import { createWordPieces, type FoundWords, type WordPieces } from './word-pieces.ts'
import { createWordSlots, SLOT_BLOCK, type WordSlots } from './word-slots.ts'

/** Options of {@link staticEmbedder}. */
export interface StaticEmbedderOptions {
  /**
   * Length of the vectors: the first components of the longest, renormalised. 256, 128 and 64 are meaning only: enough
   * beside a lexical index, and quicker to search. 512 and 768 add the identity of words, for a dense index alone.
   * Default 768.
   */
  readonly dimensions?: StaticDimensions
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

/** Lengths that {@link staticEmbedder} offers. */
export type StaticDimensions = 768 | 512 | 256 | 128 | 64

/** Components that the rows of the model fill. */
const MEANING = 256
const OFFERED: readonly number[] = [768, 512, 256, 128, 64] satisfies readonly StaticDimensions[]
/** Length of one block of word slots beside the meaning's length of 1: a quarter of the squared length of all three. */
const BLOCK_LENGTH = Math.SQRT1_2
/** Which rules made the vector from the rows. Any change to them is another embedding space. */
const RULES = 'w1'

/** Code units embedded between two looks at the signal, with a pause for other work: about 3 ms. */
const UNITS_A_TURN = 65_536

let shipped: Promise<LoadedModel> | undefined

interface LoadedModel {
  readonly model: StaticModel
  readonly pieces: WordPieces
  readonly slots: WordSlots
  readonly rowSums: RowSums
}

/**
 * The embedding model that ships with the package: semantic search without a key, a download or a native module. A
 * text's vector has two parts. The first 256 components are its meaning: the sum over its distinct tokens of
 * √count × row, where rows were distilled from all-MiniLM-L6-v2 and trained on openly licensed text (models/README.md).
 * The others say which words it has: stems hashed into two blocks of 256. English only. Weaker than the model it learned
 * from: use it beside a lexical index, or take a provider's embedder where quality matters more than cost.
 *
 * Sums run in double precision in the order of the text with +, ×, ÷ and √ only, so vectors are identical on every
 * runtime. Inputs have no length limit; the time is linear. The file (8 MB) is read beside the package's `models`
 * folder in Node, Bun and Deno and fetched from there elsewhere, once for all embedders.
 *
 * @throws GroundlineError `INVALID_ARGUMENT`, `NOT_FOUND` when the file cannot be had, `CORRUPT_DATA`,
 * `UNSUPPORTED_FORMAT`.
 *
 * @example
 * const alone = await staticEmbedder()
 * const besideBm25 = await staticEmbedder({ dimensions: 256 })
 */
export async function staticEmbedder(options: StaticEmbedderOptions = {}): Promise<Embedder> {
  const { dimensions = 768, bytes, unknown = 'constant', signal } = options
  if (!OFFERED.includes(dimensions))
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `dimensions must be one of ${OFFERED.join(', ')}, got ${String(dimensions)}`,
    )
  if (unknown !== 'constant' && unknown !== 'refuse')
    throw new GroundlineError('INVALID_ARGUMENT', `unknown must be 'constant' or 'refuse', got ${String(unknown)}`)
  signal?.throwIfAborted()
  const loaded = bytes ? prepare(bytes) : await shippedModel(signal)
  const { model, pieces } = loaded
  if (model.dimensions < Math.min(dimensions, MEANING))
    throw new GroundlineError('INVALID_ARGUMENT', `The model has ${model.dimensions} dimensions, not ${dimensions}`)

  const scratch = { counts: new Uint32Array(model.vocabulary.length), sums: new Float64Array(dimensions) }
  const withWords = dimensions > MEANING
  return {
    space: {
      model: 'groundline-static-en',
      revision: `${model.revision}.${RULES}`,
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
        const found: FoundWords | undefined = withWords ? { known: [], unknown: [] } : undefined
        const ids = pieces.encode(input, found)
        if (ids.length === 0 && unknown === 'refuse')
          throw new GroundlineError(
            'INVALID_ARGUMENT',
            `inputs[${index}] has no token of the model's vocabulary: it is empty or not English. Leave it out, or set unknown: 'constant'.`,
            { details: { argument: 'inputs', index } },
          )
        vectors.push(pool(loaded, ids, found, scratch))
        tokens += ids.length
        units += input.length + 1
        if (units >= UNITS_A_TURN) {
          units = 0
          await nextTask()
          signal?.throwIfAborted()
        }
      }
      return { vectors, usage: { tokens } }
    },
  }
}

interface Scratch {
  /** By token; all zero before and after. */
  readonly counts: Uint32Array
  readonly sums: Float64Array
}

/** The vector of a text. Nothing in `scratch` outlives the call, so calls may interleave. */
function pool(
  { model, slots, rowSums }: LoadedModel,
  ids: Uint32Array,
  found: FoundWords | undefined,
  { counts, sums }: Scratch,
): Float32Array {
  const { scales } = model
  const length = Math.min(sums.length, MEANING)
  sums.fill(0)
  for (let at = 0; at < ids.length; at++) counts[ids[at] as number]!++
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at] as number
    const count = counts[id] as number
    if (count === 0) continue
    counts[id] = 0
    rowSums.add(id, (scales[id] as number) * Math.sqrt(count))
  }
  rowSums.sum(sums, length)
  if (found && scaleTo(1, sums, 0, length)) {
    eachDistinct(found.known, counts, (id, count) => slots.addKnown(sums, MEANING, id, count))
    for (const [word, count] of countsOf(found.unknown)) slots.addUnknown(sums, MEANING, word, count)
    for (let from = MEANING; from < sums.length; from += SLOT_BLOCK)
      scaleTo(BLOCK_LENGTH, sums, from, from + SLOT_BLOCK)
  }
  // Alternating signs keep the vector of nothing away from every direction that words share.
  if (!scaleTo(1, sums, 0, sums.length)) {
    for (let at = 0; at < sums.length; at++) sums[at] = at % 2 === 0 ? 1 : -1
    scaleTo(1, sums, 0, sums.length)
  }
  return new Float32Array(sums)
}

/** Calls back once for each distinct id, in the order of first appearance. */
function eachDistinct(ids: readonly number[], counts: Uint32Array, use: (id: number, count: number) => void): void {
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1
  for (const id of ids) {
    const count = counts[id] ?? 0
    if (count === 0) continue
    counts[id] = 0
    use(id, count)
  }
}

function countsOf(words: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** Gives a part of `sums` a length. False, and nothing is changed, where it has no direction. */
function scaleTo(wanted: number, sums: Float64Array, from: number, to: number): boolean {
  let squares = 0
  for (let at = from; at < to; at++) squares += (sums[at] as number) * (sums[at] as number)
  if (squares === 0) return false
  const scale = wanted / Math.sqrt(squares)
  for (let at = from; at < to; at++) sums[at] = (sums[at] as number) * scale
  return true
}

function prepare(bytes: Uint8Array): LoadedModel {
  const model = readStaticModel(bytes)
  return {
    model,
    pieces: createWordPieces(model.vocabulary),
    slots: createWordSlots(model.vocabulary),
    rowSums: createRowSums(model),
  }
}

/** Loads once; a failed load is tried again by the next caller. One caller's abort must not fail the others. */
async function shippedModel(signal: AbortSignal | undefined): Promise<LoadedModel> {
  shipped ??= readAsset(new URL('../../models/static-en-2.bin', import.meta.url)).then(prepare)
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
