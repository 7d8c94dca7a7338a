import { derivedFiles, memoryStorage, openCorpus, openKeyring, openTenants, servedFiles } from '../corpus/index.ts'
import type { Storage } from '../corpus/storage.ts'
import type { Metadata } from '../document.ts'
import { type Embedder, staticEmbedder } from '../embedder/index.ts'
import { GroundlineError } from '../errors.ts'
import { canonicalJson } from '../internal/hash.ts'
import { fileStorage, nodeCipher } from '../node/index.ts'
import type { Groundline, GroundlineOptions, GroundlineTenants, TenantsOptions } from './groundline.ts'
import { groundlineOver, type Opened } from './groundline-over.ts'
import { reembedCorpus, spaceMismatch } from './reembed-corpus.ts'

/**
 * A whole retrieval system with embedded defaults: no key, no download, no server. Every part can be replaced by an
 * option; nothing is global. Throws `SPACE_MISMATCH` when the corpus was begun with another embedder, unless `reembed`
 * says what to do, and `NOT_FOUND` when it is opened read-only and there is none.
 *
 * The words of a corpus in a folder are kept beside it in a verified file, sealed like the corpus, and made again when it
 * is missing or damaged; vectors are read from the corpus itself. So opening again analyses no text.
 *
 * @example
 * ```ts
 * await using ground = await createGroundline({ path: './kb' })
 * await ground.add([{ id: 'keys.md', text: 'Keys are rotated every ninety days.' }])
 * const { passages } = await ground.retrieve('rotate keys')
 * ```
 */
export async function createGroundline<M extends Metadata = Metadata>(
  options: GroundlineOptions<M> = {},
): Promise<Groundline<M>> {
  const { readOnly = false, encryption } = options
  const storage = storageOf(options)
  const embedder = options.embedder ?? (await staticEmbedder({ dimensions: 256 }))
  const keyring =
    encryption &&
    (await openKeyring({
      storage,
      cipher: encryption.cipher ?? nodeCipher(),
      keyProvider: encryption.keyProvider,
      readOnly,
    }))
  const sealer = keyring?.sealer
  const corpus = await openCorpus<M>({ storage, readOnly, ...(sealer && { sealer }) })
  // In memory there is nothing to open again.
  const lasting = options.path !== undefined || options.storage !== undefined
  const files = lasting ? derivedFiles({ storage, sealer }) : undefined
  const served = keyring ? undefined : servedFiles(storage)
  return ready(options, { corpus, files, served, keyring, embedder })
}

/**
 * Retrieval systems of tenants in one folder or storage: each has a corpus, indexes and keys of its own, and
 * `tenant(id)` is the only way to them. A folder that has tenants cannot be opened without naming one.
 *
 * @example
 * ```ts
 * await using ground = await createTenants({ path: './kb' })
 * const acme = await ground.tenant('acme')
 * await acme.add([{ id: 'keys.md', text: 'Keys are rotated every ninety days.' }])
 * ```
 */
export async function createTenants<M extends Metadata = Metadata>(
  options: TenantsOptions<M> = {},
): Promise<GroundlineTenants<M>> {
  const { encryption, ...own } = options
  const { readOnly = false } = options
  const sealing = encryption && { ...encryption, cipher: encryption.cipher ?? nodeCipher() }
  const tenants = await openTenants({ storage: storageOf(options), readOnly, ...(sealing && { encryption: sealing }) })
  const embedder = options.embedder ?? (await staticEmbedder({ dimensions: 256 }))
  const open = new Map<string, Promise<Groundline<M>>>()
  let closed = false

  const start = async (id: string): Promise<Groundline<M>> => {
    const { corpus, storage, keyring } = await tenants.tenant<M>(id)
    const files = derivedFiles({ storage, sealer: keyring?.sealer })
    const served = keyring ? undefined : servedFiles(storage)
    const made = await ready<M>(own, { corpus, files, served, keyring, embedder })
    const close = async () => {
      open.delete(id)
      await made.close()
    }
    return { ...made, close, [Symbol.asyncDispose]: close }
  }
  const closeAll = async () => {
    closed = true
    for (const one of [...open.values()])
      await one.then(
        (tenant) => tenant.close(),
        () => undefined,
      )
  }
  const requireOpen = () => {
    if (closed) throw new GroundlineError('CLOSED', 'these tenants are closed: create them again')
  }

  return {
    tenant: async (id) => {
      requireOpen()
      const known = open.get(id)
      if (known) return known
      const starting = start(id)
      open.set(id, starting)
      starting.catch(() => open.delete(id))
      return starting
    },
    erase: async (id, each) => {
      requireOpen()
      await (await open.get(id))?.close()
      await tenants.erase(id, each)
    },
    restore: async (id, from, each) => {
      requireOpen()
      await (await open.get(id))?.close()
      return tenants.restore(id, from, each)
    },
    close: closeAll,
    [Symbol.asyncDispose]: closeAll,
  }
}

/** The system over an opened corpus, once its vectors are of the embedder's space. */
async function ready<M extends Metadata>(options: GroundlineOptions<M>, opened: Opened<M>): Promise<Groundline<M>> {
  const { corpus, embedder } = opened
  try {
    const { space } = corpus.info()
    if (space !== undefined && !sameSpace(space, embedder)) {
      if (options.reembed !== 'now') throw spaceMismatch(space, embedder)
      await reembedCorpus(corpus, embedder, {})
      await corpus.promote()
    }
    return groundlineOver(options, opened)
  } catch (error) {
    await corpus.close()
    throw error
  }
}

function sameSpace(space: Embedder['space'], embedder: Embedder): boolean {
  return canonicalJson(space) === canonicalJson(embedder.space)
}

function storageOf({ storage, path, readOnly }: Pick<GroundlineOptions, 'storage' | 'path' | 'readOnly'>): Storage {
  if (storage !== undefined && path !== undefined) {
    throw new GroundlineError('INVALID_ARGUMENT', 'give path or storage, not both')
  }
  if (storage) return storage
  return path === undefined ? memoryStorage() : fileStorage(path, { write: readOnly ? 'never' : 'create' })
}
