import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import type { EntryTable } from '../internal/entry-table.ts'
import { sha256Hex } from '../internal/hash.ts'
import { createPace } from '../internal/pace.ts'
import type { FlatTerms, InvertedIndex } from './inverted-index.ts'

/** The two halves of an index. */
export interface LexicalTables<M extends Metadata> {
  /** Ids and metadata. */
  readonly entries: EntryTable<M>
  /** Terms. */
  readonly terms: InvertedIndex
}

interface Header {
  readonly format: 'groundline-lexical/2'
  readonly analyzer: string
  /** The field weights that the frequencies were counted with. */
  readonly weights: readonly number[]
  readonly terms: readonly string[]
  readonly entries: readonly (readonly [id: string, metadata: Metadata | null])[]
  /** How many terms all sequences hold, and how many postings there are. */
  readonly totals: readonly [sequences: number, postings: number]
}

const DIGEST = 64
/** Stands where the digest would, so that bytes saved without one are not opened as if they had one. */
const NO_DIGEST = '0'.repeat(DIGEST)

/**
 * Digest, length of the header, header padded to a multiple of 4, then the arrays of {@link FlatTerms} in the order of
 * its members, 32 bits a number, low byte first. Postings are stored, so that opening counts nothing again.
 */
export function writeLexicalBytes<M extends Metadata>(
  analyzer: string,
  tables: LexicalTables<M>,
  weights: readonly number[],
  integrity: 'digest' | 'caller',
): Uint8Array {
  const { entries, terms } = tables
  const slots = Array.from(entries.entries())
  const flat = terms.flatten(slots.map(([, slot]) => slot))
  const header: Header = {
    format: 'groundline-lexical/2',
    analyzer,
    weights,
    terms: terms.terms,
    entries: slots.map(([id, slot]) => [id, entries.metadataAt(slot) ?? null]),
    totals: [flat.sequences.length, flat.documents.length],
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const head = new Uint8Array(Math.ceil(json.length / 4) * 4).fill(0x20)
  head.set(json)
  const arrays = arraysOf(flat)
  const length = arrays.reduce((sum, { byteLength }) => sum + byteLength, DIGEST + 4 + head.length)
  const bytes = new Uint8Array(length)
  new DataView(bytes.buffer).setUint32(DIGEST, head.length, true)
  bytes.set(head, DIGEST + 4)
  let at = DIGEST + 4 + head.length
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  const digest = integrity === 'digest' ? sha256Hex(bytes.subarray(DIGEST)) : NO_DIGEST
  bytes.set(new TextEncoder().encode(digest), 0)
  return bytes
}

/** Fills empty tables from bytes. Throws `CORRUPT_DATA`, or `INVALID_ARGUMENT` for another analyzer. */
export async function readLexicalBytes<M extends Metadata>(
  bytes: Uint8Array,
  analyzer: string,
  tables: LexicalTables<M>,
  weights: readonly number[],
  { signal, integrity = 'digest' }: AbortOptions & { readonly integrity?: 'digest' | 'caller' },
): Promise<void> {
  const digest = new TextDecoder().decode(bytes.subarray(0, DIGEST))
  const expected = integrity === 'digest' ? sha256Hex(bytes.subarray(DIGEST)) : NO_DIGEST
  if (bytes.length < DIGEST + 4 || digest !== expected)
    throw new GroundlineError('CORRUPT_DATA', 'the bytes are not a complete lexical index; index the entries again', {
      details: { bytes: bytes.length },
    })
  const headLength = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(DIGEST, true)
  const head = bytes.subarray(DIGEST + 4, DIGEST + 4 + headLength)
  const header = JSON.parse(new TextDecoder().decode(head)) as Header
  if (header.format !== 'groundline-lexical/2')
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
  const { entries, terms } = tables
  const pace = createPace(signal)
  const flat = readArrays(bytes.slice(DIGEST + 4 + headLength), header)
  const counted = header.weights.every((weight, field) => weight === weights[field])
  if (counted) terms.restore(header.terms, flat)
  else for (const term of header.terms) terms.idOf(term)
  const staged: number[] = []
  for (const [number, [id, metadata]] of header.entries.entries()) {
    if (pace.due()) await pace.pause()
    const slot = entries.stage(id, metadata === null ? undefined : (metadata as M))
    const { bounds, sequences } = flat
    if (!counted) terms.addSequence(slot, sequences.slice(bounds[number], bounds[number + 1]), weights)
    staged.push(slot)
  }
  entries.commit(staged)
}

function arraysOf(flat: FlatTerms): (Uint32Array | Float32Array)[] {
  const { bounds, sequences, lengths, counts, maxFrequencies, minLengths, documents, frequencies } = flat
  return [bounds, sequences, lengths, counts, maxFrequencies, minLengths, documents, frequencies]
}

function readArrays({ buffer }: Uint8Array<ArrayBuffer>, { entries, terms, totals }: Header): FlatTerms {
  let at = 0
  const place = (length: number): readonly [ArrayBuffer, number, number] => {
    const from = at
    at += 4 * length
    return [buffer, from, length]
  }
  return {
    bounds: new Uint32Array(...place(entries.length + 1)),
    sequences: new Uint32Array(...place(totals[0])),
    lengths: new Float32Array(...place(entries.length)),
    counts: new Uint32Array(...place(terms.length)),
    maxFrequencies: new Float32Array(...place(terms.length)),
    minLengths: new Float32Array(...place(terms.length)),
    documents: new Uint32Array(...place(totals[1])),
    frequencies: new Float32Array(...place(totals[1])),
  }
}
