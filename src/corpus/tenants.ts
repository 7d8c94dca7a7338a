import type { AbortOptions, Metadata } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import { sha256Hex } from '../internal/hash.ts'
import { type BackupReport, restoreCorpus } from './backup.ts'
import type { Cipher, KeyProvider } from './cipher.ts'
import { type Keyring, openKeyring } from './keyring.ts'
import { type OpenCorpusOptions, openCorpus } from './open-corpus.ts'
import { requireName } from './prepare-entry.ts'
import type { ByteRange, Storage } from './storage.ts'
import { markTenants, requireKnownMark } from './tenants-mark.ts'
import type { VersionedCorpus } from './versioned-corpus.ts'

/** How to open a storage that holds many tenants. */
export interface OpenTenantsOptions extends Omit<OpenCorpusOptions, 'sealer'> {
  /** Encrypts each tenant under data keys of its own; absent for tenants without encryption. */
  readonly encryption?: {
    /** Wraps the data keys of a tenant. */
    readonly keyProvider: KeyProvider | ((tenant: string) => KeyProvider)
    /** Seals the records. */
    readonly cipher: Cipher
  }
}

/** A tenant that was opened: the only way to its data. */
export interface Tenant<M extends Metadata = Metadata> {
  /** The tenant's name. */
  readonly id: string
  /** Its corpus. */
  readonly corpus: VersionedCorpus<M>
  /** Its files only: for indexes derived from the corpus. */
  readonly storage: Storage
  /** Its keys; absent without encryption. */
  readonly keyring?: Keyring
}

/** The tenants of one storage. */
export interface Tenants {
  /** Opens a tenant, or starts an empty one. Throws `INVALID_ARGUMENT` without a name, `NOT_FOUND` read-only when it has nothing. */
  tenant<M extends Metadata = Metadata>(id: string, options?: AbortOptions): Promise<Tenant<M>>
  /**
   * Removes everything of a tenant, the keys first, so that what cannot be removed cannot be read. Throws `LEGAL_HOLD`,
   * and removes nothing, while a hold keeps any of it.
   */
  erase(id: string, options?: AbortOptions): Promise<void>
  /**
   * Copies a backup of a tenant's corpus into an empty tenant. With encryption, under the name it had and with its key
   * provider. Throws `ALREADY_EXISTS` when the tenant has anything, `NOT_FOUND` when the backup has no version.
   */
  restore(id: string, from: Storage, options?: AbortOptions): Promise<BackupReport>
}

/**
 * Opens a storage whose data belongs to tenants. Each has a folder named by a hash of its name, indexes and keys of its
 * own, and a handle that reaches nothing else. Once a storage has tenants, it cannot be opened as one corpus.
 *
 * @example
 * ```ts
 * import { memoryStorage, openTenants } from 'groundline/corpus'
 *
 * const tenants = await openTenants({ storage: memoryStorage() })
 * const { corpus } = await tenants.tenant('acme')
 * ```
 */
export async function openTenants(options: OpenTenantsOptions): Promise<Tenants> {
  const { storage, encryption, ...corpusOptions } = options
  const { readOnly = false } = options
  if (readOnly) await requireKnownMark(storage, options)
  else await turnOn(storage, options)

  const folderOf = (id: unknown): string => {
    if (id === undefined || id === null || id === '') {
      throw new GroundlineError('INVALID_ARGUMENT', 'a tenant is missing: this storage has tenants, name one')
    }
    requireName('tenant', id)
    return `tenants/${sha256Hex(`groundline tenant\u0000${id}`).slice(0, 40)}`
  }

  const open = async <M extends Metadata>(id: string, { signal }: AbortOptions): Promise<Tenant<M>> => {
    const own = folderStorage(storage, folderOf(id))
    if (!encryption)
      return { id, storage: own, corpus: await openCorpus<M>({ ...corpusOptions, storage: own, signal }) }
    const { cipher, keyProvider } = encryption
    const provider = typeof keyProvider === 'function' ? keyProvider(id) : keyProvider
    const keyring = await openKeyring({ storage: own, cipher, keyProvider: provider, context: id, readOnly, signal })
    const { sealer } = keyring
    return {
      id,
      storage: own,
      keyring,
      corpus: await openCorpus<M>({ ...corpusOptions, storage: own, sealer, signal }),
    }
  }

  return {
    tenant: (id, each = {}) => open(id, each),
    restore: async (id, from, each = {}) => {
      const to = folderStorage(storage, folderOf(id))
      if (readOnly) throw new GroundlineError('READ_ONLY', 'cannot restore: the tenants were opened read-only')
      return restoreCorpus({ from, to, signal: each.signal })
    },
    erase: async (id, each = {}) => {
      const own = folderStorage(storage, folderOf(id))
      const names = await own.list('', each)
      const keys = names.filter((name) => name.startsWith('keys/'))
      // Without keys an earlier call has begun: what is left can be read by nobody.
      if (names.length > 0 && (!encryption || keys.length > 0)) await requireNoHold(await open(id, each), each)
      for (const name of [...keys, ...names.filter((one) => !one.startsWith('keys/'))]) await own.remove(name, each)
      await own.sweep?.(each)
    },
  }
}

/** A part of a storage, as a storage. */
export function folderStorage(storage: Storage, folder: string): Storage {
  const { sweep, locate } = storage
  return {
    read: (name: string, range?: ByteRange, options?: AbortOptions) =>
      storage.read(`${folder}/${name}`, range, options),
    writeNew: (name, bytes, options) => storage.writeNew(`${folder}/${name}`, bytes, options),
    publish: (name, bytes, options) => storage.publish(`${folder}/${name}`, bytes, options),
    list: async (prefix, options) =>
      (await storage.list(`${folder}/${prefix}`, options)).map((name) => name.slice(folder.length + 1)),
    remove: (name, options) => storage.remove(`${folder}/${name}`, options),
    ...(locate && { locate: (name: string) => locate(`${folder}/${name}`) }),
    ...(sweep && { sweep: (options?: AbortOptions) => sweep(options) }),
  }
}

async function turnOn(storage: Storage, options: AbortOptions): Promise<void> {
  if ((await storage.list('manifests/', options)).length > 0) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      'the storage holds a corpus without tenants: use another storage for tenants',
    )
  }
  await markTenants(storage, options)
}

async function requireNoHold({ id, corpus }: Tenant, options: AbortOptions): Promise<void> {
  const held = (await corpus.tags(options)).find(({ hold }) => hold !== undefined)
  await corpus.close()
  if (!held) return
  throw new GroundlineError(
    'LEGAL_HOLD',
    `the hold ${describe(held.name)} (${held.hold}) keeps documents of the tenant ${describe(id)}: release it with untag first`,
    { details: { tag: held.name, hold: held.hold } },
  )
}
