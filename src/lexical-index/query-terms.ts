import { bitsetWords, countBits, hasBit, setBit } from '../internal/bitset.ts'
import type { AllowedSlots } from '../internal/entry-table.ts'
import type { Analyzer } from './analyzer.ts'
import type { QueryTerm } from './bm25.ts'
import type { InvertedIndex } from './inverted-index.ts'
import { foldMarks } from './word-analyzer.ts'
import type { WordFamilies } from './word-families.ts'

/** A prefix stands for at most so many words, those in the most documents first. */
const MOST_WORDS = 64

/** How much words count that begin as a term does, and where they are. */
export interface Kinship {
  /** Finds them. */
  readonly families: WordFamilies
  /** What an occurrence of a relative counts beside one of the word: above 0. */
  readonly share: number
}

/** The terms of a query that some document holds, or holds a relative of; one that is repeated counts as often. */
export function queryTerms(index: InvertedIndex, terms: readonly string[], kinship?: Kinship): QueryTerm[] {
  const counts = new Map<string, number>()
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
  const found: QueryTerm[] = []
  for (const [term, weight] of counts) {
    const own = index.postings(term)
    const relatives = kinship === undefined ? [] : kinship.families.relatives(term)
    const postings = relatives.length === 0 ? own : kinship!.families.join(own, relatives, kinship!.share)
    if (postings !== undefined) found.push({ postings, weight, documentFrequency: postings.count })
  }
  return found
}

/** Reads `"phrases"` and `prefixes*`: the terms that are scored, and the documents that hold every phrase. */
export function operatorQuery(
  index: InvertedIndex,
  analyzer: Analyzer,
  query: string,
  allowed: AllowedSlots | undefined,
): { wanted: QueryTerm[]; holding: AllowedSlots | undefined } {
  const terms: string[] = []
  let holding = allowed
  const withoutPhrases = query.replace(/"([^"]*)"/g, (_, phrase: string) => {
    const words = analyzer.analyze(phrase)
    if (words.length > 0) {
      terms.push(...words)
      holding = documentsWith(index, words, holding)
    }
    return ' '
  })
  const rest = withoutPhrases.replace(/([\p{L}\p{N}\p{M}_]{1,64})\*/gu, (_, prefix: string) => {
    const words = analyzer.analyze(prefix)
    // A word of its own counts too: what a stemmer makes of it may not begin so.
    const own = words.length === 1 ? words : []
    terms.push(...new Set([...wordsFrom(index, foldMarks(prefix.toLowerCase())), ...own]))
    return ' '
  })
  terms.push(...analyzer.analyze(rest))
  return { wanted: queryTerms(index, terms), holding }
}

function wordsFrom(index: InvertedIndex, prefix: string): string[] {
  return index.terms
    .filter((term) => term.startsWith(prefix))
    .map((term) => ({ term, count: index.postings(term)?.count ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.term < b.term ? -1 : 1))
    .slice(0, MOST_WORDS)
    .map(({ term }) => term)
}

/** Allowed documents in which the words stand next to each other within one field. */
function documentsWith(
  index: InvertedIndex,
  words: readonly string[],
  allowed: AllowedSlots | undefined,
): AllowedSlots {
  const found = new Uint32Array(bitsetWords(index.bound))
  const ids = words.map((word) => index.termId(word) ?? -1)
  const repeats = repeatsOf(ids)
  const lists = words.map((word) => index.postings(word))
  const rarest = lists.reduce((a, b) => ((b?.count ?? 0) < (a?.count ?? 0) ? b : a), lists[0])
  for (let i = 0; i < (rarest?.count ?? 0); i++) {
    const document = rarest!.documents[i]!
    if (allowed !== undefined && !hasBit(allowed.words, document)) continue
    if (holdsPhrase(index.sequence(document)!, ids, repeats)) setBit(found, document)
  }
  return { words: found, count: countBits(found) }
}

/** By position: how many ids that end there are those at the start again (Knuth, Morris and Pratt, 1977). */
function repeatsOf(ids: readonly number[]): Uint32Array {
  const repeats = new Uint32Array(ids.length)
  for (let i = 1, held = 0; i < ids.length; i++) {
    while (held > 0 && ids[i] !== ids[held]) held = repeats[held - 1]!
    if (ids[i] === ids[held]) held++
    repeats[i] = held
  }
  return repeats
}

/** Linear in the sequence, however often the phrase almost stands there. */
function holdsPhrase(sequence: Uint32Array, ids: readonly number[], repeats: Uint32Array): boolean {
  let held = 0
  for (let at = 0; at < sequence.length; at++) {
    while (held > 0 && sequence[at] !== ids[held]) held = repeats[held - 1]!
    if (sequence[at] === ids[held] && ++held === ids.length) return true
  }
  return false
}
