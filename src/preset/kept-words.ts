import type { DerivedFiles } from '../corpus/index.ts'
import type { AbortOptions, Metadata } from '../document.ts'
import type { LexicalIndex } from '../lexical-index/lexical-index.ts'
import type { IndexMakers } from './derived-indexes.ts'

/** What is in the indexes of each document. */
export type Known = Map<string, KnownDocument>

/** A document as it was indexed. */
export interface KnownDocument {
  /** Its stored form. */
  readonly stored: string
  /** Ids of its chunks; joined by tabs where they were read from a file, as few are ever asked for. */
  readonly chunkIds: readonly string[] | string
}

/** A lexical index with the documents it is of. */
export interface Words<M extends Metadata> {
  readonly lexicalIndex: LexicalIndex<M>
  /** The documents, decoded when they are first asked for. */
  readonly known: () => Known
  /** What the corpus held that they are of, by {@link CorpusInfo.holds}; undefined where that is not known. */
  readonly holds: string | undefined
  /** Chunks of it that are in additions only. */
  readonly added: number
}

/**
 * The words of a corpus beside it: all of them in one file, and what was added since in files of their own, which cost as
 * much as what is in them. An addition holds whole documents that no other file does, and says which file it adds to; a
 * document that was replaced or removed since then is in none, and whoever opens the files finds that out by its stored form.
 */
export interface KeptWords<M extends Metadata> {
  /** What was kept; empty when nothing was, or it cannot be used. */
  open(options: AbortOptions): Promise<Words<M>>
  /** Notes documents that were added, to be kept by the next `keepAdded`. */
  added(documents: Iterable<readonly [id: string, document: KnownDocument]>): void
  /** Notes a document that was replaced or removed. */
  gone(id: string, document: KnownDocument): void
  /** Keeps all words, unless `purged` says that they must not be. */
  keepAll(
    words: LexicalIndex<M>,
    known: Known,
    holds: string | undefined,
    purged: () => Promise<boolean>,
  ): Promise<void>
  /** Keeps what was added, if that is enough chunks. */
  keepAdded(words: LexicalIndex<M>, enough: number, purged: () => Promise<boolean>): Promise<void>
}

const [KIND, ADDED] = ['words', 'added']

interface Head {
  /** Names a file of all words; absent in additions. */
  readonly id?: string
  /** What the corpus held that a file of all words is of. */
  readonly holds?: string | undefined
  /** The file that an addition adds to; empty for none. */
  readonly to?: string
  /** A line a document. */
  readonly documents: string
}

export function keptWords<M extends Metadata>(makers: IndexMakers<M>, files: DerivedFiles): KeptWords<M> {
  /** The file that additions add to. */
  let base = ''
  let pending: Known = new Map()
  let pendingChunks = 0
  /** Ids of chunks that a file may hold, though their document is another or none by now. */
  let left = new Set<string>()

  const forget = () => {
    pending = new Map()
    pendingChunks = 0
  }

  /** Purged while a file was written: it must not outlive that. */
  const takeBack = async (purged: () => Promise<boolean>) => {
    if (!(await purged())) return
    await files.remove(KIND)
    await files.remove(ADDED)
  }

  const empty = async (): Promise<Words<M>> => ({
    lexicalIndex: await makers.words(undefined),
    ...unknown(),
  })

  return {
    open: async ({ signal }) => {
      base = ''
      left = new Set()
      forget()
      const all = await files.read(KIND, { signal })
      const additions = await files.readAll(ADDED, { signal })
      const { id = '', holds, documents: lines = '' } = (all?.head ?? {}) as Partial<Head>
      let parsed: Known | undefined
      const known = () => {
        parsed ??= parseKnown(lines)
        return parsed
      }
      const bodies = all ? [all.body] : []
      let added = 0
      for (const { head, body } of additions) {
        const { to, documents } = head as Head
        const own = parseKnown(documents)
        // Whatever two processes did at once, a document is in one file only.
        if (to !== id || Array.from(own.keys()).some((document) => known().has(document))) continue
        for (const [document, each] of own) {
          known().set(document, each)
          added += chunkIdsOf(each).length
        }
        bodies.push(body)
      }
      const [first, ...rest] = bodies
      if (first === undefined) return empty()
      try {
        const lexicalIndex = await makers.words(first, rest)
        base = id
        return { lexicalIndex, known, added, holds: rest.length === 0 ? holds : undefined }
      } catch {
        // Of another analyzer or an older form.
        return empty()
      }
    },
    added: (documents) => {
      for (const [id, document] of documents) {
        const chunkIds = chunkIdsOf(document)
        if (chunkIds.some((chunk) => left.has(chunk))) continue
        pending.set(id, document)
        pendingChunks += chunkIds.length
      }
    },
    gone: (id, document) => {
      const chunkIds = chunkIdsOf(document)
      for (const chunk of chunkIds) left.add(chunk)
      if (pending.delete(id)) pendingChunks -= chunkIds.length
    },
    keepAll: async (words, known, holds, purged) => {
      const id = crypto.randomUUID()
      const file = {
        head: { id, holds, documents: formatKnown(known) } satisfies Head,
        body: await makers.save!(words),
      }
      if (await purged()) return
      await files.write(KIND, file)
      base = id
      left = new Set()
      forget()
      await files.remove(ADDED)
      await takeBack(purged)
    },
    keepAdded: async (words, enough, purged) => {
      if (pendingChunks < enough) return
      const head: Head = { to: base, documents: formatKnown(pending) }
      const only = Array.from(pending.values()).flatMap(chunkIdsOf)
      forget()
      const body = await makers.save!(words, only)
      if (await purged()) return
      await files.append(ADDED, { head, body })
      await takeBack(purged)
    },
  }
}

/** Of an index without words. */
export function unknown(): Pick<Words<Metadata>, 'known' | 'holds' | 'added'> {
  const known: Known = new Map()
  return { known: () => known, holds: undefined, added: 0 }
}

/** The ids of a document's chunks. */
export function chunkIdsOf({ chunkIds }: KnownDocument): readonly string[] {
  if (typeof chunkIds !== 'string') return chunkIds
  return chunkIds === '' ? [] : chunkIds.split('\t')
}

/** A line a document: id, stored form and chunk ids, between tabs, which no id holds. */
function formatKnown(known: Known): string {
  const lines: string[] = []
  for (const [id, { stored, chunkIds }] of known)
    lines.push([id, stored, typeof chunkIds === 'string' ? chunkIds : chunkIds.join('\t')].join('\t'))
  return lines.join('\n')
}

function parseKnown(lines: string): Known {
  const known: Known = new Map()
  for (const line of lines.split('\n')) {
    const first = line.indexOf('\t')
    const second = line.indexOf('\t', first + 1)
    if (first < 0 || second < 0) continue
    known.set(line.slice(0, first), { stored: line.slice(first + 1, second), chunkIds: line.slice(second + 1) })
  }
  return known
}
