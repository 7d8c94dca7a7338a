import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { EntryTable, type FilledEntries } from '../internal/entry-table.ts'
import { sha256Hex } from '../internal/hash.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { createPace } from '../internal/pace.ts'
import { ByteSink } from './byte-sink.ts'
import { FIELD_END, InvertedIndex, type Postings } from './inverted-index.ts'
import { SavedParts } from './saved-parts.ts'
import { type SavedSections, SavedTerms, type StoredTerms, storedTerm, termHash } from './saved-terms.ts'

/** The two halves of an index. */
export interface LexicalTables<M extends Metadata> {
  /** Ids and metadata. */
  readonly entries: EntryTable<M>
  /** Terms. */
  readonly terms: InvertedIndex
}

const FORMAT = 'groundline-lexical/3'

interface Header {
  readonly format: typeof FORMAT
  readonly analyzer: string
  /** The field weights that the frequencies were counted with. */
  readonly weights: readonly number[]
  /** Bytes of each of the {@link SavedSections}. */
  readonly sections: readonly number[]
}

const DIGEST = 64
/** Stands where the digest would, so that bytes saved without one are not opened as if they had one. */
const NO_DIGEST = '0'.repeat(DIGEST)

/**
 * Digest, length of the header, header, then the {@link SavedSections}, each padded to a multiple of 4; numbers low byte
 * first. Terms and documents are numbered anew, frequent terms first, and terms that no entry holds any more are left out.
 */
export async function writeLexicalBytes<M extends Metadata>(
  analyzer: string,
  tables: LexicalTables<M>,
  weights: readonly number[],
  integrity: 'digest' | 'caller',
  options: AbortOptions = {},
): Promise<Uint8Array> {
  const sections = Object.values(await sectionsOf(tables, options)).map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  )
  const header: Header = { format: FORMAT, analyzer, weights, sections: sections.map(({ length }) => length) }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const head = new Uint8Array(padded(json.length)).fill(0x20)
  head.set(json)
  const length = sections.reduce((sum, part) => sum + padded(part.length), DIGEST + 4 + head.length)
  const bytes = new Uint8Array(length)
  new DataView(bytes.buffer).setUint32(DIGEST, head.length, true)
  bytes.set(head, DIGEST + 4)
  let at = DIGEST + 4 + head.length
  for (const part of sections) {
    bytes.set(part, at)
    at += padded(part.length)
  }
  const digest = integrity === 'digest' ? sha256Hex(bytes.subarray(DIGEST)) : NO_DIGEST
  bytes.set(new TextEncoder().encode(digest), 0)
  return bytes
}

/**
 * Fills empty tables from what was saved: entries of all, which share no id. Throws `CORRUPT_DATA`, or `INVALID_ARGUMENT` for
 * another analyzer.
 */
export async function readLexicalBytes<M extends Metadata>(
  saved: readonly Uint8Array[],
  analyzer: string,
  { entries, terms }: LexicalTables<M>,
  weights: readonly number[],
  { signal, integrity = 'digest' }: AbortOptions & { readonly integrity?: 'digest' | 'caller' },
): Promise<void> {
  const parts = saved.map((bytes) => readPart(bytes, analyzer, integrity))
  const filled = joinedEntries(parts.map(({ sections }) => entriesIn<M>(sections)))
  // Whoever keeps the bytes himself answers for the ids, too.
  if (integrity === 'digest' && parts.length > 1) requireDistinct(filled)
  entries.fill(filled)
  const lists = parts.map(({ sections }) => new SavedTerms(sections))
  const stored: StoredTerms = lists.length === 1 ? lists[0]! : new SavedParts(lists)
  if (parts.every(({ header }) => header.weights.every((weight, field) => weight === weights[field]))) {
    terms.restore(stored)
    return
  }
  // Counted with other weights: each entry is counted again from its terms.
  const pace = createPace(signal)
  for (let document = 0; document < stored.lengths.length; document++) {
    if (pace.due()) await pace.pause()
    const sequence = stored.sequence(document)
    for (const [at, term] of sequence.entries()) if (term !== FIELD_END) sequence[at] = terms.idOf(stored.term(term))
    terms.addSequence(document, sequence, weights)
  }
}

