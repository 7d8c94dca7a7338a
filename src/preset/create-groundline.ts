import { type Chunker, markdownChunker } from '../chunker/index.ts'
import { type CorpusChange, memoryStorage, openCorpus, syncCorpus } from '../corpus/index.ts'
import type { Storage } from '../corpus/storage.ts'
import type { Metadata } from '../document.ts'
import { type Embedder, staticEmbedder } from '../embedder/index.ts'
import { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import { canonicalJson } from '../internal/hash.ts'
import { answer } from '../language-model/index.ts'
import { lexicalIndex } from '../lexical-index/index.ts'
import { markdownLoader, textLoader } from '../loader/index.ts'
import { fileStorage } from '../node/index.ts'
import { type PromptAssembler, promptAssembler } from '../prompt-assembler/index.ts'
import {
  denseRetriever,
  hybridRetriever,
  lexicalRetriever,
  type Retrieval,
  type Retriever,
} from '../retriever/index.ts'
import { exactCounter } from '../tokenizer/index.ts'
import { o200kBase } from '../tokenizer/o200k-base.ts'
import { defaultVectorIndex } from './default-vector-index.ts'
import { derivedIndexes, type IndexPair } from './derived-indexes.ts'
import type { Groundline, GroundlineInfo, GroundlineOptions, QuestionOptions } from './groundline.ts'
import { chunkEmbedder, entriesOf, loadFile } from './intake.ts'

/** How to cite is said by the assembler, beside the sources. */
const INSTRUCTIONS = 'Answer the question from the numbered sources. If they do not answer it, say so.'

/**
 * A whole retrieval system with embedded defaults: no key, no download, no server. Every part can be replaced by an
 * option; nothing is global. Throws `SPACE_MISMATCH` when the corpus was begun with another embedder.
 *
 * @example
 * ```ts
 * await using ground = await createGroundline({ path: './kb' })
 * await ground.add([{ id: 'keys.md', text: 'Keys are rotated every ninety days.' }])
 * const { passages } = await ground.retrieve('rotate keys')
 * ```
 */
export async function createGroundline<M extends Metadata = Metadata>(
  options: GroundlineOptions<M> = {},
): Promise<Groundline<M>> {
  const { readOnly = false, topK = 8, contextWindow = 8192, outputReserve = 1024, denseWeight = 0.5 } = options
  requireInteger('topK', topK, 1, 10_000)
  const tokenizer = options.tokenizer ?? o200kBase()
  const chunker: Chunker = options.chunker ?? markdownChunker({ maxTokens: 256, counter: tokenizer })
  const loaders = options.loaders ?? [markdownLoader(), textLoader()]
  const embedder = options.embedder ?? (await staticEmbedder({ dimensions: 256 }))
  const intake = { loaders, chunker, embedder }
  const instructions = options.instructions ?? INSTRUCTIONS
  const assembler: PromptAssembler =
    options.assembler ?? promptAssembler({ counter: exactCounter(tokenizer), contextWindow, outputReserve })

  const corpus = await openCorpus<M>({ storage: storageOf(options), readOnly })
  const { space } = corpus.info()
  if (space !== undefined && canonicalJson(space) !== canonicalJson(embedder.space)) {
    await corpus.close()
    throw new GroundlineError(
      'SPACE_MISMATCH',
      `the corpus holds vectors of ${space.model} (${space.dimensions} dimensions), but the embedder is ${embedder.space.model} (${embedder.dimensions}): open it with the embedder it was begun with, or begin a new corpus`,
      { details: { expected: space, actual: embedder.space } },
    )
  }

  let served: GroundlineInfo['vectorIndex']
  const notes: string[] = []
  const indexes = derivedIndexes(corpus, async (): Promise<IndexPair<M>> => {
    const words = await (options.lexicalIndex?.() ?? lexicalIndex<M>())
    if (options.vectorIndex) {
      served = 'custom'
      return { vectorIndex: await options.vectorIndex(embedder.space), lexicalIndex: words }
    }
    const made = await defaultVectorIndex<M>(embedder.space)
    served = made.kind
    notes.splice(0, notes.length, ...(made.note ? [made.note] : []))
    return { vectorIndex: made.index, lexicalIndex: words }
  })

  let retrieverOf: { readonly pair: IndexPair<M>; readonly retriever: Retriever<M> } | undefined
  const currentRetriever = async (signal: AbortSignal | undefined): Promise<Retriever<M>> => {
    const pair = await indexes.current({ signal })
    if (retrieverOf?.pair !== pair) {
      const parts = { ...pair, embedder, store: corpus }
      retrieverOf = { pair, retriever: options.retriever?.(parts) ?? defaultRetriever(parts, denseWeight) }
    }
    return retrieverOf.retriever
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
  const commit = async (change: CorpusChange<M>, signal: AbortSignal | undefined) => {
    const done = await corpus.commit(change, { signal })
    await indexes.follow(done, change)
    return done
  }

  const retrieve = async (query: string, each: QuestionOptions<M> = {}): Promise<Retrieval<M>> => {
    requireOpen()
    const { signal, session } = each
    const filter = each.filter ?? session?.settings.filter
    const wanted = each.topK ?? session?.settings.topK ?? topK
    const found = await (await currentRetriever(signal)).retrieve(query, { topK: wanted, filter, signal })
    if (!options.reranker) return found
    const passages = await options.reranker.rerank(query, found.passages, { topK: wanted, signal })
    const stages = [...found.explanation.stages, { stage: 'rerank', candidates: found.passages.length }]
    return { passages, explanation: { stages } }
  }

  const assemble = async (question: string, each: QuestionOptions<M> = {}) => {
    const { passages } = await retrieve(question, each)
    const { session } = each
    return assembler.assemble({
      instructions: session?.settings.instructions ?? instructions,
      history: session?.history ?? [],
      ...(session && { historyFrom: session.historyFrom }),
      passages,
      question,
    })
  }

  const close = async () => {
    if (closed) return
    await tail
    closed = true
    await indexes.close()
    await corpus.close()
  }

  return {
    sync: (source, { signal, onProgress } = {}) =>
      inTurn(() =>
        syncCorpus({
          corpus,
          source,
          load: (input, each) => loadFile(intake, input, each),
          chunker,
          embed: chunkEmbedder(intake),
          space: embedder.space,
          pipeline: loaders.map(({ id }) => id).join(' '),
          onCommit: (done, change) => indexes.follow(done, change),
          onProgress,
          signal,
        }),
      ),
    add: (documents, { signal } = {}) =>
      inTurn(async () => {
        const put = await entriesOf(intake, documents, { signal })
        return commit({ put, space: embedder.space }, signal)
      }),
    remove: (ids, { signal } = {}) => inTurn(() => commit({ remove: ids }, signal)),
    get: async (id, each) => {
      requireOpen()
      return corpus.document(id, each)
    },
    list: (each) => {
      requireOpen()
      return corpus.documents(each)
    },
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
      return {
        version,
        documents,
        chunks,
        tokenizer: tokenizer.id,
        chunker: chunker.id,
        space: embedder.space,
        ...(served && { vectorIndex: served }),
        notes: [...notes, ...damage.map(({ file, message }) => `${file}: ${message}`)],
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function storageOf({ storage, path, readOnly }: Pick<GroundlineOptions, 'storage' | 'path' | 'readOnly'>): Storage {
  if (storage !== undefined && path !== undefined) {
    throw new GroundlineError('INVALID_ARGUMENT', 'give path or storage, not both')
  }
  if (storage) return storage
  return path === undefined ? memoryStorage() : fileStorage(path, { write: readOnly ? 'never' : 'create' })
}

/** BM25 and the vectors together. */
function defaultRetriever<M extends Metadata>(
  parts: IndexPair<M> & { embedder: Embedder; store: Parameters<typeof lexicalRetriever<M>>[0]['store'] },
  denseWeight: number,
): Retriever<M> {
  const { vectorIndex, lexicalIndex: words, embedder, store } = parts
  return hybridRetriever({
    dense: denseRetriever({ index: vectorIndex, embedder, store }),
    lexical: lexicalRetriever({ index: words, store }),
    weights: { lexical: 1, dense: denseWeight },
  })
}
