import { FNV_BASIS, FNV_PRIME } from '../internal/string-hash.ts'
import { asciiWords } from './ascii-words.ts'
import { goesOn, pieceTrees } from './piece-trees.ts'

/** Cuts texts into token ids of a WordPiece vocabulary. */
export interface WordPieces {
  /**
   * Token ids of a text, in order, repeats included; good until the next call. Characters outside the vocabulary's
   * alphabet separate words.
   */
  encode(text: string, found?: FoundWords): Uint32Array
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
/** Stands for every character of words beyond ASCII. */
const FOREIGN = 0x80

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
  /** Words by their text, made for the first that is not of ASCII. */
  let ids: Map<string, number> | undefined
  // What a unit of a text is read as: itself in ASCII, FOREIGN in words beyond it, 0 between words.
  const classes = new Uint8Array(ALPHABET_END)
  for (let id = 0; id < vocabulary.length; id++) {
    const token = vocabulary[id] as string
    if (token.length !== (goesOn(token) ? 3 : 1)) continue
    const bare = token.slice(-1)
    for (const code of [bare.charCodeAt(0), bare.toUpperCase().charCodeAt(0)])
      if (code < ALPHABET_END) classes[code] = Math.min(code, FOREIGN)
  }
  const folded = Uint8Array.from(classes.subarray(0, FOREIGN), (code) => (isCapital(code) ? code | 32 : code))
  const foldedUnits = Uint8Array.from([...folded, FOREIGN])

  const words = asciiWords(vocabulary)
  const pieces = pieceTrees(vocabulary, ALPHABET_END)
  const encoder = new TextEncoder()
  // Twice as long, as lower-casing may lengthen a word.
  const part = new Uint16Array(2 * LONGEST_WORD)
  let bytes = new Uint8Array(4096)
  let tokens = new Uint32Array(1024)
  let count = 0

  /** Reads a text into `bytes`, a zero behind it: several times as quick to go through as a string. */
  function read(text: string, ascii: boolean): void {
    const { length } = text
    if (bytes.length <= length) bytes = new Uint8Array(Math.max(length + 1, 2 * bytes.length))
    if (ascii) encoder.encodeInto(text, bytes)
    else
      for (let at = 0; at < length; at++) {
        const code = text.charCodeAt(at)
        bytes[at] = code < ALPHABET_END ? (classes[code] as number) : 0
      }
    bytes[length] = 0
  }

  function reserve(more: number): void {
    if (count + more <= tokens.length) return
    const grown = new Uint32Array(2 * tokens.length + more)
    grown.set(tokens)
    tokens = grown
  }

  /** Adds the pieces of the first `length` units of `part`, or none where they do not cover it; says how many. */
  function addPieces(length: number): number {
    const before = count
    for (let start = 0; start < length; ) {
      const id = pieces.longest(part, start, length)
      if (id < 0) {
        count = before
        break
      }
      tokens[count++] = id
      start += pieces.length()
    }
    return count - before
  }

  /** A word of ASCII that is no token, cut without making strings of its parts. */
  function addAscii(text: string, start: number, end: number, found: FoundWords | undefined): void {
    for (let from = start; from < end; ) {
      const to = humpEnd(bytes, from, end)
      for (let at = from; at < to; at++) part[at - from] = folded[bytes[at] as number] as number
      const added = addPieces(to - from)
      if (added === 1) found?.known.push(tokens[count - 1] as number)
      else if (added > 1) found?.unknown.push(text.slice(from, to).toLowerCase())
      from = to
    }
  }

  function addOther(word: string, found: FoundWords | undefined): void {
    const lower = word.toLowerCase()
    ids ??= new Map(vocabulary.flatMap((token, id) => (goesOn(token) ? [] : [[token, id] as const])))
    const id = ids.get(lower)
    if (id !== undefined) {
      tokens[count++] = id
      found?.known.push(id)
      return
    }
    if (word.length > LONGEST_WORD) return
    for (const hump of word.match(HUMPS) ?? []) {
      const small = hump === word ? lower : hump.toLowerCase()
      for (let at = 0; at < small.length; at++) part[at] = small.charCodeAt(at)
      const added = addPieces(small.length)
      if (added === 1) found?.known.push(tokens[count - 1] as number)
      else if (added > 1) found?.unknown.push(small)
    }
  }

  return {
    encode(text: string, found?: FoundWords): Uint32Array {
      const ascii = !BEYOND_ASCII.test(text)
      const plain = ascii ? text : text.normalize('NFKD').replace(MARKS, '')
      read(plain, ascii)
      count = 0
      const units = bytes
      const { length } = plain
      for (let at = 0; at < length; at++) {
        let code = foldedUnits[units[at] as number] as number
        if (code === 0) continue
        const start = at
        let hash = FNV_BASIS
        let all = 0
        do {
          hash = Math.imul(hash ^ code, FNV_PRIME)
          all |= code
          code = foldedUnits[units[++at] as number] as number
        } while (code !== 0)
        // No piece is shorter than a unit, and lower-casing at most doubles a word.
        reserve(2 * (at - start))
        const id = words.find(hash, units, start, at)
        if (id >= 0) {
          tokens[count++] = id
          found?.known.push(id)
        } else if (all >= FOREIGN || at - start > LONGEST_WORD) addOther(plain.slice(start, at), found)
        else addAscii(plain, start, at, found)
      }
      return tokens.subarray(0, count)
    },
  }
}

/** Where the part of an identifier that begins at `at` ends, as {@link HUMPS} says it. */
function humpEnd(units: Uint8Array, at: number, end: number): number {
  let to = at
  while (to < end && isCapital(units[to] as number)) to++
  const capitals = to - at
  const small = to < end && isSmall(units[to] as number)
  if (capitals > 1) return small ? to - 1 : to
  if (capitals === 1 && !small) return to
  if (capitals === 1) while (to < end && (isSmall(units[to] as number) || isDigit(units[to] as number))) to++
  else while (to < end && !isCapital(units[to] as number)) to++
  return to
}

const isCapital = (code: number): boolean => code >= 65 && code <= 90
const isSmall = (code: number): boolean => code >= 97 && code <= 122
const isDigit = (code: number): boolean => code >= 48 && code <= 57
