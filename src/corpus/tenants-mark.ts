import type { AbortOptions } from '../document.ts'
import { GroundlineError, isGroundlineError } from '../errors.ts'
import type { Storage } from './storage.ts'

/** The file that says that a storage has tenants. */
export const TENANTS_MARK = 'tenants.on'

/** Throws `INVALID_ARGUMENT` when a storage has tenants: there is no query without one. */
export async function requireNoTenants(storage: Storage, options: AbortOptions): Promise<void> {
  try {
    await storage.read(TENANTS_MARK, undefined, options)
  } catch (error) {
    if (isGroundlineError(error) && error.code === 'NOT_FOUND') return
    throw error
  }
  throw new GroundlineError(
    'INVALID_ARGUMENT',
    'a tenant is missing: this storage has tenants, open it with openTenants',
  )
}
