/** Cuts texts into token ids of a WordPiece vocabulary. */
export interface WordPieces {
  /** Token ids of a text, in order, repeats included. Characters outside the vocabulary's alphabet separate words. */
  encode(text: string, found?: FoundWords): readonly number[]
}

/** What the words of a text are, beside its tokens: filled by {@link WordPieces.encode}. */
export interface FoundWords {
  /** Ids of words, or parts of identifiers, that are one token, in order, repeats included. */
  readonly known: number[]
  /** Words and parts that are cut into pieces, in lower case. */
  readonly unknown: string[]
}

/** Longer words are dropped: encoded data, not language. */
const LONGEST_WORD = 100

/** The alphabets of the vocabulary, Latin and Greek, end below this code unit. */
const ALPHABET_END = 0x400
const HASH = 0x23

const MARKS = /[\u0300-\u036f]+/g
const BEYOND_ASCII = /[^\0-\x7f]/
/** The parts of an identifier: `HTTPServer2` → `HTTP`, `Server2`. */
const HUMPS = /[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[^A-Z]+/g

/**
 * The tokeniser of the static model. A text is NFKD-normalised without its combining marks; a word is a longest run of
 * characters that are tokens themselves, in either case. A lower-cased word in the vocabulary is one token; other words are cut at
 * camel-case humps, and each part greedily into the longest pieces from the left, as BERT's WordPiece does (Wu et al.,
 * 2016). A part that pieces do not cover is dropped. Linear in the length of the text. scripts/model/words.py is the
 * same in Python.
 */
export function createWordPieces(vocabulary: readonly string[]): WordPieces {
  const ids = new Map<string, number>()
  // "##ing" as "ing": pieces that go on a word have a tree of their own.
  const continuations = new Map<string, number>()
  const inWord = new Uint8Array(ALPHABET_END)
  for (let id = 0; id < vocabulary.length; id++) {
    const token = vocabulary[id] as string
    const continues = token.charCodeAt(0) === HASH && token.charCodeAt(1) === HASH
    const bare = continues ? token.slice(2) : token
    if (continues) continuations.set(bare, id)
    else ids.set(bare, id)
    if (bare.length === 1) inWord[bare.charCodeAt(0)] = inWord[bare.toUpperCase().charCodeAt(0)] = 1
  }

  const pieces = pieceTrees([ids, continuations])
  function addPieces(part: string, out: number[], found: FoundWords | undefined): void {
    const before = out.length
    for (let start = 0; start < part.length; ) {
      const id = pieces.longest(part, start)
      if (id < 0) {
        out.length = before
        return
      }
      out.push(id)
      start += pieces.length()
    }
    if (out.length === before + 1) found?.known.push(out[before] as number)
    else if (out.length > before) found?.unknown.push(part)
  }

  function addWord(word: string, out: number[], found: FoundWords | undefined): void {
    const lower = word.toLowerCase()
    const id = ids.get(lower)
    if (id !== undefined) {
      out.push(id)
      found?.known.push(id)
    } else if (word.length <= LONGEST_WORD)
      for (const part of word.match(HUMPS) ?? []) addPieces(part === word ? lower : part.toLowerCase(), out, found)
  }

  const words = asciiWords(ids)
  const encoder = new TextEncoder()
  let bytes = new Uint8Array(4096)

  /** The units of a text: as bytes where each is one, which is several times as quick to read. */
  function unitsOf(text: string): Uint8Array | Uint16Array {
    if (!BEYOND_ASCII.test(text)) {
      if (bytes.length < text.length) bytes = new Uint8Array(2 * text.length)
      encoder.encodeInto(text, bytes)
      return bytes
    }
    const units = new Uint16Array(text.length)
    for (let at = 0; at < text.length; at++) units[at] = text.charCodeAt(at)
    return units
  }

  return {
    encode(text: string, found?: FoundWords): readonly number[] {
      const plain = BEYOND_ASCII.test(text) ? text.normalize('NFKD').replace(MARKS, '') : text
      const units = unitsOf(plain)
      const out: number[] = []
      let start = -1
      let hash = 0
      for (let at = 0; at <= plain.length; at++) {
        const code = at < plain.length ? (units[at] as number) : 0
        if (inWord[code] === 1) {
          if (start < 0) {
            start = at
            hash = FNV_BASIS
          }
          hash = Math.imul(hash ^ (code >= 65 && code <= 90 ? code | 32 : code), FNV_PRIME)
        } else if (start >= 0) {
          const id = words.find(hash, units, start, at)
          if (id < 0) addWord(plain.slice(start, at), out, found)
          else {
            out.push(id)
            found?.known.push(id)
          }
          start = -1
        }
      }
      return out
    },
  }
}

const FNV_BASIS = 0x811c9dc5 | 0
const FNV_PRIME = 0x01000193

/** The pieces as two trees of code units, one for the start of a word and one for its rest, in one hash table of edges. */
function pieceTrees(tables: readonly ReadonlyMap<string, number>[]): {
  /** The id of the longest piece that stands in a part at `start`; −1 without one. */
  longest(part: string, start: number): number
  /** How long the piece found last is. */
  length(): number
} {
  let units = 0
  for (const table of tables) for (const piece of table.keys()) units += piece.length
  const mask = (1 << (32 - Math.clz32(units * 2))) - 1
  const keys = new Int32Array(mask + 1).fill(-1)
  const targets = new Int32Array(mask + 1)
  const ends = new Int32Array(units + tables.length).fill(-1)
  const place = (key: number): number => {
    let slot = Math.imul(key, 0x9e3779b1) >>> 7
    for (slot &= mask; keys[slot] !== -1 && keys[slot] !== key; ) slot = (slot + 1) & mask
    return slot
  }
  let nodes = tables.length
  for (const [root, table] of tables.entries()) {
    for (const [piece, id] of table) {
      if (beyondAlphabet(piece)) continue
      let node = root
      for (let at = 0; at < piece.length; at++) {
        const key = node * ALPHABET_END + piece.charCodeAt(at)
        const slot = place(key)
        if (keys[slot] === -1) {
          keys[slot] = key
          targets[slot] = nodes++
        }
        node = targets[slot] as number
      }
      ends[node] = id
    }
  }
  let length = 0
  return {
    longest(part, start) {
      let found = -1
      let node = start === 0 ? 0 : 1
      for (let at = start; at < part.length; at++) {
        const code = part.charCodeAt(at)
        const slot = code < ALPHABET_END ? place(node * ALPHABET_END + code) : -1
        if (slot === -1 || keys[slot] === -1) break
        node = targets[slot] as number
        if (ends[node] === -1) continue
        found = ends[node] as number
        length = at + 1 - start
      }
      return found
    },
    length: () => length,
  }
}

function beyondAlphabet(piece: string): boolean {
  for (let at = 0; at < piece.length; at++) if (piece.charCodeAt(at) >= ALPHABET_END) return true
  return false
}

/** Whole words of ASCII by the hash of their lower-cased units (FNV-1a): found without making a string. */
function asciiWords(ids: ReadonlyMap<string, number>): {
  /** The id of the word that stands between two places, in either case; −1 when it must be looked up by name. */
  find(hash: number, units: Uint8Array | Uint16Array, start: number, end: number): number
} {
  const mask = (1 << (32 - Math.clz32(ids.size * 2))) - 1
  const slots = new Int32Array(mask + 1).fill(-1)
  const hashes = new Int32Array(mask + 1)
  const starts = new Int32Array(mask + 1)
  const lengths = new Uint8Array(mask + 1)
  const names: number[] = []
  for (const [word, id] of ids) {
    if (BEYOND_ASCII.test(word) || word.length > LONGEST_WORD) continue
    const start = names.length
    let hash = FNV_BASIS
    for (let at = 0; at < word.length; at++) {
      hash = Math.imul(hash ^ word.charCodeAt(at), FNV_PRIME)
      names.push(word.charCodeAt(at))
    }
    let slot = (hash ^ (hash >>> 15)) & mask
    while (slots[slot] !== -1) slot = (slot + 1) & mask
    slots[slot] = id
    hashes[slot] = hash
    starts[slot] = start
    lengths[slot] = word.length
  }
  const letters = Uint8Array.from(names)
  return {
    find(hash, units, start, end) {
      for (let slot = (hash ^ (hash >>> 15)) & mask; slots[slot] !== -1; slot = (slot + 1) & mask) {
        if (hashes[slot] !== hash || lengths[slot] !== end - start) continue
        const name = (starts[slot] as number) - start
        let at = start
        for (; at < end; at++) {
          const code = units[at] as number
          if ((code >= 65 && code <= 90 ? code | 32 : code) !== letters[name + at]) break
        }
        if (at === end) return slots[slot] as number
      }
      return -1
    },
  }
}
