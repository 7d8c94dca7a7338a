import { contentHash } from './hash.ts'

interface Versioned {
  readonly text: string
  readonly version: string
}

const versions = new WeakMap<object, Versioned>()

/**
 * The content hash of a document's text, remembered with the object: chunkers and corpora ask for it in turn. An object
 * whose text was changed since is hashed again.
 */
export function textVersion(document: { readonly text: string }): string {
  const { text } = document
  const known = versions.get(document)
  if (known?.text === text) return known.version
  const version = contentHash(text)
  versions.set(document, { text, version })
  return version
}
