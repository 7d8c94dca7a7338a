import type { Sealer } from '../corpus/sealer.ts'
import type { Storage } from '../corpus/storage.ts'
import { isGroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import type { VectorStore } from './embedding-cache.ts'
import { encodeSegment, openSegment, type SegmentIndex, type VectorPlace } from './vector-segment.ts'

/** Options of {@link storageVectorStore}. */
export interface StorageVectorStoreOptions {
  /** Where the files are kept. Several processes may share it; each sees the others' vectors from its next start on. */
  readonly storage: Storage
  /** What the files' names start with. Default `embeddings/`. */
  readonly prefix?: string
  /** Seals every vector and every key; a cache of a corpus with a key must have the corpus's sealer. Default none. */
  readonly sealer?: Sealer
  /** The most bytes held. The oldest files go first. Default 1 GiB. */
  readonly maxBytes?: number
  /** How long a vector is held after it was made, in milliseconds. Default forever. */
  readonly maxAgeMs?: number
  /** The wall clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/** So many files are joined into one. */
const JOIN_AT = 64

interface Located {
  readonly file: string
  readonly segment: SegmentIndex
  readonly place: VectorPlace
}

/**
 * Keeps vectors in files of a {@link Storage}: each `set` is one file, written durably before it returns and never
 * changed. A damaged file or record counts as absent and is counted in `stats().corrupt`, so damage costs a call to the
 * provider and never gives a wrong vector. The keys, 16 bytes each and hashes themselves, are held in memory.
 *
 * @example
 * const cache = embeddingCache(storageVectorStore({ storage: fileStorage('./kb/cache') }))
 */
export function storageVectorStore(options: StorageVectorStoreOptions): VectorStore {
  const { storage, prefix = 'embeddings/', sealer, maxBytes = 2 ** 30 } = options
  const { maxAgeMs = Number.POSITIVE_INFINITY, now = Date.now } = options
  requireInteger('maxBytes', maxBytes, 1)
  const segments = new Map<string, SegmentIndex>()
  const located = new Map<string, Located>()
  let [written, evicted, expired, corrupt] = [0, 0, 0, 0]
  let opening: Promise<void> | undefined
  let writing: Promise<unknown> = Promise.resolve()

  const adopt = (file: string, segment: SegmentIndex) => {
    segments.set(file, segment)
    for (const [key, place] of segment.places) located.set(key, { file, segment, place })
  }
  const drop = async (file: string): Promise<number> => {
    let lost = 0
    for (const key of segments.get(file)?.places.keys() ?? []) {
      if (located.get(key)?.file === file && located.delete(key)) lost++
    }
    segments.delete(file)
    await storage.remove(file)
    return lost
  }
  const open = async () => {
    for (const file of await storage.list(prefix)) {
      const segment = await absentAsUndefined(openSegment(storage, file, sealer))
      if (segment) adopt(file, segment)
      else corrupt++
    }
    await prune()
  }
  const opened = () => {
    opening ??= open()
    return opening
  }
  const prune = async () => {
    let bytes = total(segments)
    for (const [file, segment] of [...segments].sort(([, a], [, b]) => a.made - b.made)) {
      const old = now() - segment.made > maxAgeMs
      if (!old && bytes <= maxBytes) continue
      bytes -= segment.bytes
      const lost = await drop(file)
      if (old) expired += lost
      else evicted += lost
    }
  }
  const write = async (entries: readonly (readonly [string, Float32Array])[], made: number) => {
    const unique = crypto.randomUUID().slice(0, 8)
    const file = `${prefix}${String(made).padStart(14, '0')}-${String(written++).padStart(6, '0')}-${unique}.vec`
    await storage.writeNew(file, await encodeSegment(file, made, entries, sealer))
    const segment = await openSegment(storage, file, sealer)
    if (segment) adopt(file, segment)
  }
  /** Writes what is kept of some files into one, then removes them: a crash in between leaves both, which is harmless. */
  const rewrite = async (files: readonly string[], keep: (key: string) => boolean) => {
    const entries: (readonly [string, Float32Array])[] = []
    for (const file of files) {
      for (const [key, place] of segments.get(file)?.places ?? []) {
        const vector = keep(key) && located.get(key)?.file === file ? await read(file, place) : undefined
        if (vector) entries.push([key, vector])
      }
    }
    const made = Math.min(now(), ...files.map((file) => segments.get(file)?.made ?? now()))
    if (entries.length > 0) await write(entries, made)
    for (const file of files) await drop(file)
  }
  const read = async (file: string, place: VectorPlace): Promise<Float32Array | undefined> => {
    const vector = await absentAsUndefined(segments.get(file)?.read(place) ?? Promise.resolve(undefined))
    if (!vector) corrupt++
    return vector
  }
  /** Changes happen one after the other; a failed one does not hold up the next. */
  const change = <T>(task: () => Promise<T>): Promise<T> => {
    const done = writing.then(opened).then(task)
    writing = done.catch(() => {})
    return done
  }

  return {
    async get(keys) {
      await opened()
      const found: (Float32Array | undefined)[] = []
      for (const key of keys) {
        const entry = located.get(key)
        const fresh = entry !== undefined && now() - entry.segment.made <= maxAgeMs
        const vector = fresh ? await read(entry.file, entry.place) : undefined
        if (entry && !vector) located.delete(key)
        found.push(vector)
      }
      return found
    },
    set: (entries) =>
      change(async () => {
        if (entries.length === 0) return
        await write(entries, now())
        if (segments.size >= JOIN_AT) {
          const small = [...segments].sort(([, a], [, b]) => a.bytes - b.bytes).slice(0, JOIN_AT / 2)
          await rewrite(
            small.map(([file]) => file),
            () => true,
          )
        }
        await prune()
      }),
    remove: (keys) =>
      change(async () => {
        const gone = new Set(keys)
        // Every file that has a key, also an older copy of its vector.
        const files = [...segments].filter(([, { places }]) => keys.some((key) => places.has(key)))
        await rewrite(
          files.map(([file]) => file),
          (key) => !gone.has(key),
        )
        for (const key of gone) located.delete(key)
      }),
    clear: () =>
      change(async () => {
        for (const file of await storage.list(prefix)) await storage.remove(file)
        segments.clear()
        located.clear()
      }),
    stats: () => ({ entries: located.size, bytes: total(segments), evicted, expired, corrupt }),
  }
}

function total(segments: ReadonlyMap<string, SegmentIndex>): number {
  let bytes = 0
  for (const segment of segments.values()) bytes += segment.bytes
  return bytes
}

/** A file that another process removed is no error of a cache. */
async function absentAsUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isGroundlineError(error) && (error.code === 'NOT_FOUND' || error.code === 'CORRUPT_DATA')) return undefined
    throw error
  }
}
