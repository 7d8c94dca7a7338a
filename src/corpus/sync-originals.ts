import type { Metadata } from '../document.ts'
import type { Corpus } from './corpus.ts'
import type { DuplicateOptions } from './sync-options.ts'

/** Which document of a sync another one duplicates. Documents that are no longer there are originals of nothing. */
export interface Originals {
  /** Says that a document stays as it is stored. Its text is read when something is compared with it, and not before. */
  stays(id: string): void
  /** The document that a text says nearly the same as; undefined makes it an original itself. */
  of(id: string, text: string): Promise<string | undefined>
}

/** The originals of one sync: what it has taken in and what stays, in the order they were seen. */
export function originalsIn<M extends Metadata>(corpus: Corpus<M>, { finder }: DuplicateOptions): Originals {
  const staying: string[] = []
  const known = new Set<string>()

  const add = (id: string, text: string): string | undefined => {
    const found = finder.add(id, text)
    // A finder that has served an earlier sync may name what went since.
    if (found !== undefined && found !== id && known.has(found)) return found
    known.add(id)
    return undefined
  }

  return {
    stays: (id) => {
      // One without chunks was stored as a duplicate, or says nothing.
      if ((corpus.record(id)?.chunkIds.length ?? 0) > 0) staying.push(id)
    },
    of: async (id, text) => {
      for (const stored of staying.splice(0)) {
        // Chunks are read where damage is reported instead of thrown; a damaged document is compared with nothing.
        const [chunk] = await corpus.get(corpus.record(stored)?.chunkIds.slice(0, 1) ?? [])
        const document = chunk && (await corpus.document(stored))
        if (document) add(stored, document.text)
      }
      return add(id, text)
    },
  }
}
