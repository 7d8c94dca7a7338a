import { GroundlineError } from '../errors.ts'
import type { Filter } from '../filter.ts'

/**
 * The filter that lets a reader see what access lists allow: chunks whose metadata has, at `path`, a list that holds one
 * of the reader's principals (user, groups, roles). Evaluated inside the search like any filter. Chunks without a list are
 * seen by nobody. Taking a principal out of a document's list holds from the next query on.
 *
 * Throws `INVALID_ARGUMENT` without principals: a reader nobody knows has no query.
 *
 * @example
 * ```ts
 * import { accessFilter } from 'groundline/corpus'
 *
 * const filter = accessFilter(['user:ann', 'group:legal'])
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function accessFilter(principals: readonly string[], path: readonly string[] = ['access']): Filter {
  if (principals.length === 0 || principals.some((principal) => typeof principal !== 'string' || principal === '')) {
    throw new GroundlineError('INVALID_ARGUMENT', 'principals must be at least one string, none of them empty')
  }
  return { op: 'or', filters: principals.map((value) => ({ op: 'contains', path, value })) }
}
