import type { Document, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import { canonicalJson, contentHash } from '../internal/hash.ts'
import { textVersion } from '../internal/text-version.ts'
import { vectorNorm } from '../internal/vector-math.ts'
import type { ChunkRow } from './catalogue.ts'
import type { DocumentEntry } from './corpus.ts'
import type { DocumentRecordBody, SegmentDocument } from './segment.ts'

const MAX_ID = 1024
const MAX_DEPTH = 32

/** What a corpus stores of an entry. */
export interface PreparedEntry extends SegmentDocument {
  /** Length of its vectors; 0 without. */
  readonly dimensions: number
}

/**
 * Hash of everything that makes a document need indexing again when it changes: text, title, uri and metadata, nested
 * members included.
 */
export function documentFingerprint(document: Document): string {
  return contentHash(
    textVersion(document),
    document.title === undefined ? '' : `t${document.title}`,
    document.uri === undefined ? '' : `u${document.uri}`,
    canonicalJson(document.metadata ?? {}),
  )
}

/**
 * Checks an entry and turns it into what is stored. Throws `INVALID_DOCUMENT`, `INVALID_METADATA`, `INVALID_VECTOR`,
 * `DIMENSION_MISMATCH` and `DUPLICATE_ID`.
 */
export function prepareEntry(entry: DocumentEntry): PreparedEntry {
  const { document, chunks, vectors } = entry
  requireDocument(document)
  const { id, text, uri, title, metadata = {}, outline, sourceMap } = document
  requireMaps(document)
  const metadataJson = canonicalJson(metadata)
  const version = chunks[0]?.documentVersion ?? textVersion(document)
  const seen = new Set<string>()
  // Chunkers give all chunks of a document one object.
  let like: unknown = metadata
  const rows = chunks.map((chunk): ChunkRow => {
    const { id: chunkId, documentId, documentVersion, text: slice, start, end, tokenCount, headingPath } = chunk
    requireId('chunk id', chunkId, { document: id })
    if (seen.has(chunkId)) {
      throw new GroundlineError('DUPLICATE_ID', `chunk ${chunkId} is twice in document ${describe(id)}`, {
        details: { id: chunkId, document: id },
      })
    }
    seen.add(chunkId)
    if (documentId !== id) invalid(id, `chunk ${chunkId} belongs to document ${describe(documentId)}`)
    if (documentVersion !== version) invalid(id, `chunk ${chunkId} was cut from another version of the text`)
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || text.slice(start, end) !== slice)
      invalid(id, `chunk ${chunkId} is not the slice ${start}–${end} of the text`)
    const extra = extraOf(chunk)
    if (chunk.metadata !== like) {
      requireMetadata(id, chunk.metadata)
      if (canonicalJson(chunk.metadata) === metadataJson) like = chunk.metadata
      else extra.metadata = copy(chunk.metadata)
    }
    for (const _ in extra) return [chunkId, start, end, tokenCount ?? null, headingPath ?? null, extra]
    if (headingPath) return [chunkId, start, end, tokenCount ?? null, headingPath]
    return tokenCount === undefined ? [chunkId, start, end] : [chunkId, start, end, tokenCount]
  })
  const row: SegmentDocument['row'] = {
    id,
    version,
    fingerprint: documentFingerprint(document),
    uri,
    title,
    metadata: metadataJson === '{}' ? undefined : copy(metadata),
    scope: entry.scope,
    revision: entry.revision,
    pipeline: entry.pipeline,
    expires: expiryOf(entry),
    chunks: rows,
  }
  const body: DocumentRecordBody = { ...row, text, ...(outline && { outline }), ...(sourceMap && { sourceMap }) }
  return { row, record: encodeBody(body), ...packVectors(id, chunks.length, vectors) }
}

/** Members of a chunk that its row, or its document's, has a place for. */
const PLACED: ReadonlySet<string> = new Set([
  'id',
  'documentId',
  'documentVersion',
  'text',
  'start',
  'end',
  'tokenCount',
  'headingPath',
  'source',
  'metadata',
])

/** What else a chunk has. */
function extraOf(chunk: object): { metadata?: Metadata } {
  const extra: Record<string, unknown> = {}
  for (const key in chunk)
    if (!PLACED.has(key) && Object.hasOwn(chunk, key)) extra[key] = chunk[key as keyof typeof chunk]
  return extra
}

/** Checks vectors and joins them into little-endian float32. */
export function packVectors(
  id: string,
  chunks: number,
  vectors: readonly Float32Array[],
): { vectors?: Uint8Array; dimensions: number } {
  const first = vectors[0]
  if (!first) return { dimensions: 0 }
  const dimensions = first.length
  if (vectors.length !== chunks || dimensions === 0) {
    throw new GroundlineError(
      'INVALID_VECTOR',
      `document ${describe(id)} has ${chunks} chunks and ${vectors.length} vectors of ${dimensions} dimensions: give one vector a chunk, or none`,
      { details: { id, expected: chunks, actual: vectors.length } },
    )
  }
  const packed = new Float32Array(chunks * dimensions)
  for (const [index, vector] of vectors.entries()) {
    if (vector.length !== dimensions) {
      throw new GroundlineError(
        'DIMENSION_MISMATCH',
        `vector ${index} of document ${describe(id)} has ${vector.length} dimensions, the others ${dimensions}`,
        { details: { id, index, expected: dimensions, actual: vector.length } },
      )
    }
    // A length is finite only if every value is; the loop is an order faster than a test of each value.
    if (!Number.isFinite(vectorNorm(vector))) {
      throw new GroundlineError('INVALID_VECTOR', `vector ${index} of document ${describe(id)} holds NaN or Infinity`, {
        details: { id, index },
      })
    }
    packed.set(vector, index * dimensions)
  }
  return { vectors: new Uint8Array(packed.buffer), dimensions }
}