function readPart(
  bytes: Uint8Array,
  analyzer: string,
  integrity: 'digest' | 'caller',
): { header: Header; sections: SavedSections } {
  const digest = new TextDecoder().decode(bytes.subarray(0, DIGEST))
  const expected = integrity === 'digest' ? sha256Hex(bytes.subarray(DIGEST)) : NO_DIGEST
  if (bytes.length < DIGEST + 4 || digest !== expected) throw incomplete(bytes)
  const headLength = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(DIGEST, true)
  const start = DIGEST + 4 + headLength
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(DIGEST + 4, start))) as Header
  if (header.format !== FORMAT)
    throw new GroundlineError(
      'UNSUPPORTED_FORMAT',
      `the index has the format ${header.format}: index the entries again`,
    )
  if (header.analyzer !== analyzer)
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `the index was made with the analyzer ${header.analyzer}, but is opened with ${analyzer}`,
      { details: { expected: header.analyzer, actual: analyzer } },
    )
  if (header.sections.reduce((sum, length) => sum + padded(length), start) !== bytes.length) throw incomplete(bytes)
  return { header, sections: viewSections(bytes.subarray(start), header.sections, integrity) }
}

/** Some entries of an index as tables of their own, to be saved by themselves. Unknown ids are left out. */
export async function tablesOf<M extends Metadata>(
  { entries, terms }: LexicalTables<M>,
  ids: readonly string[],
  weights: readonly number[],
  { signal }: AbortOptions,
): Promise<LexicalTables<M>> {
  const part = { entries: new EntryTable<M>(), terms: new InvertedIndex() }
  const numbers = new Map<number, number>()
  const staged: number[] = []
  const pace = createPace(signal)
  for (const id of new Set(ids)) {
    if (pace.due()) await pace.pause()
    const slot = entries.slotOf(id)
    if (slot === undefined) continue
    const sequence = Uint32Array.from(terms.sequence(slot)!, (term) => {
      if (term === FIELD_END) return term
      const number = numbers.get(term) ?? part.terms.idOf(terms.termOf(term))
      numbers.set(term, number)
      return number
    })
    const own = part.entries.stage(id, entries.metadataAt(slot))
    part.terms.addSequence(own, sequence, weights)
    staged.push(own)
  }
  part.entries.commit(staged)
  return part
}

async function sectionsOf<M extends Metadata>(
  { entries, terms }: LexicalTables<M>,
  { signal }: AbortOptions,
): Promise<SavedSections> {
  const pace = createPace(signal)
  const slots = Array.from(entries.entries())
  const numbers = new Uint32Array(terms.bound)
  const used = new Uint8Array(terms.termCount)
  for (const [number, [, slot]] of slots.entries()) {
    if (pace.due()) await pace.pause()
    numbers[slot] = number
    const sequence = terms.sequence(slot)!
    for (let at = 0; at < sequence.length; at++) if (sequence[at] !== FIELD_END) used[sequence[at]!] = 1
  }
  const counts = Uint32Array.from(used, (isUsed, id) => (isUsed ? terms.countOf(id) : 0))
  const order = Uint32Array.from(used.keys()).filter((id) => used[id] === 1)
  order.sort((a, b) => counts[b]! - counts[a]! || a - b)
  const termNumbers = new Uint32Array(used.length)
  for (const [number, id] of order.entries()) termNumbers[id] = number

  const [sequences, ids] = [new ByteSink(), new ByteSink()]
  const [sequenceOffsets, idOffsets] = [new Uint32Array(slots.length + 1), new Uint32Array(slots.length + 1)]
  const metadata = new Map<string, number>()
  const metadataOf = new Uint32Array(slots.length)
  for (const [number, [id, slot]] of slots.entries()) {
    if (pace.due()) await pace.pause()
    const sequence = terms.sequence(slot)!
    for (let at = 0; at < sequence.length; at++)
      sequences.varint(sequence[at] === FIELD_END ? 0 : termNumbers[sequence[at]!]! + 1)
    sequenceOffsets[number + 1] = sequences.length
    ids.text(id)
    idOffsets[number + 1] = ids.length
    const json = JSON.stringify(entries.metadataAt(slot) ?? null)
    const known = metadata.get(json) ?? metadata.size
    metadata.set(json, known)
    metadataOf[number] = known
  }

  const [words, postings] = [new ByteSink(), new ByteSink()]
  const [termOffsets, postingOffsets] = [new Uint32Array(order.length + 1), new Uint32Array(order.length + 1)]
  const table = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(4, 2 * order.length))))
  for (const [number, id] of order.entries()) {
    if (pace.due()) await pace.pause()
    const term = terms.termOf(id)
    words.text(storedTerm(term))
    termOffsets[number + 1] = words.length
    writePostings(postings, terms.peek(id), numbers)
    postingOffsets[number + 1] = postings.length
    let at = termHash(term) & (table.length - 1)
    while (table[at] !== 0) at = (at + 1) & (table.length - 1)
    table[at] = number + 1
  }
  return {
    lengths: Float32Array.from(slots, ([, slot]) => terms.lengths[slot]!),
    sequenceOffsets,
    idOffsets,
    metadataOf,
    termOffsets,
    counts: order.map((id) => counts[id]!),
    postingOffsets,
    table,
    sequences: sequences.bytes(),
    ids: ids.bytes(),
    metadata: new TextEncoder().encode(`[${[...metadata.keys()].join(',')}]`),
    terms: words.bytes(),
    postings: postings.bytes(),
  }
}

