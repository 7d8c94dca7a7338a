import { asArray, asFlag, asString, asVocabulary, type JsonObject, malformed, member, unsupported } from './json.ts'
import type { TokenModel } from './model.ts'

const MAX_CACHED = 20_000
const CACHED_LENGTH = 64
/** Positions in heap keys take the low bits: rank × POSITIONS + position stays below 2^53. */
const POSITIONS = 2 ** 30

/**
 * Byte-pair encoding over a list of merges: the merge of the lowest rank first, the leftmost of equals. Symbols are
 * characters, so this serves byte-level vocabularies (whose words are spelled byte by byte before) and SentencePiece's,
 * where a whole text can be one word. A heap keeps it at O(n log n) for a word of n characters.
 */
export function bpeModel(model: JsonObject, special: ReadonlySet<string>): TokenModel {
  const vocabulary = asVocabulary(member(model, 'vocab'), 'model.vocab')
  if (member(model, 'dropout') && member(model, 'dropout') !== 0)
    throw unsupported('BPE dropout', member(model, 'dropout'))
  const optional = (key: string): string => {
    const value = member(model, key)
    return value === undefined || value === null ? '' : asString(value, `model.${key}`)
  }
  const prefix = optional('continuing_subword_prefix')
  const suffix = optional('end_of_word_suffix')
  const unknown = optional('unk_token')
  const fuseUnknown = asFlag(member(model, 'fuse_unk'), 'model.fuse_unk', false)
  const byteFallback = asFlag(member(model, 'byte_fallback'), 'model.byte_fallback', false)
  const ignoreMerges = asFlag(member(model, 'ignore_merges'), 'model.ignore_merges', false)
  const unknownId = unknown === '' ? undefined : vocabulary.get(unknown)
  const bytes = byteFallback ? byteTokens(vocabulary) : undefined
  const merges = readMerges(member(model, 'merges'), vocabulary, prefix)
  const cache = new Map<string, Uint32Array>()

  /** The ids of the word's characters, before any merge. */
  const symbolsOf = (word: string): number[] => {
    const symbols: number[] = []
    const characters = Array.from(word)
    characters.forEach((character, index) => {
      const spelled = `${index > 0 ? prefix : ''}${character}${index === characters.length - 1 ? suffix : ''}`
      const id = vocabulary.get(spelled)
      if (id !== undefined) symbols.push(id)
      else if (bytes) for (const byte of new TextEncoder().encode(spelled)) symbols.push(bytes[byte]!)
      else if (unknownId !== undefined && !(fuseUnknown && symbols.at(-1) === unknownId)) symbols.push(unknownId)
    })
    return symbols
  }

  return {
    vocabulary,
    tokenize(word, ids) {
      const whole = ignoreMerges && !special.has(word) ? vocabulary.get(word) : undefined
      if (whole !== undefined) {
        ids.push(whole)
        return
      }
      let tokens = cache.get(word)
      if (!tokens) {
        tokens = mergeAll(symbolsOf(word), merges)
        if (word.length <= CACHED_LENGTH) {
          if (cache.size >= MAX_CACHED) cache.clear()
          cache.set(word, tokens)
        }
      }
      for (const token of tokens) ids.push(token)
    },
  }
}

/** Pair of ids → rank and the id that it makes, under one number: `left × stride + right`. */
interface Merges {
  readonly stride: number
  readonly ranks: ReadonlyMap<number, number>
  readonly made: Uint32Array
}

function readMerges(value: unknown, vocabulary: ReadonlyMap<string, number>, prefix: string): Merges {
  const list = asArray(value, 'model.merges')
  let stride = 1
  for (const id of vocabulary.values()) stride = Math.max(stride, id + 1)
  const ranks = new Map<number, number>()
  const made = new Uint32Array(list.length)
  list.forEach((entry, rank) => {
    const [left, right, ...more] =
      typeof entry === 'string' ? entry.split(' ') : asArray(entry, `model.merges[${rank}]`)
    const first = asString(left, `model.merges[${rank}]`)
    const second = asString(right, `model.merges[${rank}]`)
    const joined = first + second.slice(prefix.length)
    const ids = [vocabulary.get(first), vocabulary.get(second), vocabulary.get(joined)]
    const [a, b, c] = ids
    if (more.length > 0 || a === undefined || b === undefined || c === undefined) {
      throw malformed(`model.merges[${rank}]`, 'two tokens of the vocabulary that make a third', entry)
    }
    ranks.set(a * stride + b, rank)
    made[rank] = c
  })
  return { stride, ranks, made }
}

/** Ids of `<0x00>` … `<0xFF>`, for characters that the vocabulary lacks; undefined unless it has them all. */
function byteTokens(vocabulary: ReadonlyMap<string, number>): Uint32Array | undefined {
  const ids = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    const id = vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
    if (id === undefined) return undefined
    ids[byte] = id
  }
  return ids
}

function mergeAll(symbols: readonly number[], merges: Merges): Uint32Array {
  const { stride, ranks, made } = merges
  const length = symbols.length
  const ids = Uint32Array.from(symbols)
  const next = new Int32Array(length)
  const previous = new Int32Array(length)
  /** Rank of the merge of each symbol with the next; −1 for none, −2 where the symbol is gone. */
  const pending = new Int32Array(length)
  const heap = new KeyHeap(length)

  const offer = (at: number): void => {
    const rank = next[at]! < length ? ranks.get(ids[at]! * stride + ids[next[at]!]!) : undefined
    pending[at] = rank ?? -1
    if (rank !== undefined) heap.push(rank * POSITIONS + at)
  }
  for (let at = 0; at < length; at++) {
    next[at] = at + 1
    previous[at] = at - 1
  }
  for (let at = 0; at < length; at++) offer(at)
  for (let key = heap.pop(); key >= 0; key = heap.pop()) {
    const rank = Math.floor(key / POSITIONS)
    const at = key - rank * POSITIONS
    if (pending[at] !== rank) continue
    const gone = next[at]!
    pending[gone] = -2
    ids[at] = made[rank]!
    next[at] = next[gone]!
    if (next[at]! < length) previous[next[at]!] = at
    offer(at)
    if (previous[at]! >= 0) offer(previous[at]!)
  }
  return ids.filter((_, at) => pending[at] !== -2)
}

/** A binary heap of numbers, smallest first; `pop` gives −1 when it is empty. */
class KeyHeap {
  #keys: Float64Array
  #size = 0

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity + 4)
  }

  push(key: number): void {
    if (this.#size === this.#keys.length) {
      const larger = new Float64Array(this.#size * 2)
      larger.set(this.#keys)
      this.#keys = larger
    }
    const keys = this.#keys
    let at = this.#size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (keys[parent]! <= key) break
      keys[at] = keys[parent]!
      at = parent
    }
    keys[at] = key
  }

  pop(): number {
    if (this.#size === 0) return -1
    const keys = this.#keys
    const top = keys[0]!
    const key = keys[--this.#size]!
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#size) break
      if (child + 1 < this.#size && keys[child + 1]! < keys[child]!) child++
      if (keys[child]! >= key) break
      keys[at] = keys[child]!
      at = child
    }
    keys[at] = key
    return top
  }
}
