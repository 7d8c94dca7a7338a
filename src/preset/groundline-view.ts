import type { DocumentRecord } from '../corpus/corpus.ts'
import type { Metadata, Passage } from '../document.ts'
import { compileFilter, type Filter } from '../filter.ts'
import type { Prompt } from '../prompt-assembler/prompt-assembler.ts'
import type { Retrieval } from '../retriever/retriever.ts'
import type { GroundlineView, QuestionOptions, ReaderOptions } from './groundline.ts'
import type { AnswerOfOneVersion } from './one-version.ts'
import type { VersionView } from './version-view.ts'

/** What a view has from the system it is a view of. */
export interface ViewParts<M extends Metadata> {
  /** Answers a question from indexes. */
  answerFrom(from: AnswerOfOneVersion<M>, query: string, options: QuestionOptions<M>): Promise<Retrieval<M>>
  /** Puts a prompt together. */
  promptOf(question: string, passages: readonly Passage<M>[], options: QuestionOptions<M>): Prompt
  /** What the access lists allow; undefined for everything. */
  readersOf(principals: readonly string[] | undefined): Filter<M> | undefined
  onClose(): void
}

/** The face of a version: what was, to readers who may still see it. */
export function groundlineView<M extends Metadata>(view: VersionView<M>, parts: ViewParts<M>): GroundlineView<M> {
  const { corpus, requireOpen } = view

  const retrieve = async (query: string, each: QuestionOptions<M> = {}): Promise<Retrieval<M>> => {
    const { signal, principals } = each
    await requireOpen({ signal })
    const readers = parts.readersOf(principals) === undefined ? 'none' : 'named'
    const found = await parts.answerFrom((work, own) => view.answer(readers, work, own), query, each)
    // A purge takes away what was read.
    await requireOpen({ signal })
    return found
  }

  /** What a reader may see of documents: what was given then, and is now. */
  const visibleTo = (principals: readonly string[] | undefined): ((id: string, metadata: Metadata) => boolean) => {
    const filter = parts.readersOf(principals)
    if (filter === undefined) return () => true
    const isVisible = compileFilter(filter as Filter)
    return (id, metadata) => isVisible(metadata) && view.isGiven(id, isVisible)
  }

  const list = async function* ({ principals, ...each }: ReaderOptions = {}): AsyncGenerator<DocumentRecord<M>> {
    await requireOpen(each)
    const isVisible = visibleTo(principals)
    for await (const record of corpus.documents(each)) if (isVisible(record.id, record.metadata)) yield record
  }

  const close = async (): Promise<void> => {
    await view.close()
    parts.onClose()
  }

  return {
    version: corpus.info().version,
    retrieve,
    assemble: async (question, each = {}) => {
      const { passages } = await retrieve(question, each)
      return parts.promptOf(question, passages, each)
    },
    get: async (id, { principals, ...each } = {}) => {
      await requireOpen(each)
      const isVisible = visibleTo(principals)
      const document = await corpus.document(id, each)
      return document && isVisible(id, document.metadata ?? {}) ? document : undefined
    },
    list,
    close,
    [Symbol.asyncDispose]: close,
  }
}
