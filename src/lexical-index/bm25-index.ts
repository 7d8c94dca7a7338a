import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { parseFilter } from '../filter.ts'
import {
  describe,
  invalidArgument,
  requireArray,
  requireFunction,
  requireIdList,
  requireNumber,
  requireObject,
  requireOneOf,
  requireString,
} from '../internal/argument.ts'
import { EntryTable } from '../internal/entry-table.ts'
import { copyMetadata } from '../internal/metadata-copy.ts'
import { createPace } from '../internal/pace.ts'
import { createSerial } from '../internal/serial.ts'
import { requireId, requireSearchOptions } from '../internal/vector-arguments.ts'
import type { Analyzer } from './analyzer.ts'
import { type Bm25Parameters, type Bm25Variant, bm25Search } from './bm25.ts'
import { englishAnalyzer } from './english-analyzer.ts'
import { InvertedIndex, type WeightedTerms } from './inverted-index.ts'
import { readLexicalBytes, tablesOf, writeLexicalBytes } from './lexical-bytes.ts'
import type { LexicalEntry, LexicalIndex, LexicalMixture } from './lexical-index.ts'
import { MixtureScorer } from './mixture-scores.ts'
import { operatorQuery, queryTerms } from './query-terms.ts'
import { WordFamilies } from './word-families.ts'

/** Options of {@link lexicalIndex}. */
export interface LexicalIndexOptions {
  /** How soon repetition stops counting: 0–1,000. Default 1.2. */
  readonly k1?: number
  /** How much long entries are held back: 0–1. Default 0.75. */
  readonly b?: number
  /** Which member of the BM25 family scores. Default `bm25`, the formula of Lucene. */
  readonly variant?: Bm25Variant
  /** What BM25+ and BM25L give to every match: 0–1,000. Default 1 for BM25+, 0.5 for BM25L. */
  readonly delta?: number
  /** Turns entries and queries into terms. Default `englishAnalyzer()`. */
  readonly analyzer?: Analyzer
  /**
   * How much a word counts that only begins as a word of the query does, `recommendation` where `recommend` is asked for:
   * those that share six letters at least, and three fifths of the longer word. 0, or 0.001–1; such occurrences are added to the
   * word's own, as so much of one each, and the word is as rare as all together are. It is no longer the formula of
   * Lucene then. Phrases and prefixes stay as they are. Default 0.
   */
  readonly families?: number
  /** How much an occurrence counts by where it is: 0.001–1,000, or 0, which leaves the field out. Default 1 for each. */
  readonly weights?: {
    /** In the entry's text. */
    readonly text?: number
    /** In the headings above it. */
    readonly headings?: number
  }
}

interface State<M extends Metadata> {
  readonly entries: EntryTable<M>
  readonly terms: InvertedIndex
  /** Whether documents are in the inverted index that are not live yet. */
  readonly staging: boolean
}

/** What {@link lexicalIndex} makes. */
export interface Bm25Index<M extends Metadata = Metadata> extends LexicalIndex<M> {
  /** Frees memory. Later calls throw `CLOSED`. */
  close(): Promise<void>
  /** Scores texts made of entries: a weighted BM25F over them. */
  scoreMixtures(
    query: string,
    ids: readonly string[],
    mixtures: readonly LexicalMixture[],
    options?: AbortOptions,
  ): Promise<Float64Array>
  /** The index as bytes, for {@link openLexicalIndex}: all of it, or the entries of some ids. */
  save(options?: AbortOptions & SavedIntegrity & { readonly only?: readonly string[] | undefined }): Promise<Uint8Array>
}

/** Who finds damage in saved bytes. */
export interface SavedIntegrity {
  /** `digest`: the bytes carry their SHA-256, and opening compares it. `caller`: they do not, because whatever keeps them has a seal of its own; they must not change while the index is open. Default `digest`. */
  readonly integrity?: 'digest' | 'caller'
}

/** What was saved later than the rest. */
export interface SavedAdditions {
  /** What `save({ only })` gave of entries that were added since. No id may be in two of them: `DUPLICATE_ID`, unless `integrity` is `caller`. */
  readonly additions?: readonly Uint8Array[]
}

/**
 * Opens what `save` gave, without analysing any text again. The options must name the same analyzer: `CORRUPT_DATA` for
 * bytes that are not what was saved, `INVALID_ARGUMENT` for another analyzer. Field weights and BM25 parameters may differ.
 *
 * @example
 * const index = await openLexicalIndex(await readFile('words.index'))
 */
