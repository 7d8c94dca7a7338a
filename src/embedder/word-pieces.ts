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
  // One table for word starts and one for continuations ("##ing" as "ing") saves joining strings at every probe.
  const continuations = new Map<string, number>()
  const inWord = new Uint8Array(ALPHABET_END)
  let longest = 0
  for (let id = 0; id < vocabulary.length; id++) {
    const token = vocabulary[id] as string
    const continues = token.charCodeAt(0) === HASH && token.charCodeAt(1) === HASH
    const bare = continues ? token.slice(2) : token
    if (continues) continuations.set(bare, id)
    else ids.set(bare, id)
    if (bare.length > longest) longest = bare.length
    if (bare.length === 1) inWord[bare.charCodeAt(0)] = inWord[bare.toUpperCase().charCodeAt(0)] = 1
  }

  function addPieces(part: string, out: number[], found: FoundWords | undefined): void {
    const before = out.length
    let start = 0
    while (start < part.length) {
      const table = start === 0 ? ids : continuations
      let end = Math.min(part.length, start + longest)
      let id: number | undefined
      for (; end > start && id === undefined; end--) id = table.get(part.slice(start, end))
      if (id === undefined) {
        out.length = before
        return
      }
      out.push(id)
      start = end + 1
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

  return {
    encode(text: string, found?: FoundWords): readonly number[] {
      const plain = BEYOND_ASCII.test(text) ? text.normalize('NFKD').replace(MARKS, '') : text
      const out: number[] = []
      let start = -1
      for (let at = 0; at < plain.length; at++) {
        const known = inWord[plain.charCodeAt(at)] === 1
        if (known && start < 0) start = at
        else if (!known && start >= 0) {
          addWord(plain.slice(start, at), out, found)
          start = -1
        }
      }
      if (start >= 0) addWord(plain.slice(start), out, found)
      return out
    },
  }
}
