import type { ServedFiles, ServedVersion, VersionedCorpus } from '../corpus/index.ts'
import type { Metadata } from '../document.ts'
import type { SavedServing, Serving, VectorIndex } from '../vector-index/vector-index.ts'

/** A version as the corpus tells of it. */
export interface AnsweredVersion extends ServedVersion {
  /** The version whose content it took over. */
  readonly origin?: number | undefined
}

/** Remembers what a vector index served each version with, so that going back to a version brings its answers back. */
export interface ServedAnswers<M extends Metadata> {
  /** Remembers what serves a version now. Never throws: what could not be written costs identical answers after a restart. */
  keep(index: VectorIndex<M>, served: ServedVersion): Promise<void>
  /**
   * Lets an index that holds the entries of a version answer as it should: as it did when the version, or the one whose
   * content it took over, was served last. `before` is what the index held until now; undefined for one just made.
   */
  enter(index: VectorIndex<M>, version: AnsweredVersion, before: ServedVersion | undefined): Promise<void>
  /** Forgets what is in memory. */
  forget(): void
  /** Forgets everything, files too. */
  clear(): Promise<void>
}

/** `files` is undefined where nothing is written: then what is remembered lasts as long as the index. */
export function servedAnswers<M extends Metadata>(
  corpus: VersionedCorpus<M>,
  files: ServedFiles | undefined,
): ServedAnswers<M> {
  const remembered = new Map<number, { readonly content: number; readonly serving: Serving }>()
  const written = new Map<number, string>()

  const forget = (): void => {
    remembered.clear()
    written.clear()
  }

  const needed = async (): Promise<Set<number>> => new Set((await corpus.tags()).map(({ version }) => version))

  /** What is remembered of versions nobody can ask for any more costs memory. */
  const prune = ({ version, content }: ServedVersion, kept: ReadonlySet<number>): void => {
    const versions = [...remembered.keys()].sort((a, b) => b - a)
    const other = versions.find((one) => remembered.get(one)!.content !== content)
    for (const one of versions) {
      if (one >= version - 1 || one === other || kept.has(one)) continue
      remembered.delete(one)
    }
    for (const one of written.keys()) if (!remembered.has(one)) written.delete(one)
  }

  const keep = async (index: VectorIndex<M>, served: ServedVersion): Promise<void> => {
    const serving = index.serving?.()
    if (serving === undefined) return
    const { version, content } = served
    remembered.set(version, { content, serving })
    try {
      const kept = await needed()
      prune(served, kept)
      if (files === undefined || corpus.readOnly || serving.file === undefined) return
      const state = new TextDecoder().decode(serving.state())
      if (written.get(version) === state) return
      // Another process may have purged what this graph was made from.
      await corpus.refresh()
      if (version < (corpus.info().purged ?? 0)) return await files.discard(serving.file)
      await files.write(served, serving)
      written.set(version, state)
      await files.collect(served, kept, serving.file)
    } catch {
      // A full disk costs identical answers after the next start, and nothing else.
    }
  }

  /** What a version may be answered with, the best first. */
  async function* candidates({ version, origin, content }: AnsweredVersion): AsyncGenerator<Serving | SavedServing> {
    for (const one of [version, origin]) {
      if (one === undefined) continue
      const known = remembered.get(one)?.serving
      if (known) yield known
      const saved = await files?.read(one)
      if (saved) yield saved
    }
    for (const one of remembered.values()) if (one.content === content) yield one.serving
    const saved = await files?.readContent(content)
    if (saved) yield saved
  }

  return {
    keep,
    enter: async (index, now, before) => {
      if (!index.serve) return
      // Commits are laid over what serves; a tag or a collection changes nothing.
      const goesOn = before !== undefined && (now.origin === undefined || now.origin === before.version)
      if (!goesOn) {
        let isServed = false
        for await (const candidate of candidates(now)) {
          isServed = await index.serve(candidate)
          if (isServed) break
        }
        const isBack = before !== undefined && now.content !== before.content && now.content < before.version
        if (!isServed && isBack) await index.serve(undefined)
      }
      await keep(index, now)
    },
    forget,
    clear: async () => {
      forget()
      await files?.clear()
    },
  }
}