export async function openLexicalIndex<M extends Metadata = Metadata>(
  bytes: Uint8Array,
  options: LexicalIndexOptions & AbortOptions & SavedIntegrity & SavedAdditions = {},
): Promise<Bm25Index<M>> {
  const state: State<M> = { entries: new EntryTable<M>(), terms: new InvertedIndex(), staging: false }
  if (!(bytes instanceof Uint8Array)) throw invalidArgument('bytes', 'a Uint8Array', bytes)
  const settings = settingsOf(options)
  const { integrity = 'digest', additions = [] } = options
  requireOneOf('integrity', integrity, ['digest', 'caller'])
  requireArray('additions', additions)
  for (const each of additions)
    if (!(each instanceof Uint8Array)) throw invalidArgument('additions', 'a Uint8Array each', each)
  const { text, headings } = settings
  await readLexicalBytes([bytes, ...additions], settings.analyzer.id, state, [text, headings], options)
  return indexOver(settings, state)
}

/**
 * BM25 over an inverted index in memory: score `idf · tf / (tf + k1 · (1 − b + b · length / averageLength))` with
 * `idf = ln(1 + (N − df + 0.5) / (df + 0.5))`, as Lucene computes it with exact lengths. Weighted fields count as one
 * text in which each occurrence counts as often as its field weighs (simple BM25F; Robertson, Zaragoza and Taylor 2004).
 *
 * @example
 * const index = lexicalIndex()
 * await index.upsert([{ id: 'a', text: 'Keys rotate every day', metadata: {} }])
 * const [match] = await index.search('rotating keys', { topK: 1 })
 */
// @__NO_SIDE_EFFECTS__
export function lexicalIndex<M extends Metadata = Metadata>(options: LexicalIndexOptions = {}): Bm25Index<M> {
  const state = { entries: new EntryTable<M>(), terms: new InvertedIndex(), staging: false }
  return indexOver(settingsOf(options), state)
}

function indexOver<M extends Metadata>(settings: Settings, initial: State<M>): Bm25Index<M> {
  const { analyzer, parameters, families, text: textWeight, headings: headingWeight } = settings
  let kinship = families === 0 ? undefined : { families: new WordFamilies(initial.terms), share: families }
  const mixer = new MixtureScorer()
  const serial = createSerial()
  let state: State<M> | undefined = initial
  const open = () => {
    if (state === undefined) throw new GroundlineError('CLOSED', 'the index was closed; make a new one')
    return state
  }
  const fieldsOf = (entry: LexicalEntry<M>): WeightedTerms[] => {
    const headings = entry.headingPath?.length ? analyzer.analyze(entry.headingPath.join('\n')) : []
    return [
      { terms: analyzer.analyze(entry.text), weight: textWeight },
      { terms: headings, weight: headingWeight },
    ]
  }

  const upsert = async (batch: readonly LexicalEntry<M>[], { signal }: AbortOptions = {}): Promise<void> => {
    signal?.throwIfAborted()
    const { entries, terms } = open()
    const staged: number[] = []
    state = { entries, terms, staging: true }
    try {
      const pace = createPace(signal)
      const seen = new Set<string>()
      requireArray('entries', batch)
      for (const [at, entry] of batch.entries()) {
        if (pace.due()) await pace.pause()
        requireEntry(entry, at, seen)
        const metadata = copyMetadata(entry.metadata, `entry ${describe(entry.id)}`)
        const slot = entries.stage(entry.id, metadata)
        staged.push(slot)
        terms.add(slot, fieldsOf(entry))
      }
      terms.remove(entries.commit(staged))
    } catch (error) {
      terms.remove(staged)
      entries.discard(staged)
      throw error
    } finally {
      if (state !== undefined) state = { entries, terms, staging: false }
    }
  }

  return {
    upsert: (batch, abort) => serial(() => upsert(batch, abort)),
    remove: (ids, { signal } = {}) =>
      serial(async () => {
        signal?.throwIfAborted()
        const { entries, terms } = open()
        requireIdList('ids', ids)
        const removed = ids.map((id) => entries.remove(id))
        terms.remove(removed.filter((slot) => slot !== undefined))
      }),
    async search(query, options) {
      const { entries, terms, staging } = open()
      requireSearchOptions(options)
      const { topK, filter, signal, syntax = 'plain' } = options
      signal?.throwIfAborted()
      requireString('query', query)
      requireOneOf('syntax', syntax, ['plain', 'operators'])
      const parsed = filter === undefined ? undefined : parseFilter(filter)
      const allowed = parsed === undefined && !staging ? undefined : entries.allowed(parsed)
      if (syntax === 'operators') {
        const { wanted, holding } = operatorQuery(terms, analyzer, query, allowed)
        const best = bm25Search(terms, wanted, parameters, topK, holding, entries.isBefore)
        return best.sorted().map(({ item, score }) => ({ id: entries.idAt(item), score }))
      }
      const wanted = queryTerms(terms, analyzer.analyze(query), kinship)
      const best = bm25Search(terms, wanted, parameters, topK, allowed, entries.isBefore)
      return best.sorted().map(({ item, score }) => ({ id: entries.idAt(item), score }))
    },
    async scoreMixtures(query, ids, mixtures, { signal } = {}) {
      const { entries, terms } = open()
      signal?.throwIfAborted()
      requireString('query', query)
      requireIdList('ids', ids)
      requireMixtures(mixtures, ids.length)
      const wanted = queryTerms(terms, analyzer.analyze(query), kinship)
      return mixer.scores(
        terms,
        wanted,
        parameters,
        ids.map((id) => entries.slotOf(id)),
        mixtures,
      )
    },
    async count({ filter, signal } = {}) {
      const { entries } = open()
      signal?.throwIfAborted()
      return filter === undefined ? entries.size : entries.allowed(parseFilter(filter)).count
    },
    async save({ integrity = 'digest', only, signal } = {}) {
      requireOneOf('integrity', integrity, ['digest', 'caller'])
      if (only !== undefined) requireIdList('only', only)
      const weights = [textWeight, headingWeight]
      return serial(async () => {
        const tables = only === undefined ? open() : await tablesOf(open(), only, weights, { signal })
        return writeLexicalBytes(analyzer.id, tables, weights, integrity, { signal })
      })
    },
    async close() {
      state = undefined
      kinship = undefined
    },
  }
}

