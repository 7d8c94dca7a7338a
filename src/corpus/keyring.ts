import type { AbortOptions } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import { checksumSealer } from './checksum-sealer.ts'
import type { Cipher, KeyProvider } from './cipher.ts'
import { damaged, FRAME_BYTES, HEADER_BYTES, newFile, openFile } from './container.ts'
import type { FileSealer, SealedFile, Sealer } from './sealer.ts'
import type { Storage } from './storage.ts'

/** How to open a keyring. */
export interface KeyringOptions extends AbortOptions {
  /** Where the wrapped keys are: the corpus's own storage. */
  readonly storage: Storage
  /** Wraps them. */
  readonly keyProvider: KeyProvider
  /** Seals records with them. */
  readonly cipher: Cipher
  /** Whether keys that are not there throw `NOT_FOUND` instead of being made. Default false. */
  readonly readOnly?: boolean
  /** Bound into every seal, so that no file of one corpus opens in another: a tenant's name, say. Default empty. */
  readonly context?: string
}

/** The data keys of one corpus, wrapped in its storage. Give its `sealer` to `openCorpus`. */
export interface Keyring {
  /** Seals records under the newest key and opens those of every key. */
  readonly sealer: Sealer
  /** Adds a data key: what is written from now on is sealed under it. `compact` and `collect` then retire the old ones' files. */
  rotate(options?: AbortOptions): Promise<void>
  /** Wraps the same data keys with another provider and removes what the old one wrapped. */
  rewrap(keyProvider: KeyProvider, options?: AbortOptions): Promise<void>
  /** Removes every key: all files of the corpus become unreadable for good. */
  erase(options?: AbortOptions): Promise<void>
}

/** A keyring as it is stored. */
interface StoredKeyring {
  readonly provider: string
  readonly keys: readonly { readonly epoch: number; readonly wrapped: string }[]
}

const FOLDER = 'keys/'
const RECORD = 1

const fileName = (generation: number): string => `${FOLDER}${String(generation).padStart(12, '0')}.key`

/**
 * Opens the keyring of a storage, or makes one with a fresh data key. Each data key is wrapped by the provider; each
 * file is sealed under a key of its own, derived from the data key and the file's salt (HKDF), each record with its
 * position and kind as nonce, and context, file name, epoch, kind and position as associated data.
 *
 * Throws `INVALID_ARGUMENT` when the provider cannot unwrap the keys, `NOT_FOUND` when they were erased.
 *
 * @example
 * ```ts
 * import { openCorpus, openKeyring } from 'groundline/corpus'
 * import { fileStorage, nodeCipher, passphraseKey } from 'groundline/node'
 *
 * const storage = fileStorage('./kb')
 * const keyring = await openKeyring({ storage, cipher: nodeCipher(), keyProvider: passphraseKey('correct horse') })
 * const corpus = await openCorpus({ storage, sealer: keyring.sealer })
 * ```
 */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { storage, cipher, context = '', readOnly = false, signal } = options
  let { keyProvider } = options
  let keys = new Map<number, Uint8Array>()
  let generation = 0
  let erased = false

  const load = async (each: AbortOptions): Promise<void> => {
    const newest = (await generations(storage, each)).at(-1)
    if (newest === undefined || newest === generation) return
    const stored = await readKeyring(storage, newest, each)
    const opened = new Map<number, Uint8Array>()
    for (const { epoch, wrapped } of stored.keys) {
      opened.set(epoch, await unwrap(keyProvider, stored, fromHex(wrapped), contextOf(context, epoch)))
    }
    keys = opened
    generation = newest
  }

  /** Publishes keys as the next generation; on top of another process's when that was faster. */
  const store = async (next: ReadonlyMap<number, Uint8Array>, each: AbortOptions): Promise<boolean> => {
    const entries: { epoch: number; wrapped: string }[] = []
    for (const [epoch, key] of next) {
      entries.push({ epoch, wrapped: toHex(await keyProvider.wrap(key, contextOf(context, epoch))) })
    }
    const name = fileName(generation + 1)
    try {
      await storage.publish(name, await encodeKeyring(name, { provider: keyProvider.id, keys: entries }), each)
    } catch (error) {
      if (isGroundlineError(error) && error.code === 'ALREADY_EXISTS') return false
      throw error
    }
    keys = new Map(next)
    generation++
    return true
  }

  const dropOld = async (each: AbortOptions): Promise<void> => {
    for (const old of await generations(storage, each)) {
      if (old < generation) await storage.remove(fileName(old), each)
    }
  }

  const addKey = async (each: AbortOptions): Promise<void> => {
    for (;;) {
      requireKeys()
      const epoch = Math.max(0, ...keys.keys()) + 1
      if (await store(new Map([...keys, [epoch, crypto.getRandomValues(new Uint8Array(32))]]), each)) return
      await load(each)
      if (epoch === 1 && keys.size > 0) return
    }
  }

  const requireKeys = (): void => {
    if (erased) throw new GroundlineError('NOT_FOUND', 'the keys of this corpus were erased: its files cannot be read')
  }

  await load({ signal })
  if (keys.size === 0) {
    await requireUnused(storage, { signal })
    if (readOnly) {
      throw new GroundlineError(
        'NOT_FOUND',
        'there is no corpus to read, and no key: check its place, or open it for writing first',
      )
    }
    await addKey({ signal })
  }

  const sealer: Sealer = {
    kind: 1,
    overhead: 16,
    get epoch() {
      requireKeys()
      return Math.max(...keys.keys())
    },
    forFile: async (file) => {
      requireKeys()
      // Another process may have rotated.
      if (!keys.has(file.epoch)) await load({})
      const key = keys.get(file.epoch)
      if (!key) {
        throw new GroundlineError(
          'NOT_FOUND',
          `${file.name} is sealed under key ${file.epoch}, which is not in the keyring`,
          {
            details: { file: file.name, epoch: file.epoch },
          },
        )
      }
      return fileSealer(cipher, key, context, file)
    },
  }

  return {
    sealer,
    rotate: async (each = {}) => {
      await load(each)
      await addKey(each)
      await dropOld(each)
    },
    rewrap: async (next, each = {}) => {
      await load(each)
      requireKeys()
      const before = keyProvider
      keyProvider = next
      try {
        if (!(await store(keys, each))) {
          throw new GroundlineError('CONFLICT', 'another process changed the keyring: open it again and repeat')
        }
      } catch (error) {
        keyProvider = before
        throw error
      }
      await dropOld(each)
    },
    erase: async (each = {}) => {
      for (const old of await generations(storage, each)) await storage.remove(fileName(old), each)
      for (const key of keys.values()) key.fill(0)
      keys = new Map()
      erased = true
    },
  }
}

