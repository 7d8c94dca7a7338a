import type { AbortOptions, Document, Metadata } from '../document.ts'
import type { EmbeddingSpace } from '../embedder/embedder.ts'
import { isGroundlineError } from '../errors.ts'
import { requireIdList } from '../internal/argument.ts'
import { mapConcurrent } from '../internal/map-concurrent.ts'
import type { StoredChunk } from '../retriever/retriever.ts'
import type { Row } from './catalogue.ts'
import type { CorpusEntry, Damage, DocumentRecord } from './corpus.ts'
import { asDamage, type CorpusState, chunkPlace, type DocumentPlace } from './corpus-state.ts'
import { spaceKey } from './manifest.ts'
import { chunkOf, type DocumentRecordBody, originOf, RECORD, vectorsOf } from './segment.ts'

/** Documents kept decoded, by the length of their texts. */
const CACHED_UNITS = 8_000_000
/** Documents that `get` reads at once. */
const READS = 8
/** How many bytes of a segment `entries` reads in one go. */
const READ_BYTES = 8 << 20

/** The reading half of a corpus over whichever state is current. */
export interface CorpusReader<M extends Metadata> {
  /** See {@link Corpus.get}. */
  get(ids: readonly string[], options?: AbortOptions): Promise<readonly (StoredChunk<M> | undefined)[]>
  /** See {@link Corpus.document}. */
  document(id: string, options?: AbortOptions): Promise<Document<M> | undefined>
  /** See {@link Corpus.record}. */
  record(id: string): DocumentRecord<M> | undefined
  /** See {@link Corpus.documents}. */
  documents(options?: AbortOptions): AsyncIterable<DocumentRecord<M>>
  /** See {@link Corpus.entries}. */
  entries(options?: AbortOptions & { readonly documentIds?: Iterable<string> }): AsyncIterable<CorpusEntry<M>>
  /** Drops the cache. */
  forget(): void
}

/**
 * Reads documents, chunks and vectors of the state that `current` gives; reports what it finds damaged. `renew` gives
 * the newest state when a file of the current one was collected by another process.
 */
