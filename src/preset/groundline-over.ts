import { type Chunker, markdownChunker } from '../chunker/index.ts'
import type { Source } from '../corpus/corpus.ts'
import {
  accessFilter,
  type Commit,
  type CorpusChange,
  type DerivedFiles,
  type DocumentRecord,
  type Keyring,
  planSync,
  type ServedFiles,
  type SyncOptions,
  syncCorpus,
  type VersionedCorpus,
} from '../corpus/index.ts'
import type { AbortOptions, Metadata, Passage } from '../document.ts'
import type { Embedder, EmbeddingSpace } from '../embedder/index.ts'
import { GroundlineError } from '../errors.ts'
import { compileFilter, type Filter } from '../filter.ts'
import { requireInteger } from '../internal/argument.ts'
import { canonicalJson } from '../internal/hash.ts'
import { answer } from '../language-model/index.ts'
import { type Bm25Index, lexicalIndex, openLexicalIndex } from '../lexical-index/index.ts'
import { markdownLoader, textLoader } from '../loader/index.ts'
import { type PromptAssembler, promptAssembler, promptCaching } from '../prompt-assembler/index.ts'
import type { Retrieval, Retriever, StoredChunk } from '../retriever/index.ts'
import { exactCounter } from '../tokenizer/index.ts'
import { type Asked, defaultRetriever, embeddedOnce } from './default-retriever.ts'
import { defaultTokenizer } from './default-tokenizer.ts'
import { defaultVectorIndex, type GraphPlace } from './default-vector-index.ts'
import { derivedIndexes, type IndexMakers } from './derived-indexes.ts'
import type {
  Groundline,
  GroundlineInfo,
  GroundlineOptions,
  GroundlineSyncOptions,
  GroundlineView,
  QuestionOptions,
} from './groundline.ts'
import { groundlineView } from './groundline-view.ts'
import type { IndexPair } from './index-pair.ts'
import { chunkEmbedder, embeddingText, entriesOf, type Intake, loadFile } from './intake.ts'
import type { AnswerOfOneVersion, AnswerParts } from './one-version.ts'
import { compareWithCandidate, reembedCorpus, spaceMismatch } from './reembed-corpus.ts'
import { servedAnswers } from './served-answers.ts'
import { type VersionView, versionView } from './version-view.ts'

/** How to cite is said by the assembler, beside the sources. */
const INSTRUCTIONS = 'Answer the question from the numbered sources. If they do not answer it, say so.'

/** What the object is made over. */
export interface Opened<M extends Metadata> {
  readonly corpus: VersionedCorpus<M>
  /** Where derived files go; absent for a corpus in memory. */
  readonly files: DerivedFiles | undefined
  /** Where index files of versions go; absent with a key, and where this machine has no files. */
  readonly served: ServedFiles | undefined
  /** How graphs are made, where not as by default. */
  readonly graphs?: GraphPlace['graphs']
  readonly keyring: Keyring | undefined
  readonly embedder: Embedder
}

