import type { Document } from '../document.ts'
import { textVersion } from '../internal/text-version.ts'

/**
 * The version of a document: a content hash of its text, which every chunk carries as `documentVersion`.
 *
 * @example
 * ```ts
 * documentVersion({ id: 'a', text: 'Hello' }) === documentVersion({ id: 'b', text: 'Hello' })
 * ```
 */
export function documentVersion(document: Pick<Document, 'text'>): string {
  return textVersion(document)
}
