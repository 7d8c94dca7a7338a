import type { Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import type { EntryTable } from '../internal/entry-table.ts'
import { sha256Hex } from '../internal/hash.ts'
import { createPace } from '../internal/pace.ts'
import type { InvertedIndex } from './inverted-index.ts'

/** The two halves of an index. */
export interface LexicalTables<M extends Metadata> {
  /** Ids and metadata. */
  readonly entries: EntryTable<M>
  /** Terms. */
  readonly terms: InvertedIndex
}

interface Header {
  readonly format: 'groundline-lexical/1'
  readonly analyzer: string
  readonly terms: readonly string[]
  readonly entries: readonly (readonly [id: string, length: number, metadata: Metadata | null])[]
}

const DIGEST = 64

/** Digest, length of the header, header, then the term sequences of the entries as 32-bit numbers, low byte first. */
export function writeLexicalBytes<M extends Metadata>(analyzer: string, tables: LexicalTables<M>): Uint8Array {
  const { entries, terms } = tables
  const slots = Array.from(entries.entries())
  const header: Header = {
    format: 'groundline-lexical/1',
    analyzer,
    terms: terms.terms,
    entries: slots.map(([id, slot]) => [id, terms.sequence(slot)!.length, entries.metadataAt(slot) ?? null]),
  }
  const head = new TextEncoder().encode(JSON.stringify(header))
  const count = header.entries.reduce((sum, [, length]) => sum + length, 0)
  const bytes = new Uint8Array(DIGEST + 4 + head.length + count * 4)
  const view = new DataView(bytes.buffer)
  view.setUint32(DIGEST, head.length, true)
  bytes.set(head, DIGEST + 4)
  let at = DIGEST + 4 + head.length
  for (const [, slot] of slots) {
    for (const id of terms.sequence(slot)!) {
      view.setUint32(at, id, true)
      at += 4
    }
  }
  bytes.set(new TextEncoder().encode(sha256Hex(bytes.subarray(DIGEST))), 0)
  return bytes
}

/** Fills empty tables from bytes. Throws `CORRUPT_DATA`, or `INVALID_ARGUMENT` for another analyzer. */
export async function readLexicalBytes<M extends Metadata>(
  bytes: Uint8Array,
  analyzer: string,
  tables: LexicalTables<M>,
  weights: readonly number[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const digest = new TextDecoder().decode(bytes.subarray(0, DIGEST))
  if (bytes.length < DIGEST + 4 || digest !== sha256Hex(bytes.subarray(DIGEST)))
    throw new GroundlineError('CORRUPT_DATA', 'the bytes are not a complete lexical index; index the entries again', {
      details: { bytes: bytes.length },
    })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headLength = view.getUint32(DIGEST, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(DIGEST + 4, DIGEST + 4 + headLength))) as Header
  if (header.analyzer !== analyzer)
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `the index was made with the analyzer ${header.analyzer}, but is opened with ${analyzer}`,
      { details: { expected: header.analyzer, actual: analyzer } },
    )
  const { entries, terms } = tables
  const pace = createPace(signal)
  for (const term of header.terms) terms.idOf(term)
  let at = DIGEST + 4 + headLength
  const staged: number[] = []
  for (const [id, length, metadata] of header.entries) {
    if (pace.due()) await pace.pause()
    const sequence = new Uint32Array(length)
    for (let i = 0; i < length; i++, at += 4) sequence[i] = view.getUint32(at, true)
    const slot = entries.stage(id, metadata === null ? undefined : (metadata as M))
    terms.addSequence(slot, sequence, weights)
    staged.push(slot)
  }
  entries.commit(staged)
}