export function corpusReader<M extends Metadata>(
  current: () => CorpusState,
  report: (damage: Damage) => void,
  renew?: () => Promise<CorpusState>,
): CorpusReader<M> {
  const cache = new Map<Row, DocumentRecordBody>()
  let cachedUnits = 0

  const bodyOf = async ({ row, segment }: DocumentPlace, options?: AbortOptions): Promise<DocumentRecordBody> => {
    const cached = cache.get(row)
    if (cached) {
      // Deleting and setting again keeps the map in order of last use.
      cache.delete(row)
      cache.set(row, cached)
      return cached
    }
    const reader = await segment.reader()
    const body = parse(await reader.record(row.at, RECORD.document, options))
    if (body.text.length <= CACHED_UNITS / 4 && !cache.has(row)) {
      cache.set(row, body)
      cachedUnits += body.text.length
      for (const [oldest, { text }] of cache) {
        if (cachedUnits <= CACHED_UNITS) break
        cache.delete(oldest)
        cachedUnits -= text.length
      }
    }
    return body
  }

  const readable = async (place: DocumentPlace, options?: AbortOptions): Promise<DocumentRecordBody | undefined> => {
    try {
      return await bodyOf(place, options)
    } catch (error) {
      report(asDamage(error, [place.row.id]))
      return undefined
    }
  }

  /** Runs a read; once more on the newest state when a file was collected meanwhile. */
  const onNewest = async <T>(read: (state: CorpusState) => Promise<T>): Promise<T> => {
    try {
      return await read(current())
    } catch (error) {
      if (!renew || !isGroundlineError(error) || error.code !== 'NOT_FOUND') throw error
      return read(await renew())
    }
  }

  const chunksOf = async (state: CorpusState, ids: readonly string[], options?: AbortOptions) => {
    requireIdList('ids', ids)
    options?.signal?.throwIfAborted()
    const places = ids.map((id) => chunkPlace(state, id))
    const byRow = new Map(places.flatMap((place) => (place ? [[place.row, place] as const] : [])))
    // Several at once, each once: a read is mostly waiting.
    const bodies = await mapConcurrent([...byRow.values()], READS, async (place) => {
      options?.signal?.throwIfAborted()
      return [place.row, await readable(place, options)] as const
    })
    const bodyOfRow = new Map(bodies)
    return places.map((place) => {
      const body = place && bodyOfRow.get(place.row)
      return body && (chunkOf(place.row, place.index, body.text) as StoredChunk<M>)
    })
  }

  const documentIn = async (state: CorpusState, id: string, options?: AbortOptions) => {
    options?.signal?.throwIfAborted()
    const place = state.documents.get(id)
    if (!place) return undefined
    try {
      return documentOf<M>(await bodyOf(place, options))
    } catch (error) {
      report(asDamage(error, [id]))
      throw error
    }
  }

  return {
    get: (ids, options) => onNewest((state) => chunksOf(state, ids, options)),
    document: (id, options) => onNewest((state) => documentIn(state, id, options)),
    record: (id) => {
      const place = current().documents.get(id)
      return place && recordOf(place)
    },
    documents: async function* (options) {
      const { documents } = current()
      for (const id of [...documents.keys()].sort()) {
        options?.signal?.throwIfAborted()
        yield recordOf<M>(documents.get(id)!)
      }
    },
    entries: async function* (options) {
      const { documents, snapshot } = current()
      const ids = options?.documentIds ? [...new Set(options.documentIds)] : [...documents.keys()]
      const places = ids.sort().flatMap((id) => documents.get(id) ?? [])
      for (const group of runsOf(places)) {
        options?.signal?.throwIfAborted()
        for (const { place, body, vectors } of await readGroup(group, snapshot.space)) {
          if (!body) continue
          for (let index = 0; index < place.row.chunkCount; index++) {
            const vector = vectors?.[index]
            const chunk = chunkOf(place.row, index, body.text) as StoredChunk<M>
            yield vector ? { chunk, vector } : { chunk }
          }
        }
      }
    },
    forget: () => {
      cache.clear()
      cachedUnits = 0
    },
  }

  /** Reads the documents and vectors of neighbours in one segment with two reads. */
  async function readGroup(
    group: readonly DocumentPlace[],
    space: EmbeddingSpace | undefined,
  ): Promise<{ place: DocumentPlace; body?: DocumentRecordBody; vectors?: readonly Float32Array[] }[]> {
    const { segment } = group[0]!
    try {
      const reader = await segment.reader()
      const bodies = await reader.records(
        group.map(({ row }) => row.at),
        RECORD.document,
      )
      const withVectors = space && segment.ref.space === spaceKey(space) ? group.filter(({ row }) => row.vectorsAt) : []
      const records = await reader.records(
        withVectors.map(({ row }) => row.vectorsAt!),
        RECORD.vectors,
      )
      const recordOfRow = new Map(withVectors.map(({ row }, index) => [row, records[index]]))
      return group.map((place, index) => {
        const bytes = bodies[index]
        const { row } = place
        if (!bytes) return lost(place, row.at.offset)
        if (!recordOfRow.has(row)) return { place, body: parse(bytes) }
        const vectors = recordOfRow.get(row)
        if (!vectors) return lost(place, row.vectorsAt!.offset)
        return { place, body: parse(bytes), vectors: vectorsOf(vectors, row, space?.dimensions ?? 0, segment.ref.name) }
      })
    } catch (error) {
      report(
        asDamage(
          error,
          group.map(({ row }) => row.id),
        ),
      )
      return []
    }
  }

  function lost(place: DocumentPlace, offset: number): { place: DocumentPlace } {
    report({
      file: place.segment.ref.name,
      offset,
      documents: [place.row.id],
      message: `${place.segment.ref.name} is damaged at byte ${offset}: sync or put document ${JSON.stringify(place.row.id)} again`,
    })
    return { place }
  }
}

/** Cuts places into runs that follow one another in one segment and can be read together. */
function runsOf(places: readonly DocumentPlace[]): readonly (readonly DocumentPlace[])[] {
  const runs: DocumentPlace[][] = []
  let bytes = 0
  for (const place of places) {
    const last = runs.at(-1)?.at(-1)
    const adjoins = last?.segment === place.segment && last.row.at.offset + last.row.at.length === place.row.at.offset
    const size = place.row.at.length + (place.row.vectorsAt?.length ?? 0)
    if (adjoins && bytes + size <= READ_BYTES) runs.at(-1)!.push(place)
    else {
      runs.push([place])
      bytes = 0
    }
    bytes += size
  }
  return runs
}

function parse(bytes: Uint8Array): DocumentRecordBody {
  return JSON.parse(new TextDecoder().decode(bytes))
}

function documentOf<M extends Metadata>(body: DocumentRecordBody): Document<M> {
  const { id, text, uri, title, metadata, outline, sourceMap } = body
  return {
    id,
    text,
    ...(uri !== undefined && { uri }),
    ...(title !== undefined && { title }),
    ...(metadata && { metadata: metadata as M }),
    ...(outline && { outline }),
    ...(sourceMap && { sourceMap }),
  }
}

function recordOf<M extends Metadata>({ row, segment }: DocumentPlace): DocumentRecord<M> {
  const { id, version, fingerprint, uri, title, metadata = {}, chunks, scope, revision, pipeline, expires } = row.body
  return {
    id,
    version,
    fingerprint,
    ...(uri !== undefined && { uri }),
    ...(title !== undefined && { title }),
    metadata: metadata as M,
    chunkIds: chunks.map(([chunk]) => chunk),
    ...(scope !== undefined && { scope }),
    ...(revision !== undefined && { revision }),
    ...(pipeline !== undefined && { pipeline }),
    ...(expires !== undefined && { expires }),
    stored: originOf(row, segment.ref),
  }
}