/** Options that were checked. */
interface Settings {
  readonly analyzer: Analyzer
  readonly parameters: Bm25Parameters
  readonly families: number
  readonly text: number
  readonly headings: number
}

/** Smaller factors would be lost in 32-bit frequencies, larger ones overflow them. */
const [LEAST, MOST] = [0.001, 1_000]

function settingsOf(options: LexicalIndexOptions): Settings {
  requireObject('options', options)
  const { k1 = 1.2, b = 0.75, variant = 'bm25', analyzer = englishAnalyzer(), families = 0, weights = {} } = options
  requireNumber('k1', k1, 0, MOST)
  requireNumber('b', b, 0, 1)
  requireOneOf('variant', variant, ['bm25', 'bm25+', 'bm25l'])
  const { delta = variant === 'bm25+' ? 1 : 0.5 } = options
  requireNumber('delta', delta, 0, MOST)
  requireObject('analyzer', analyzer, 'an analyzer')
  requireString('analyzer.id', analyzer.id)
  requireFunction('analyzer.analyze', analyzer.analyze, 'a function from text to terms')
  requireObject('weights', weights, 'an object with text and headings')
  const { text = 1, headings = 1 } = weights
  for (const [name, factor, most] of [
    ['families', families, 1],
    ['weights.text', text, MOST],
    ['weights.headings', headings, MOST],
  ] as const)
    if (factor !== 0) requireNumber(name, factor, LEAST, most)
  return { analyzer, parameters: { k1, b, variant, delta }, families, text, headings }
}

function requireEntry(entry: LexicalEntry, at: number, seen: Set<string>): void {
  requireObject(`entries[${at}]`, entry, 'an object with id, text and metadata')
  requireId(entry.id)
  requireString(`text of entry ${describe(entry.id)}`, entry.text)
  const { headingPath = [] } = entry
  if (!Array.isArray(headingPath) || headingPath.some((heading) => typeof heading !== 'string'))
    throw invalidArgument(`headingPath of entry ${describe(entry.id)}`, 'an array of strings', headingPath)
  if (seen.has(entry.id))
    throw new GroundlineError('DUPLICATE_ID', `entry ${describe(entry.id)} is in the batch twice`, {
      details: { id: entry.id },
    })
  seen.add(entry.id)
}

/** There are thousands of mixtures in one call, hence no text about one is made before it is wrong. */
function requireMixtures(mixtures: readonly LexicalMixture[], known: number): void {
  requireArray('mixtures', mixtures)
  for (let at = 0; at < mixtures.length; at++) {
    const { members, weights } = mixtures[at] ?? {}
    if (!isList(members) || !isList(weights) || weights.length !== members.length)
      throw invalidArgument(`mixtures[${at}]`, 'an object with members and as many weights', mixtures[at])
    for (let i = 0; i < members.length; i++) {
      const [member, weight] = [members[i], weights[i]]
      if (!(Number.isInteger(member) && member! >= 0 && member! < known))
        throw invalidArgument(`mixtures[${at}].members`, `places in the list of ids, which has ${known}`, member)
      if (!(typeof weight === 'number' && weight > 0 && weight < Number.POSITIVE_INFINITY))
        throw invalidArgument(`mixtures[${at}].weights`, 'finite numbers above 0', weight)
    }
  }
}

function isList(list: unknown): list is ArrayLike<number> {
  return Array.isArray(list) || (ArrayBuffer.isView(list) && !(list instanceof DataView))
}
