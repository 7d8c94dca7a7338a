import type { Metadata } from '../document.ts'
import { placeHash, placeOf, placesByHash } from '../internal/hashed-places.ts'
import { joinBytes } from '../internal/join-bytes.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import type { RecordPlace } from './container.ts'

/** A chunk without its text: that is a slice of its document's. */
export type ChunkRow = readonly [
  id: string,
  start: number,
  end: number,
  tokenCount?: number | null,
  headingPath?: readonly string[] | null,
  /** Members that differ from what the document gives. */
  extra?: { readonly metadata?: Metadata } | null,
]

/** What a catalogue says of a document, but for places. */
export interface RowBody {
  readonly id: string
  readonly version: string
  readonly fingerprint: string
  readonly uri?: string | undefined
  readonly title?: string | undefined
  readonly metadata?: Metadata | undefined
  readonly scope?: string | undefined
  readonly revision?: string | undefined
  readonly pipeline?: string | undefined
  readonly expires?: string | undefined
  /** Segment and offset where it was written first, when compaction has copied it since. */
  readonly origin?: string | undefined
  /** In a candidate, and what was promoted from it: the origin of the document that was embedded again. */
  readonly from?: string | undefined
  readonly chunks: readonly ChunkRow[]
}

/** A document in a segment. */
export interface Row {
  readonly id: string
  readonly chunkCount: number
  /** Place of the document's record. */
  readonly at: RecordPlace
  /** Place of its vectors, one after the other as little-endian float32; absent without vectors. */
  readonly vectorsAt: RecordPlace | undefined
  /** The rest, decoded when it is first asked for. */
  readonly body: RowBody
}

/** A document's row as a catalogue is made from it: with the lengths of its records. */
export interface NewRow {
  readonly body: RowBody
  /** Bytes of the document's record, frame and seal included. */
  readonly length: number
  /** The same of its vectors; 0 for none. */
  readonly vectorsLength: number
}

/** What is in a segment. */
export interface Catalogue {
  /** Its documents. */
  readonly rows: readonly Row[]
  /** Ids that it removes from earlier segments. */
  readonly removed: readonly string[]
  /** Where a chunk of it stands; `hash` is that of its id, see {@link placeHash}. */
  chunk(id: string, hash: number): { readonly row: Row; readonly index: number } | undefined
}

/** The catalogue of format 1: JSON. */
interface FirstCatalogue {
  readonly rows: readonly (RowBody & { readonly at: RecordPlace; readonly vectorsAt?: RecordPlace })[]
  readonly removed: readonly string[]
}

const MAGIC = [0x43, 0x41, 0x54, 0x32]

/**
 * A catalogue as a record. Records of documents follow it in the order of its rows, then those of vectors, so that lengths
 * give their places.
 *
 * ```text
 * "CAT2"  length u32 of a head: JSON of ids and removed  zeros up to a multiple of 4
 * u32 a row: length of its record; of its vectors; chunks; bytes of its body      u32 a chunk: hash of its id
 * bodies: JSON each
 * ```
 *
 * Opening one decodes ids and numbers; a body is parsed when it is asked for.
 */
export function encodeCatalogue(rows: readonly NewRow[], removed: readonly string[]): Uint8Array {
  const encoder = new TextEncoder()
  const head = encoder.encode(JSON.stringify({ ids: rows.map(({ body }) => body.id), removed }))
  const bodies = rows.map(({ body }) => encoder.encode(JSON.stringify(body)))
  const columns = [
    columnOf(rows, ({ length }) => length),
    columnOf(rows, ({ vectorsLength }) => vectorsLength),
    columnOf(rows, ({ body }) => body.chunks.length),
    columnOf(bodies, ({ length }) => length),
    hashesOf(rows.map(({ body }) => body)),
  ]
  const start = new Uint8Array(8)
  start.set(MAGIC)
  new DataView(start.buffer).setUint32(4, head.length, true)
  const padding = new Uint8Array(-head.length & 3)
  return joinBytes([start, head, padding, ...columns.map(({ buffer }) => new Uint8Array(buffer)), ...bodies])
}