async function fileSealer(cipher: Cipher, key: Uint8Array, context: string, file: SealedFile): Promise<FileSealer> {
  const encoder = new TextEncoder()
  const place = `${context}\u0000${file.name}\u0000${file.epoch}`
  const fileKey = await cipher.derive(key, file.salt, encoder.encode(`groundline file\u0000${place}`))
  const nonceOf = (position: number, kind: number): Uint8Array => {
    const nonce = new DataView(new ArrayBuffer(12))
    nonce.setBigUint64(0, BigInt(position), true)
    nonce.setUint32(8, kind, true)
    return new Uint8Array(nonce.buffer)
  }
  const associated = (position: number, kind: number): Uint8Array =>
    encoder.encode(`${place}\u0000${kind}\u0000${position}`)
  return {
    seal: (record, position, kind) => cipher.seal(fileKey, nonceOf(position, kind), record, associated(position, kind)),
    open: (sealed, position, kind) => cipher.open(fileKey, nonceOf(position, kind), sealed, associated(position, kind)),
  }
}

const contextOf = (context: string, epoch: number): string => `groundline key\u0000${context}\u0000${epoch}`

async function unwrap(
  provider: KeyProvider,
  stored: StoredKeyring,
  wrapped: Uint8Array,
  context: string,
): Promise<Uint8Array> {
  try {
    const key = await provider.unwrap(wrapped, context)
    if (key.length === 32) return key
  } catch (error) {
    throw wrongKey(provider, stored, error)
  }
  throw wrongKey(provider, stored)
}

function wrongKey(provider: KeyProvider, stored: StoredKeyring, cause?: unknown): GroundlineError {
  return new GroundlineError(
    'INVALID_ARGUMENT',
    `the key provider ${JSON.stringify(provider.id)} cannot unwrap the keys of this corpus, which ${JSON.stringify(stored.provider)} wrapped: give the key it was made with`,
    { cause, details: { expected: stored.provider, actual: provider.id } },
  )
}

/** A storage that holds a corpus but no keys is one without encryption, or one that was erased: never to be given keys. */
async function requireUnused(storage: Storage, options: AbortOptions): Promise<void> {
  if ((await storage.list('manifests/', options)).length === 0) return
  throw new GroundlineError(
    'NOT_FOUND',
    'the storage holds a corpus but no keys: it was written without a key, or its keys were erased',
  )
}

async function generations(storage: Storage, options: AbortOptions): Promise<readonly number[]> {
  return (await storage.list(FOLDER, options)).flatMap((name) => {
    const digits = /^keys\/(\d{12})\.key$/.exec(name)?.[1]
    return digits === undefined ? [] : [Number(digits)]
  })
}

async function encodeKeyring(name: string, stored: StoredKeyring): Promise<Uint8Array> {
  const file = await newFile(name, 'KEY1', checksumSealer())
  const record = new TextEncoder().encode(JSON.stringify(stored))
  await file.add(RECORD, record)
  await file.add(RECORD, record)
  return file.bytes()
}

async function readKeyring(storage: Storage, generation: number, options: AbortOptions): Promise<StoredKeyring> {
  const name = fileName(generation)
  const whole = await storage.read(name, undefined, options)
  const reader = await openFile(storage, name, 'KEY1', checksumSealer(), { ...options, whole })
  const length = (whole.length - HEADER_BYTES) / 2
  for (const offset of [HEADER_BYTES, HEADER_BYTES + length]) {
    if (!Number.isInteger(length) || length < FRAME_BYTES) break
    const [record] = await reader.records([{ offset, length }], RECORD)
    if (record) return JSON.parse(new TextDecoder().decode(record))
  }
  throw damaged(name, HEADER_BYTES, 'neither copy of the keyring matches its checksum')
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16))
}