/** Throws `INVALID_DOCUMENT` or `INVALID_METADATA` unless a document can be stored, whatever its chunks. */
export function requireDocument(document: Document): void {
  if (typeof document !== 'object' || document === null) {
    throw new GroundlineError('INVALID_DOCUMENT', `a document must be an object, got ${describe(document)}`)
  }
  const { id, text, uri, title, metadata = {} } = document
  requireId('document id', id, { document: id })
  if (typeof text !== 'string') invalid(id, `text must be a string, got ${describe(text)}`)
  for (const [name, value] of [
    ['uri', uri],
    ['title', title],
  ] as const) {
    if (value !== undefined && typeof value !== 'string')
      invalid(id, `${name} must be a string, got ${describe(value)}`)
  }
  requireMetadata(id, metadata)
}

/** Throws `INVALID_DOCUMENT` unless outline and offset map are lists of spans. */
function requireMaps({ id, outline, sourceMap }: Document): void {
  if (outline !== undefined) requireSpans(id, 'outline', outline)
  if (sourceMap !== undefined) requireSpans(id, 'sourceMap.pieces', Object(sourceMap).pieces)
}

function requireSpans(id: string, name: string, list: unknown): void {
  if (!Array.isArray(list)) invalid(id, `${name} must be a list, got ${describe(list)}`)
  for (const [index, span] of list.entries()) {
    const { start, end } = Object(span)
    if (!Number.isInteger(start) || !Number.isInteger(end))
      invalid(id, `${name}[${index}] is no span: ${describe(span)}`)
  }
}

function encodeBody(body: DocumentRecordBody): Uint8Array {
  let json: string
  try {
    json = JSON.stringify(body)
  } catch (error) {
    // Whatever its outline or offset map holds besides spans.
    return invalid(body.id, `it cannot be written as JSON: ${(error as Error).message}`)
  }
  return new TextEncoder().encode(json)
}

/** Throws `INVALID_DOCUMENT` unless `id` is a usable id: 1 to 1,024 units, no control characters, no lone surrogates. */
export function requireId(
  name: string,
  id: unknown,
  details: Readonly<Record<string, unknown>> = {},
): asserts id is string {
  const wrong =
    typeof id !== 'string'
      ? `must be a string, got ${describe(id)}`
      : id.length === 0 || id.length > MAX_ID
        ? `must have 1 to ${MAX_ID} UTF-16 units, got ${id.length}`
        : /[\u0000-\u001f\u007f-\u009f]/.test(id)
          ? 'must not hold NUL or control characters'
          : id.isWellFormed()
            ? undefined
            : 'must not hold lone surrogates'
  if (wrong === undefined) return
  throw new GroundlineError('INVALID_DOCUMENT', `${name} ${describe(id)} ${wrong}`, {
    details: { ...details, argument: name, actual: describe(id) },
  })
}

/** Throws `INVALID_ARGUMENT` unless a name, of a tenant or a tag, could be an id. */
export function requireName(what: string, name: unknown): asserts name is string {
  try {
    requireId(what, name)
  } catch (error) {
    const { message } = error as Error
    throw new GroundlineError('INVALID_ARGUMENT', `${describe(name)} is no ${what} name: ${message}`, { cause: error })
  }
}

function expiryOf({ expires, document }: DocumentEntry): string | undefined {
  if (expires === undefined) return undefined
  const time = Date.parse(expires)
  if (Number.isNaN(time)) invalid(document.id, `expires must be an ISO 8601 date, got ${describe(expires)}`)
  return new Date(time).toISOString()
}

/** The caller's objects must not change what is stored. */
function copy(metadata: Metadata): Metadata {
  return JSON.parse(JSON.stringify(metadata))
}

function requireMetadata(document: string, metadata: unknown): void {
  const fail = (path: readonly string[], what: string): never => {
    const where = path.length === 0 ? 'metadata' : `metadata ${path.join(' › ')}`
    throw new GroundlineError('INVALID_METADATA', `${where} of document ${describe(document)} ${what}`, {
      details: { document, path },
    })
  }
  const walk = (value: unknown, path: readonly string[]): void => {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) fail(path, `is ${value}: numbers must be finite`)
      return
    }
    if (typeof value !== 'object') {
      fail(path, `is ${describe(value)}: use JSON values`)
      return
    }
    if (path.length >= MAX_DEPTH) fail(path, `nests deeper than ${MAX_DEPTH} levels, or in a circle`)
    if (Array.isArray(value)) {
      for (const [index, element] of value.entries()) walk(element, [...path, String(index)])
      return
    }
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) fail(path, `is ${describe(value)}: use plain objects`)
    for (const [key, member] of Object.entries(value)) {
      if (key === '__proto__') fail(path, 'has a key "__proto__"')
      if (member !== undefined) walk(member, [...path, key])
    }
  }
  if (metadata === null || typeof metadata !== 'object' || Array.isArray(metadata)) fail([], 'must be an object')
  walk(metadata, [])
}

function invalid(id: string, what: string): never {
  throw new GroundlineError('INVALID_DOCUMENT', `document ${describe(id)}: ${what}`, { details: { id } })
}
