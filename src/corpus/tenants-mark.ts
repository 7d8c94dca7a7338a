import type { AbortOptions } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import type { Storage } from './storage.ts'

const MARK = 'tenants.on'
const FORMAT = 1

/** Says durably that a storage has tenants. Throws `UNSUPPORTED_FORMAT` when a newer version said so. */
export async function markTenants(storage: Storage, options: AbortOptions): Promise<void> {
  try {
    await storage.publish(MARK, new TextEncoder().encode(`groundline tenants ${FORMAT}\n`), options)
  } catch (error) {
    if (!isGroundlineError(error) || error.code !== 'ALREADY_EXISTS') throw error
    await requireKnownMark(storage, options)
  }
}

/** Throws `UNSUPPORTED_FORMAT` when a newer version marked the storage. A mark that is damaged is one all the same. */
export async function requireKnownMark(storage: Storage, options: AbortOptions): Promise<void> {
  const mark = await readMark(storage, options)
  const format = Number(/^groundline tenants (\d+)\n$/.exec(mark ?? '')?.[1] ?? FORMAT)
  if (format <= FORMAT) return
  throw new GroundlineError(
    'UNSUPPORTED_FORMAT',
    `${MARK} has format ${format}; this version reads formats up to ${FORMAT}: update groundline`,
    { details: { file: MARK, expected: FORMAT, actual: format } },
  )
}

/** Throws `INVALID_ARGUMENT` when a storage has tenants: there is no query without one. */
export async function requireNoTenants(storage: Storage, options: AbortOptions): Promise<void> {
  if ((await readMark(storage, options)) === undefined) return
  throw new GroundlineError(
    'INVALID_ARGUMENT',
    'a tenant is missing: this storage has tenants, open it with openTenants',
  )
}

async function readMark(storage: Storage, options: AbortOptions): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await storage.read(MARK, undefined, options))
  } catch (error) {
    if (isGroundlineError(error) && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
