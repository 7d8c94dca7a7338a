import { GroundlineError } from '../../errors.ts'
import {
  type Encoded,
  type LibraryModel,
  type LibraryTensor,
  type LibraryTokenizer,
  loadArguments,
  loadLibrary,
  type TransformersLibrary,
  type TransformersModelOptions,
} from './transformers-library.ts'

/** How token vectors become one: their mean, the first (`cls`) or the last. */
export type Pooling = 'mean' | 'cls' | 'last'

/** How texts are embedded. */
export interface EmbedSettings {
  /** How token vectors become one. */
  readonly pooling: Pooling
  /** Whether vectors get length 1. */
  readonly normalize: boolean
  /** The most texts run through the model together. */
  readonly batchItems: number
}

/** What a loaded model says of itself. */
export interface ModelFacts {
  /** Length of its token vectors; undefined when its configuration does not say. */
  readonly dimensions: number | undefined
  /** Tokens it reads, special ones included. */
  readonly maxTokens: number
}

/** A model and its tokenizer, loaded. */
export interface TransformersEngine {
  readonly facts: ModelFacts
  /** One vector a text, in order. Throws `LIMIT_EXCEEDED` for a text of more tokens than the model reads. */
  embed(texts: readonly string[], settings: EmbedSettings): Promise<{ vectors: Float32Array[]; tokens: number }>
  /** One raw score a passage, in order: the single logit of a cross-encoder. Pairs over the limit are cut at the end. */
  score(query: string, passages: readonly string[], batchItems: number): Promise<number[]>
}

/** What the model is for. */
export type ModelTask = 'embed' | 'score'

/** Loads a model of transformers.js in this thread. */
export async function loadEngine(options: TransformersModelOptions, task: ModelTask): Promise<TransformersEngine> {
  const library = await loadLibrary(options.library)
  const { name, settings } = loadArguments(library, options)
  const kind = task === 'embed' ? library.AutoModel : library.AutoModelForSequenceClassification
  const [tokenizer, model] = await Promise.all([
    library.AutoTokenizer.from_pretrained(name, settings),
    kind.from_pretrained(name, settings),
  ])
  const maxTokens = Math.min(
    tokenizer.model_max_length ?? Number.MAX_SAFE_INTEGER,
    model.config.max_position_embeddings ?? Number.MAX_SAFE_INTEGER,
  )

  return {
    facts: { dimensions: model.config.hidden_size, maxTokens },
    async embed(texts, { pooling, normalize, batchItems }) {
      const encoded = texts.map((text, index) => {
        const each = encode(tokenizer, text, {})
        if (each.input_ids.length <= maxTokens) return each
        const tokens = each.input_ids.length
        throw new GroundlineError(
          'LIMIT_EXCEEDED',
          `input ${index} has ${tokens} tokens and the model reads ${maxTokens}. Chunk it by the model's own tokenizer`,
          { details: { index, tokens, limit: maxTokens } },
        )
      })
      const vectors = new Array<Float32Array>(texts.length)
      let tokens = 0
      for (const rows of byLength(encoded, batchItems)) {
        const batch = rows.map((row) => encoded[row] as Encoded)
        const outputs = await run(library, tokenizer, model, batch)
        const hidden = outputs.last_hidden_state ?? outputs.token_embeddings
        if (hidden === undefined || hidden.dims.length !== 3)
          throw new GroundlineError('UNSUPPORTED_FORMAT', 'the model gives no token vectors: it is no embedding model')
        for (const [position, row] of rows.entries()) {
          const length = batch[position]?.input_ids.length ?? 0
          tokens += length
          vectors[row] = pool(hidden, position, length, pooling, normalize)
        }
      }
      return { vectors, tokens }
    },
    async score(query, passages, batchItems) {
      const encoded = passages.map((passage) =>
        encode(tokenizer, query, { text_pair: passage, truncation: true, max_length: maxTokens }),
      )
      const scores = new Array<number>(passages.length)
      for (const rows of byLength(encoded, batchItems)) {
        const { logits } = await run(
          library,
          tokenizer,
          model,
          rows.map((row) => encoded[row] as Encoded),
        )
        if (logits === undefined || logits.dims.at(-1) !== 1)
          throw new GroundlineError('UNSUPPORTED_FORMAT', 'the model gives no single score: it is no cross-encoder')
        for (const [position, row] of rows.entries()) scores[row] = logits.data[position] ?? Number.NaN
      }
      return scores
    },
  }
}

function encode(tokenizer: LibraryTokenizer, text: string, more: Readonly<Record<string, unknown>>): Encoded {
  // BERT tokenizers give type ids only when asked for by pair; both libraries accept the request for single texts.
  const encoded = tokenizer(text, { padding: false, truncation: false, return_tensor: false, ...more })
  // v4 wraps a single text into a batch of one in some releases.
  const [first] = encoded.input_ids as readonly unknown[]
  if (!Array.isArray(first)) return encoded
  const row = (ids: readonly unknown[] | undefined) => ids?.[0] as readonly number[]
  const { input_ids, attention_mask, token_type_ids } = encoded
  return {
    input_ids: row(input_ids),
    ...(attention_mask && { attention_mask: row(attention_mask) }),
    ...(token_type_ids && { token_type_ids: row(token_type_ids) }),
  }
}

/** Rows in batches of similar length, so that little is computed for padding; equal lengths keep their order. */
function byLength(encoded: readonly Encoded[], batchItems: number): readonly (readonly number[])[] {
  const rows = [...encoded.keys()].sort(
    (a, b) => (encoded[a]?.input_ids.length ?? 0) - (encoded[b]?.input_ids.length ?? 0) || a - b,
  )
  const batches: number[][] = []
  for (let start = 0; start < rows.length; start += batchItems) batches.push(rows.slice(start, start + batchItems))
  return batches
}

function run(
  library: TransformersLibrary,
  tokenizer: LibraryTokenizer,
  model: LibraryModel,
  batch: readonly Encoded[],
): ReturnType<LibraryModel> {
  let longest = 0
  for (const { input_ids } of batch) longest = Math.max(longest, input_ids.length)
  const tensor = (member: keyof Encoded, otherwise: bigint, padding: bigint) => {
    const data = new BigInt64Array(batch.length * longest).fill(padding)
    for (const [row, encoded] of batch.entries()) {
      for (let at = 0; at < encoded.input_ids.length; at++)
        data[row * longest + at] = BigInt(encoded[member]?.[at] ?? otherwise)
    }
    return new library.Tensor('int64', data, [batch.length, longest])
  }
  return model({
    input_ids: tensor('input_ids', 0n, BigInt(tokenizer.pad_token_id ?? 0)),
    attention_mask: tensor('attention_mask', 1n, 0n),
    token_type_ids: tensor('token_type_ids', 0n, 0n),
  })
}

/** One vector of a row of token vectors, summed in double precision. */
function pool(
  { dims, data }: LibraryTensor,
  row: number,
  length: number,
  pooling: Pooling,
  normalize: boolean,
): Float32Array {
  const [, positions = 0, size = 0] = dims
  const sums = new Float64Array(size)
  const first = pooling === 'last' ? length - 1 : 0
  const end = pooling === 'cls' ? 1 : length
  for (let at = first; at < end; at++) {
    const start = (row * positions + at) * size
    for (let component = 0; component < size; component++) sums[component]! += data[start + component]!
  }
  let squares = 0
  for (const sum of sums) squares += sum * sum
  const scale = normalize ? Math.sqrt(squares) : end - first
  return Float32Array.from(sums, (sum) => sum / (scale || 1))
}
