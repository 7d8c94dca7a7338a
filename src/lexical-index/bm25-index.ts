import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { parseFilter } from '../filter.ts'
import { describe, requireString } from '../internal/argument.ts'
import { EntryTable } from '../internal/entry-table.ts'
import { copyMetadata } from '../internal/metadata-copy.ts'
import { createPace } from '../internal/pace.ts'
import { createSerial } from '../internal/serial.ts'
import { requireId, requireTopK } from '../internal/vector-arguments.ts'
import type { Analyzer } from './analyzer.ts'
import { type Bm25Parameters, type Bm25Variant, bm25Search } from './bm25.ts'
import { englishAnalyzer } from './english-analyzer.ts'
import { InvertedIndex, type WeightedTerms } from './inverted-index.ts'
import { readLexicalBytes, writeLexicalBytes } from './lexical-bytes.ts'
import type { LexicalEntry, LexicalIndex, LexicalMixture } from './lexical-index.ts'
import { mixtureScores } from './mixture-scores.ts'
import { operatorQuery, queryTerms } from './query-terms.ts'
import { WordFamilies } from './word-families.ts'

/** Options of {@link lexicalIndex}. */
export interface LexicalIndexOptions {
  /** How soon repetition stops counting: 0 and up. Default 1.2. */
  readonly k1?: number
  /** How much long entries are held back: 0–1. Default 0.75. */
  readonly b?: number
  /** Which member of the BM25 family scores. Default `bm25`, the formula of Lucene. */
  readonly variant?: Bm25Variant
  /** What BM25+ and BM25L give to every match: 0 and up. Default 1 for BM25+, 0.5 for BM25L. */
  readonly delta?: number
  /** Turns entries and queries into terms. Default `englishAnalyzer()`. */
  readonly analyzer?: Analyzer
  /**
   * How much a word counts that only begins as a word of the query does, `recommendation` where `recommend` is asked for:
   * those that share six letters at least, and three fifths of the longer word. 0–1; such occurrences are added to the
   * word's own, as so much of one each, and the word is as rare as all together are. It is no longer the formula of
   * Lucene then. Phrases and prefixes stay as they are. Default 0.
   */
  readonly families?: number
  /** How much an occurrence counts by where it is; 0 leaves the field out. Default 1 for each. */
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
  scoreMixtures(query: string, mixtures: readonly LexicalMixture[], options?: AbortOptions): Promise<Float64Array>
  /** The whole index as bytes, for {@link openLexicalIndex}. */
  save(options?: AbortOptions & SavedIntegrity): Promise<Uint8Array>
}

/** Who finds damage in saved bytes. */
export interface SavedIntegrity {
  /** `digest`: the bytes carry their SHA-256, and opening compares it. `caller`: they do not, because whatever keeps them has a seal of its own; they must not change while the index is open. Default `digest`. */
  readonly integrity?: 'digest' | 'caller'
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
  options: LexicalIndexOptions & AbortOptions & SavedIntegrity = {},
): Promise<Bm25Index<M>> {
  const state: State<M> = { entries: new EntryTable<M>(), terms: new InvertedIndex(), staging: false }
  const weights = [options.weights?.text ?? 1, options.weights?.headings ?? 1]
  const analyzer = options.analyzer ?? englishAnalyzer()
  await readLexicalBytes(bytes, analyzer.id, state, weights, options)
  return indexOver(options, state)
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
  return indexOver(options, { entries: new EntryTable<M>(), terms: new InvertedIndex(), staging: false })
}

function indexOver<M extends Metadata>(options: LexicalIndexOptions, initial: State<M>): Bm25Index<M> {
  const { analyzer = englishAnalyzer(), weights = {} } = options
  const parameters = parametersOf(options)
  const families = options.families ?? 0
  if (!(families >= 0 && families <= 1)) throw invalid('families', 'a number from 0 to 1', families)
  const kinship = families === 0 ? undefined : { families: new WordFamilies(initial.terms), share: families }
  const textWeight = requireWeight('weights.text', weights.text ?? 1)
  const headingWeight = requireWeight('weights.headings', weights.headings ?? 1)
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
      for (const entry of requireArray('entries', batch)) {
        if (pace.due()) await pace.pause()
        requireEntry(entry, seen)
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
        const removed = requireArray('ids', ids).map((id) => entries.remove(id))
        terms.remove(removed.filter((slot) => slot !== undefined))
      }),
    async search(query, { topK, filter, signal, syntax = 'plain' }) {
      const { entries, terms, staging } = open()
      signal?.throwIfAborted()
      requireString('query', query)
      requireTopK(topK)
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
    async scoreMixtures(query, mixtures, { signal } = {}) {
      const { entries, terms } = open()
      signal?.throwIfAborted()
      requireString('query', query)
      const wanted = queryTerms(terms, analyzer.analyze(query), kinship)
      return mixtureScores(terms, wanted, parameters, mixtures, (id) => entries.slotOf(id))
    },
    async count({ filter, signal } = {}) {
      const { entries } = open()
      signal?.throwIfAborted()
      return filter === undefined ? entries.size : entries.allowed(parseFilter(filter)).count
    },
    async save({ integrity = 'digest', signal } = {}) {
      return serial(() => writeLexicalBytes(analyzer.id, open(), [textWeight, headingWeight], integrity, { signal }))
    },
    async close() {
      state = undefined
    },
  }
}

function parametersOf({ k1 = 1.2, b = 0.75, variant = 'bm25', delta }: LexicalIndexOptions): Bm25Parameters {
  if (!(k1 >= 0 && Number.isFinite(k1))) throw invalid('k1', 'a finite number of at least 0', k1)
  if (!(b >= 0 && b <= 1)) throw invalid('b', 'a number from 0 to 1', b)
  if (variant !== 'bm25' && variant !== 'bm25+' && variant !== 'bm25l')
    throw invalid('variant', 'bm25, bm25+ or bm25l', variant)
  const floor = delta ?? (variant === 'bm25+' ? 1 : 0.5)
  if (!(floor >= 0 && Number.isFinite(floor))) throw invalid('delta', 'a finite number of at least 0', delta)
  return { k1, b, variant, delta: floor }
}

function requireWeight(name: string, weight: number): number {
  if (!(weight >= 0 && Number.isFinite(weight))) throw invalid(name, 'a finite number of at least 0', weight)
  return weight
}

function requireEntry(entry: LexicalEntry, seen: Set<string>): void {
  requireId(entry.id)
  requireString(`text of entry ${describe(entry.id)}`, entry.text)
  if (seen.has(entry.id))
    throw new GroundlineError('DUPLICATE_ID', `entry ${describe(entry.id)} is in the batch twice`, {
      details: { id: entry.id },
    })
  seen.add(entry.id)
}

function requireArray<T>(name: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw invalid(name, 'an array', value)
  return value
}

function invalid(name: string, expected: string, actual: unknown): GroundlineError {
  return new GroundlineError('INVALID_ARGUMENT', `${name} must be ${expected}, got ${describe(actual)}`, {
    details: { argument: name, expected, actual: describe(actual) },
  })
}