/** Reads a catalogue's record, whose digest was compared. Records begin at `base`. `bodies` are taken where they are known. */
export function decodeCatalogue(record: Uint8Array, base: number, bodies?: readonly RowBody[]): Catalogue {
  if (MAGIC.some((byte, at) => record[at] !== byte)) return firstCatalogue(record, base)
  const decoder = new TextDecoder()
  const headLength = new DataView(record.buffer, record.byteOffset).getUint32(4, true)
  const { ids, removed }: { ids: readonly string[]; removed: readonly string[] } = JSON.parse(
    decoder.decode(record.subarray(8, 8 + headLength)),
  )
  let from = 8 + ((headLength + 3) & ~3)
  const column = (length: number): Uint32Array => {
    const end = from + 4 * length
    // A copy: the record need not begin at a multiple of four.
    const numbers = new Uint32Array(record.slice(from, end).buffer)
    from = end
    return numbers
  }
  const count = ids.length
  const [lengths, vectorLengths, chunks, bodyLengths] = [column(count), column(count), column(count), column(count)]
  const [places, documentsEnd] = startsOf(lengths, base)
  const [vectorPlaces] = startsOf(vectorLengths, documentsEnd)
  const [chunkStarts, chunkCount] = startsOf(chunks, 0)
  const hashes = column(chunkCount)
  const [bodyStarts] = startsOf(bodyLengths, from)
  return catalogueOf(removed, chunkStarts, () => hashes, {
    ids,
    place: (row) => ({ offset: places[row]!, length: lengths[row]! }),
    vectorsPlace: (row) =>
      vectorLengths[row] === 0 ? undefined : { offset: vectorPlaces[row]!, length: vectorLengths[row]! },
    chunkCount: (row) => chunks[row]!,
    body: (row) => {
      const known = bodies?.[row]
      if (known) return known
      const start = bodyStarts[row]!
      return JSON.parse(decoder.decode(record.subarray(start, start + bodyLengths[row]!)))
    },
  })
}

function firstCatalogue(record: Uint8Array, base: number): Catalogue {
  const { rows, removed }: FirstCatalogue = JSON.parse(new TextDecoder().decode(record))
  const absolute = ({ offset, length }: RecordPlace) => ({ offset: base + offset, length })
  const [chunkStarts] = startsOf(
    columnOf(rows, ({ chunks }) => chunks.length),
    0,
  )
  return catalogueOf(removed, chunkStarts, () => hashesOf(rows), {
    ids: rows.map(({ id }) => id),
    place: (row) => absolute(rows[row]!.at),
    vectorsPlace: (row) => rows[row]!.vectorsAt && absolute(rows[row]!.vectorsAt),
    chunkCount: (row) => rows[row]!.chunks.length,
    body: (row) => {
      const { at: _, vectorsAt: __, ...body } = rows[row]!
      return body
    },
  })
}

/** Where rows are read from when they are asked for. */
interface RowSource {
  readonly ids: readonly string[]
  place(row: number): RecordPlace
  vectorsPlace(row: number): RecordPlace | undefined
  chunkCount(row: number): number
  body(row: number): RowBody
}

class StoredRow implements Row {
  readonly #source: RowSource
  readonly #index: number
  #body: RowBody | undefined

  constructor(source: RowSource, index: number) {
    this.#source = source
    this.#index = index
  }

  get id(): string {
    return this.#source.ids[this.#index]!
  }

  get chunkCount(): number {
    return this.#source.chunkCount(this.#index)
  }

  get at(): RecordPlace {
    return this.#source.place(this.#index)
  }

  get vectorsAt(): RecordPlace | undefined {
    return this.#source.vectorsPlace(this.#index)
  }

  get body(): RowBody {
    this.#body ??= this.#source.body(this.#index)
    return this.#body
  }
}

function catalogueOf(
  removed: readonly string[],
  chunkStarts: Float64Array,
  hashesNow: () => Uint32Array,
  source: RowSource,
): Catalogue {
  const rows = source.ids.map((_, index) => new StoredRow(source, index))
  /** Hashes of ids, and chunks by them. Made when a chunk is first looked for. */
  let known: { readonly hashes: Uint32Array; readonly table: Uint32Array } | undefined
  const tables = () => {
    const hashes = hashesNow()
    return { hashes, table: placesByHash(hashes.length, (chunk) => hashes[chunk]!) }
  }
  return {
    rows,
    removed,
    chunk: (id, hash) => {
      known ??= tables()
      const { hashes, table } = known
      const rowOf = (chunk: number): number => lastAtMost(chunkStarts, chunk, (start) => start)
      const idAt = (chunk: number): string => {
        const row = rowOf(chunk)
        return rows[row]!.body.chunks[chunk - chunkStarts[row]!]![0]
      }
      const chunk = placeOf(table, hash, (place) => hashes[place] === hash && idAt(place) === id)
      if (chunk === undefined) return undefined
      const row = rowOf(chunk)
      return { row: rows[row]!, index: chunk - chunkStarts[row]! }
    },
  }
}

function hashesOf(bodies: readonly Pick<RowBody, 'chunks'>[]): Uint32Array {
  return columnOf(
    bodies.flatMap(({ chunks }) => chunks),
    ([id]) => placeHash(id),
  )
}

/** A number of each, side by side. */
export function columnOf<T>(items: readonly T[], numberOf: (item: T) => number): Uint32Array {
  const column = new Uint32Array(items.length)
  for (let at = 0; at < items.length; at++) column[at] = numberOf(items[at]!)
  return column
}

/** Where things of these lengths begin, one after the other from `from`; and where the last one ends. */
export function startsOf(lengths: Uint32Array, from: number): readonly [starts: Float64Array, end: number] {
  const starts = new Float64Array(lengths.length)
  let next = from
  for (let at = 0; at < lengths.length; at++) {
    starts[at] = next
    next += lengths[at]!
  }
  return [starts, next]
}