function writePostings(sink: ByteSink, { documents, frequencies, count }: Postings, numbers: Uint32Array): void {
  const places = new Uint32Array(count)
  const numberAt = (i: number) => numbers[documents[i]!]!
  let [isOrdered, areFloats] = [true, false]
  for (let i = 0; i < count; i++) {
    places[i] = i
    if (i > 0 && numberAt(i - 1) > numberAt(i)) isOrdered = false
    const frequency = frequencies[i]!
    if (frequency > 255 || !Number.isInteger(frequency)) areFloats = true
  }
  if (!isOrdered) places.sort((a, b) => numberAt(a) - numberAt(b))
  sink.byte(areFloats ? 1 : 0)
  let before = 0
  for (let i = 0; i < count; i++) {
    const number = numberAt(places[i]!)
    sink.varint(number - before)
    before = number
  }
  for (let i = 0; i < count; i++) {
    const frequency = frequencies[places[i]!]!
    if (areFloats) sink.float(frequency)
    else sink.byte(frequency)
  }
}

/** The sections: numbers in arrays of their own; bytes as views where the caller keeps them, and as copies otherwise. */
function viewSections(body: Uint8Array, lengths: readonly number[], integrity: 'digest' | 'caller'): SavedSections {
  let at = 0
  let section = 0
  const next = (): Uint8Array => {
    const part = body.subarray(at, at + lengths[section]!)
    at += padded(lengths[section++]!)
    return part
  }
  const numbers = () => new Uint32Array(copyOf(next()).buffer)
  const bytes = integrity === 'caller' ? next : () => copyOf(next())
  return {
    lengths: new Float32Array(copyOf(next()).buffer),
    sequenceOffsets: numbers(),
    idOffsets: numbers(),
    metadataOf: numbers(),
    termOffsets: numbers(),
    counts: numbers(),
    postingOffsets: numbers(),
    table: numbers(),
    sequences: bytes(),
    ids: bytes(),
    metadata: bytes(),
    terms: bytes(),
    postings: bytes(),
  }
}

/** The entries of each, one after the other. */
function joinedEntries<M extends Metadata>(parts: readonly FilledEntries<M>[]): FilledEntries<M> {
  if (parts.length === 1) return parts[0]!
  let count = 0
  const placed = parts.map((entries) => {
    const first = count
    count += entries.count
    return { entries, first }
  })
  const holder = (entry: number) => placed[lastAtMost(placed, entry, ({ first }) => first)]!
  return {
    count,
    idAt: (entry) => {
      const { entries, first } = holder(entry)
      return entries.idAt(entry - first)
    },
    metadataAt: (entry) => {
      const { entries, first } = holder(entry)
      return entries.metadataAt(entry - first)
    },
  }
}

function requireDistinct<M extends Metadata>({ count, idAt }: FilledEntries<M>): void {
  const seen = new Set<string>()
  for (let entry = 0; entry < count; entry++) {
    const id = idAt(entry)
    if (seen.has(id))
      throw new GroundlineError('DUPLICATE_ID', `entry ${JSON.stringify(id)} was saved twice`, { details: { id } })
    seen.add(id)
  }
}

/** Ids and metadata, decoded when they are asked for. */
function entriesIn<M extends Metadata>({ ids, idOffsets, metadataOf, metadata }: SavedSections) {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let parsed: readonly (M | null)[] | undefined
  return {
    count: metadataOf.length,
    idAt: (entry: number): string => decoder.decode(ids.subarray(idOffsets[entry], idOffsets[entry + 1])),
    metadataAt: (entry: number): M | undefined => {
      parsed ??= JSON.parse(decoder.decode(metadata)) as (M | null)[]
      return parsed[metadataOf[entry]!] ?? undefined
    },
  }
}

/** A copy that is all of its buffer, which `slice` of a Node Buffer is not. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4
}

function incomplete(bytes: Uint8Array): GroundlineError {
  return new GroundlineError('CORRUPT_DATA', 'the bytes are not a complete lexical index; index the entries again', {
    details: { bytes: bytes.length },
  })
}
