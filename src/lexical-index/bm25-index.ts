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
import { type Bm25Parameters, type Bm25Variant, bm25Search, type QueryTerm } from './bm25.ts'
import { englishAnalyzer } from './english-analyzer.ts'
import { InvertedIndex, type WeightedTerms } from './inverted-index.ts'
import type { LexicalEntry, LexicalIndex } from './lexical-index.ts'

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
export function lexicalIndex<M extends Metadata = Metadata>(
  options: LexicalIndexOptions = {},
): LexicalIndex<M> & Required<Pick<LexicalIndex<M>, 'close'>> {
  const { analyzer = englishAnalyzer(), weights = {} } = options
  const parameters = parametersOf(options)
  const textWeight = requireWeight('weights.text', weights.text ?? 1)
  const headingWeight = requireWeight('weights.headings', weights.headings ?? 1)
  const serial = createSerial()
  let state: State<M> | undefined = { entries: new EntryTable<M>(), terms: new InvertedIndex(), staging: false }
  const open = () => {
    if (state === undefined) throw new GroundlineError('CLOSED', 'the index was closed; make a new one')
    return state
  }
  const fieldsOf = (entry: LexicalEntry<M>): WeightedTerms[] => {
    const fields = [{ terms: analyzer.analyze(entry.text), weight: textWeight }]
    if (headingWeight > 0 && entry.headingPath?.length)
      fields.push({ terms: analyzer.analyze(entry.headingPath.join('\n')), weight: headingWeight })
    return fields.filter(({ weight }) => weight > 0)
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
    async search(query, { topK, filter, signal }) {
      const { entries, terms, staging } = open()
      signal?.throwIfAborted()
      requireString('query', query)
      requireTopK(topK)
      const parsed = filter === undefined ? undefined : parseFilter(filter)
      const allowed = parsed === undefined && !staging ? undefined : entries.allowed(parsed)
      const wanted = queryTerms(terms, analyzer.analyze(query))
      const best = bm25Search(terms, wanted, parameters, topK, allowed, entries.isBefore)
      return best.sorted().map(({ item, score }) => ({ id: entries.idAt(item), score }))
    },
    async count({ filter, signal } = {}) {
      const { entries } = open()
      signal?.throwIfAborted()
      return filter === undefined ? entries.size : entries.allowed(parseFilter(filter)).count
    },
    async close() {
      state = undefined
    },
  }
}

function queryTerms(index: InvertedIndex, terms: readonly string[]): QueryTerm[] {
  const counts = new Map<string, number>()
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
  const found: QueryTerm[] = []
  for (const [term, weight] of counts) {
    const postings = index.postings(term)
    if (postings !== undefined) found.push({ postings, weight, documentFrequency: postings.count })
  }
  return found
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
