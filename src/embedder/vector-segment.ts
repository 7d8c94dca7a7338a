import type { Sealer } from '../corpus/sealer.ts'
import type { Storage } from '../corpus/storage.ts'
import { sha256Hex } from '../internal/hash.ts'
import { joinBytes } from '../internal/join-bytes.ts'

/**
 * A file of vectors, written once:
 *
 * ```text
 * header   "GLEC" format u32  sealer u32  epoch u32  salt(16)  index length u32   36 bytes
 * index    count u32  made f64  { key(16) dimensions u32 }*                       sealed
 * vector   32-bit floats                                                          sealed, one after the other
 * ```
 *
 * Numbers are little-endian. A sealed record is the seal of the sealer, or, without one, the record and the first 8 bytes
 * of SHA-256 over the file's name, the record's position and the record.
 */
const HEADER = 36
const MAGIC = 0x43454c47
const FORMAT = 1
const INDEX_KIND = 1
const VECTOR_KIND = 2
const DIGEST = 8

/** Where a vector stands in its file. */
export interface VectorPlace {
  /** First byte of its sealed record. */
  readonly offset: number
  /** Bytes of its sealed record. */
  readonly length: number
}

/** What a file holds. */
export interface SegmentIndex {
  /** When it was written, in milliseconds since 1970. */
  readonly made: number
  /** Bytes of the file. */
  readonly bytes: number
  /** Where the vector of each key stands. */
  readonly places: ReadonlyMap<string, VectorPlace>
  /** Reads a vector; undefined when it is damaged. */
  readonly read: (place: VectorPlace) => Promise<Float32Array | undefined>
}

interface Seals {
  readonly overhead: number
  seal(record: Uint8Array, position: number, kind: number): Uint8Array | Promise<Uint8Array>
  open(sealed: Uint8Array, position: number, kind: number): Uint8Array | undefined | Promise<Uint8Array | undefined>
}

/** The bytes of a file that holds the entries. */
export async function encodeSegment(
  name: string,
  made: number,
  entries: readonly (readonly [key: string, vector: Float32Array])[],
  sealer: Sealer | undefined,
): Promise<Uint8Array> {
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const seals = await sealsOf(name, salt, sealer, sealer?.epoch ?? 0)
  const index = new Uint8Array(12 + entries.length * 20)
  const fields = new DataView(index.buffer)
  fields.setUint32(0, entries.length, true)
  fields.setFloat64(4, made, true)
  for (const [row, [key, vector]] of entries.entries()) {
    for (let byte = 0; byte < 16; byte++)
      index[12 + row * 20 + byte] = Number.parseInt(key.slice(byte * 2, byte * 2 + 2), 16)
    fields.setUint32(12 + row * 20 + 16, vector.length, true)
  }
  const parts: Uint8Array[] = [new Uint8Array(HEADER), await seals.seal(index, HEADER, INDEX_KIND)]
  let length = HEADER + index.length + seals.overhead
  for (const [, vector] of entries) {
    const sealed = await seals.seal(littleEndian(vector), length, VECTOR_KIND)
    parts.push(sealed)
    length += sealed.length
  }
  const file = joinBytes(parts)
  const header = new DataView(file.buffer)
  header.setUint32(0, MAGIC, true)
  header.setUint32(4, FORMAT, true)
  header.setUint32(8, sealer?.kind ?? 0xffff, true)
  header.setUint32(12, sealer?.epoch ?? 0, true)
  file.set(salt, 16)
  header.setUint32(32, index.length + seals.overhead, true)
  return file
}

/** Reads a file's index; undefined when the file is damaged, of another format, or sealed otherwise. */
export async function openSegment(
  storage: Storage,
  name: string,
  sealer: Sealer | undefined,
): Promise<SegmentIndex | undefined> {
  const header = await storage.read(name, { start: 0, end: HEADER })
  if (header.length < HEADER) return undefined
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const [magic, format, kind, epoch] = [0, 4, 8, 12].map((offset) => view.getUint32(offset, true))
  if (magic !== MAGIC || format !== FORMAT || kind !== (sealer?.kind ?? 0xffff)) return undefined
  const indexLength = view.getUint32(32, true)
  const sealed = await storage.read(name, { start: HEADER, end: HEADER + indexLength })
  if (sealed.length !== indexLength) return undefined
  const seals = await sealsOf(name, header.slice(16, 32), sealer, epoch ?? 0)
  const index = await seals.open(sealed, HEADER, INDEX_KIND)
  if (!index) return undefined

  const fields = new DataView(index.buffer, index.byteOffset, index.byteLength)
  const places = new Map<string, VectorPlace>()
  let offset = HEADER + indexLength
  for (let row = 0; row < fields.getUint32(0, true); row++) {
    const at = 12 + row * 20
    let key = ''
    for (const byte of index.subarray(at, at + 16)) key += byte.toString(16).padStart(2, '0')
    const length = fields.getUint32(at + 16, true) * 4 + seals.overhead
    places.set(key, { offset, length })
    offset += length
  }
  const read = async (place: VectorPlace): Promise<Float32Array | undefined> => {
    const record = await storage.read(name, { start: place.offset, end: place.offset + place.length })
    const opened = record.length === place.length ? await seals.open(record, place.offset, VECTOR_KIND) : undefined
    return opened && floats(opened)
  }
  return { made: fields.getFloat64(4, true), bytes: offset, places, read }
}

async function sealsOf(name: string, salt: Uint8Array, sealer: Sealer | undefined, epoch: number): Promise<Seals> {
  if (sealer) {
    const file = await sealer.forFile({ name, salt, epoch })
    return {
      overhead: sealer.overhead,
      seal: (record, position, kind) => file.seal(record, position, kind),
      open: (sealed, position, kind) => file.open(sealed, position, kind),
    }
  }
  const digest = (record: Uint8Array, position: number): string => {
    const place = new TextEncoder().encode(`${name}\n${position}\n`)
    const all = new Uint8Array(place.length + record.length)
    all.set(place)
    all.set(record, place.length)
    return sha256Hex(all).slice(0, DIGEST * 2)
  }
  return {
    overhead: DIGEST,
    seal(record, position) {
      const sealed = new Uint8Array(record.length + DIGEST)
      sealed.set(record)
      const hex = digest(record, position)
      for (let byte = 0; byte < DIGEST; byte++)
        sealed[record.length + byte] = Number.parseInt(hex.slice(byte * 2, byte * 2 + 2), 16)
      return sealed
    },
    open(sealed, position) {
      const record = sealed.subarray(0, sealed.length - DIGEST)
      let hex = ''
      for (const byte of sealed.subarray(sealed.length - DIGEST)) hex += byte.toString(16).padStart(2, '0')
      return hex === digest(record, position) ? record : undefined
    },
  }
}

function littleEndian(vector: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [index, component] of vector.entries()) view.setFloat32(index * 4, component, true)
  return new Uint8Array(view.buffer)
}

function floats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true))
}