/** The system over an opened corpus. */
export function groundlineOver<M extends Metadata>(options: GroundlineOptions<M>, opened: Opened<M>): Groundline<M> {
  const { topK = 8, contextWindow = 8192, outputReserve = 1024, denseWeight = 0.3, access = 'open' } = options
  requireInteger('topK', topK, 1, 10_000)
  const tokenizer = options.tokenizer ?? defaultTokenizer()
  const chunker: Chunker = options.chunker ?? markdownChunker({ maxTokens: 256, counter: tokenizer })
  const loaders = options.loaders ?? [markdownLoader(), textLoader()]
  const { corpus, files, keyring } = opened
  // With a key nothing of a graph is written; an index of somebody else's keeps its files where they say.
  const served = options.vectorIndex ? undefined : opened.served
  const embedders = new Map([[canonicalJson(opened.embedder.space), opened.embedder]])
  /** The embedder of a space of the corpus: after a promotion another than before, after a rollback the one before. */
  const embedderOf = (space: EmbeddingSpace | undefined): Embedder => {
    const found = space === undefined ? opened.embedder : embedders.get(canonicalJson(space))
    if (found) return found
    throw spaceMismatch(space!, opened.embedder)
  }
  const intake = (): Intake => ({ loaders, chunker, embedder: embedderOf(corpus.info().space) })
  const instructions = options.instructions ?? INSTRUCTIONS
  const assembler: PromptAssembler =
    options.assembler ??
    promptAssembler({ counter: exactCounter(tokenizer), contextWindow, outputReserve, cache: promptCaching() })

  let kind: GroundlineInfo['vectorIndex']
  const notes: string[] = []
  const answers = servedAnswers<M>(corpus, served)
  const indexes = derivedIndexes(corpus, makersOf(), files, answers)

  /** `fixed`: of a version that stays as it is, beside the corpus's own; no graph is built for it. */
  function makersOf(use: 'own' | 'fixed' = 'own'): IndexMakers<M> {
    const vectors: IndexMakers<M>['vectors'] = async (onServing, of) => {
      const { space } = embedderOf(of)
      if (options.vectorIndex) {
        if (use === 'own') kind = 'custom'
        return options.vectorIndex(space)
      }
      const made = await defaultVectorIndex<M>(space, {
        encrypted: keyring !== undefined,
        folder: served?.folder,
        readOnly: corpus.readOnly || use === 'fixed',
        graphs: use === 'own' ? opened.graphs : { ...opened.graphs, exactBelow: Number.MAX_SAFE_INTEGER },
        onServing,
      })
      if (use === 'fixed') return made.index
      kind = made.kind
      notes.splice(0, notes.length, ...(made.note ? [made.note] : []))
      return made.index
    }
    const { lexicalIndex: custom } = options
    if (custom) return { vectors, words: async () => custom() }
    const saved = { integrity: 'caller' } as const
    const words = async (bytes: Uint8Array | undefined, additions: readonly Uint8Array[] = []) =>
      bytes ? openLexicalIndex<M>(bytes, { ...saved, additions }) : lexicalIndex<M>()
    return { vectors, words, save: async (index, only) => (index as Bm25Index<M>).save({ ...saved, only }) }
  }

  let madeOf: { readonly pair: IndexPair<M>; readonly retriever: Retriever<M> | undefined } | undefined
  /** The retriever over the parts. One that the caller makes is made once for each pair. */
  const retrieverOver = ({ pair, space, store }: AnswerParts<M>, asked: Asked): Retriever<M> => {
    const { vectorIndex, lexicalIndex } = pair
    const embedder = embedderOf(space)
    const own = () => options.retriever?.({ vectorIndex, lexicalIndex, embedder, store })
    const isShared = store === corpus
    if (isShared && madeOf?.pair !== pair) {
      madeOf = { pair, retriever: own() }
      // What had to be indexed again is kept at once, so that a second crash costs less than the first.
      if (!corpus.readOnly) void indexes.keep('bounded')
    }
    const made = isShared ? madeOf!.retriever : own()
    return made ?? defaultRetriever({ vectorIndex, lexicalIndex, embedder: asked(embedder), store }, denseWeight)
  }

  let closed = false
  const requireOpen = () => {
    if (closed) throw new GroundlineError('CLOSED', 'this groundline is closed: create it again')
  }
  /** Writes run one after the other, so that the indexes follow the commits in their order. */
  let tail: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(() => {
      requireOpen()
      return work()
    })
    tail = result.catch(() => undefined)
    return result
  }
  const followed = async (done: Commit, change: CorpusChange<M>) => {
    await indexes.follow(done, change)
    await indexes.keep('bounded')
  }
  const commit = async (change: CorpusChange<M>, signal: AbortSignal | undefined) => {
    const done = await corpus.commit(change, { signal })
    await followed(done, change)
    return done
  }

  const syncOptions = (
    own: Intake,
    source: Source<M>,
    { pipeline, ...each }: GroundlineSyncOptions<M>,
  ): SyncOptions<M> => ({
    ...each,
    corpus,
    source,
    load: (input, options) => loadFile(own, input, options),
    chunker,
    embed: chunkEmbedder(own),
    space: own.embedder.space,
    pipeline: [...loaders.map(({ id }) => id), ...(pipeline === undefined ? [] : [pipeline])].join(' '),
  })

  /** What the filter and the access lists allow together. */
  const allowed = (filter: Filter<M> | undefined, principals: readonly string[] | undefined) => {
    if (principals === undefined && access === 'open') return filter
    const listed = accessFilter(principals ?? []) as Filter<M>
    return filter === undefined ? listed : ({ op: 'and', filters: [filter, listed] } as Filter<M>)
  }

  /** What a reader may see of documents; everything when nobody is named and access is open. */
  const visibleTo = (principals: readonly string[] | undefined): ((metadata: Metadata) => boolean) => {
    const filter = allowed(undefined, principals)
    return filter === undefined ? () => true : compileFilter(filter as Filter)
  }

  const answerFrom = async (from: AnswerOfOneVersion<M>, query: string, each: QuestionOptions<M>) => {
    const { signal, session } = each
    const filter = allowed(each.filter ?? session?.settings.filter, each.principals)
    const wanted = each.topK ?? session?.settings.topK ?? topK
    const asked = embeddedOnce()
    const found = await from((parts) => retrieverOver(parts, asked).retrieve(query, { topK: wanted, filter, signal }), {
      signal,
    })
    if (!options.reranker) return found
    const passages = await options.reranker.rerank(query, found.passages, { topK: wanted, signal })
    const stages = [...found.explanation.stages, { stage: 'rerank', candidates: found.passages.length }]
    return { passages, explanation: { stages } }
  }

  const retrieve = async (query: string, each: QuestionOptions<M> = {}): Promise<Retrieval<M>> => {
    requireOpen()
    // What other processes committed shows in the next question: a reader taken off an access list, above all.
    await corpus.refresh({ signal: each.signal })
    return answerFrom(indexes.answer, query, each)
  }

  const promptOf = (question: string, passages: readonly Passage<M>[], { session }: QuestionOptions<M>) =>
    assembler.assemble({
      instructions: session?.settings.instructions ?? instructions,
      history: session?.history ?? [],
      ...(session && { historyFrom: session.historyFrom }),
      passages,
      question,
    })

  const assemble = async (question: string, each: QuestionOptions<M> = {}) => {
    const { passages } = await retrieve(question, each)
    return promptOf(question, passages, each)
  }

  const views = new Set<VersionView<M>>()
  const at = async (version: number | string, each: AbortOptions = {}): Promise<GroundlineView<M>> => {
    requireOpen()
    const view = await versionView(corpus, version, makersOf('fixed'), files, served, each)
    views.add(view)
    return groundlineView(view, {
      answerFrom,
      promptOf,
      readersOf: (principals) => allowed(undefined, principals),
      onClose: () => views.delete(view),
    })
  }

  const close = async () => {
    if (closed) return
    await tail
    closed = true
    for (const view of views) await view.close()
    if (!corpus.readOnly) await indexes.keep('always')
    await indexes.close()
    await corpus.close()
  }

  return {
    corpus: {
      ...corpus,
      // What was purged must not live on in an index that is written to a file later.
      purge: async (each) => {
        // A graph that is being built would be written after the others were removed.
        await indexes.forget()
        const report = await corpus.purge(each)
        await indexes.forget()
        await answers.clear()
        return report
      },
    },
    ...(keyring && { keyring }),
    plan: async (source, { pricePerMillion, ...each } = {}) => {
      requireOpen()
      const countTokens = (text: string) => tokenizer.count(text)
      return planSync({ ...syncOptions(intake(), source, each), countTokens, pricePerMillion })
    },
    sync: (source, { plan, onProgress, ...each } = {}) =>
      inTurn(async () => {
        const { signal } = each
        // A corpus that begins is indexed as it grows; one that exists is caught up with by the next question.
        if (corpus.info().version === 0) await indexes.current({ signal })
        const options = syncOptions(intake(), source, each)
        const report = await syncCorpus({ ...options, plan, onCommit: followed, onProgress })
        await indexes.keep('much')
        return report
      }),
    add: (documents, { signal, expires } = {}) =>
      inTurn(async () => {
        const own = intake()
        const put = (await entriesOf(own, documents, { signal })).map((entry) => ({ ...entry, expires }))
        return commit({ put, space: own.embedder.space }, signal)
      }),
    planReembed: async ({ embedder, pricePerMillion, signal }) => {
      requireOpen()
      await corpus.refresh({ signal })
      const countTokens = (chunk: StoredChunk<M>) => tokenizer.count(embeddingText(chunk))
      return corpus.planReembed(embedder.space, { countTokens, pricePerMillion, signal })
    },
    // Not in turn: it may take hours, and what is written meanwhile is embedded in its turn.
    reembed: async ({ embedder, onProgress, throttle, signal }) => {
      requireOpen()
      await reembedCorpus(corpus, embedder, { onProgress, throttle, signal })
      embedders.set(canonicalJson(embedder.space), embedder)
    },
    compare: async ({ embedder, ...each }) => {
      requireOpen()
      await corpus.refresh(each)
      const current = embedderOf(corpus.info().space)
      return compareWithCandidate(corpus, { current, candidate: embedder }, each)
    },
    promote: (each) => inTurn(() => corpus.promote(each)),
    remove: (ids, { signal } = {}) => inTurn(() => commit({ remove: ids }, signal)),
    get: async (id, each = {}) => {
      requireOpen()
      const isVisible = visibleTo(each.principals)
      await corpus.refresh(each)
      const document = await corpus.document(id, each)
      return document && isVisible(document.metadata ?? {}) ? document : undefined
    },
    list: (each = {}) => {
      requireOpen()
      return visible(corpus, visibleTo(each.principals), each)
    },
    at,
    retrieve,
    assemble,
    async *ask(question, each = {}) {
      const model = each.model ?? options.model
      if (!model) {
        throw new GroundlineError('INVALID_ARGUMENT', 'ask needs a model: pass one to createGroundline or to ask')
      }
      const prompt = await assemble(question, each)
      const { maxOutputTokens = outputReserve, signal, session } = each
      for await (const event of answer(model, prompt, { maxOutputTokens, signal })) {
        if (event.type === 'done') {
          session?.append({ role: 'user', content: question }, { role: 'assistant', content: event.answer.text })
          session?.cut(prompt.historyFrom)
        }
        yield event
      }
    },
    info: () => {
      requireOpen()
      const { version, documents, chunks, damage } = corpus.info()
      const found = new Map(
        [...damage, ...indexes.damage()].map(({ file, offset, message }) => [
          `${file}:${offset}`,
          `${file}: ${message}`,
        ]),
      )
      return {
        version,
        documents,
        chunks,
        tokenizer: tokenizer.id,
        chunker: chunker.id,
        space: corpus.info().space ?? opened.embedder.space,
        ...(kind && { vectorIndex: kind }),
        notes: [...notes, ...found.values()],
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function* visible<M extends Metadata>(
  corpus: VersionedCorpus<M>,
  isVisible: (metadata: Metadata) => boolean,
  { signal }: AbortOptions,
): AsyncGenerator<DocumentRecord<M>> {
  await corpus.refresh({ signal })
  for await (const record of corpus.documents({ signal })) if (isVisible(record.metadata)) yield record
}
