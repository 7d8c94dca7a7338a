import { invalidArgument, requireFunction, requireObject, requireOneOf, requireString } from '../internal/argument.ts'
import type { Analyzer } from './analyzer.ts'
import { RunTable } from './run-table.ts'

/** Options of {@link wordAnalyzer}. */
export interface WordAnalyzerOptions {
  /** Part of the analyzer's id: names the stop words and the stemmer, such as `english`. Default `words`. */
  readonly name?: string
  /** Reduces a folded word to its stem. Default: none. */
  readonly stem?: ((word: string) => string) | undefined
  /** Whether diacritics are folded before the stemmer sees a word, or after. Default `before`. */
  readonly fold?: 'before' | 'after'
  /** Folded words that are left out. Default: none. */
  readonly stopWords?: ReadonlySet<string> | undefined
}

/** Words are cut off here, so that text without spaces costs no more than text with them. */
const MAX_WORD = 64

/**
 * Cuts text into words of any script: folded to lower case without diacritics, identifiers such as `readFile_sync` split
 * into their parts and kept whole as well, scripts without spaces (Chinese, Japanese, Thai, …) as overlapping pairs of
 * characters. Linear in the text, on every runtime alike.
 *
 * @example
 * wordAnalyzer().analyze('Crème readFile') // ['creme', 'read', 'file', 'readfile']
 */
// @__NO_SIDE_EFFECTS__
export function wordAnalyzer(options: WordAnalyzerOptions = {}): Analyzer {
  requireObject('options', options)
  const { name = 'words', stem, stopWords, fold = 'before' } = options
  requireString('name', name)
  if (stem !== undefined) requireFunction('stem', stem, 'a function from a word to its stem')
  requireOneOf('fold', fold, ['before', 'after'])
  if (stopWords !== undefined && !(stopWords instanceof Set))
    throw invalidArgument('stopWords', 'a Set of folded words', stopWords)
  let known: RunTable<string | readonly string[]> | undefined
  let units = new Uint8Array(4_096)
  const encoder = new TextEncoder()
  // By byte: 1 for letters, digits, the underscore, and what is not ASCII.
  const inRun = new Uint8Array(FOREIGN + 1)
  for (let code = 0; code <= FOREIGN; code++) if (/[a-z0-9_\u0080]/i.test(String.fromCharCode(code))) inRun[code] = 1

  const addTerms = (run: string, terms: string[]): void => {
    const add = (word: string) => {
      const lower = lowerCase(word)
      const folded = fold === 'before' || stem === undefined ? foldMarks(lower) : foldMarks(stem(lower))
      if (folded === '' || stopWords?.has(folded)) return
      terms.push(fold === 'before' && stem !== undefined ? stem(folded) : folded)
    }
    if (PLAIN.test(run)) add(run)
    else addRun(run, add)
  }

  /** Reads a text as bytes, a zero behind it: what is not ASCII becomes {@link FOREIGN}. */
  const read = (text: string): Uint8Array => {
    const { length } = text
    if (units.length <= length) units = new Uint8Array(Math.max(length + 1, 2 * units.length))
    if (BEYOND_ASCII.test(text)) for (let at = 0; at < length; at++) units[at] = Math.min(text.charCodeAt(at), FOREIGN)
    else encoder.encodeInto(text, units)
    units[length] = 0
    return units
  }

  return {
    id: `${name}/1`,
    analyze(text) {
      const terms: string[] = []
      known ??= new RunTable()
      const bytes = read(text)
      for (let at = 0; at < text.length; at++) {
        let unit = bytes[at]!
        if (inRun[unit] === 0) continue
        const start = at
        let hash = RunTable.basis
        let all = 0
        do {
          hash = RunTable.hash(hash, unit)
          all |= unit
          unit = bytes[++at]!
        } while (inRun[unit] === 1)
        if (all >= FOREIGN || at - start > MAX_WORD) {
          for (const run of text.slice(start, at).match(RUNS) ?? []) addTerms(run, terms)
          continue
        }
        let found = known.get(hash, bytes, start, at)
        if (found === undefined) {
          // A copy: what is kept must not hold the whole text in memory, as a slice of it may.
          const made: string[] = []
          addTerms(String.fromCharCode(...bytes.subarray(start, at)), made)
          found = made.length === 1 ? made[0]! : made
          known.set(hash, bytes, start, at, found)
        }
        if (typeof found === 'string') terms.push(found)
        else for (const term of found) terms.push(term)
      }
      return terms
    },
  }
}

/** Stands for every unit beyond ASCII; which of them belong to words the pattern says. */
const FOREIGN = 0x80
const BEYOND_ASCII = /[^\u0000-\u007f]/
const RUNS = /[\p{L}\p{N}\p{M}_]+/gu

const PLAIN = /^(?:[a-z]{1,64}|[A-Z][a-z]{0,63}|[0-9]{1,64})$/
// Scripts that are written without spaces between words.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]+/gu

function addRun(run: string, add: (word: string) => void): void {
  let last = 0
  for (const match of run.matchAll(UNSPACED)) {
    addIdentifier(run.slice(last, match.index), add)
    addPairs(match[0], add)
    last = match.index + match[0].length
  }
  addIdentifier(run.slice(last), add)
}

function addPairs(run: string, add: (word: string) => void): void {
  const characters = Array.from(run)
  if (characters.length === 1) add(run)
  for (let i = 0; i + 1 < characters.length; i++) add(characters[i]! + characters[i + 1]!)
}

function addIdentifier(run: string, add: (word: string) => void): void {
  if (run === '') return
  const word = run.slice(0, MAX_WORD)
  const parts = word.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{Lt}\p{M}]+|\p{Lu}|\p{N}+/gu) ?? []
  if (parts.length > 1) for (const part of parts) add(part)
  add(word.replaceAll('_', ''))
}

function lowerCase(word: string): string {
  const cut = word.length > MAX_WORD ? word.slice(0, MAX_WORD) : word
  const lower = cut.toLowerCase()
  return ASCII.test(lower) ? lower : lower.normalize('NFKC')
}

/** A word in lower case without diacritics, as terms are. */
export function foldMarks(word: string): string {
  return ASCII.test(word) ? word : word.normalize('NFKD').replace(/[\u0300-\u036f]/g, '')
}

const ASCII = /^[\u0000-\u007f]*$/
