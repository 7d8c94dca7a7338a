import type { Chunker } from '../chunker/chunker.ts'
import type { DocumentEntry } from '../corpus/corpus.ts'
import type { EmbedChunks } from '../corpus/index.ts'
import type { AbortOptions, Document, Metadata } from '../document.ts'
import type { Embedder } from '../embedder/embedder.ts'
import { embedAll } from '../embedder/index.ts'
import { GroundlineError } from '../errors.ts'
import { describe, invalidArgument, requireObject } from '../internal/argument.ts'
import { loaderFor } from '../loader/index.ts'
import type { Loader, LoaderInput } from '../loader/loader.ts'
import type { StoredChunk } from '../retriever/retriever.ts'

/** What turns files into entries of a corpus. */
export interface Intake {
  readonly loaders: readonly Loader[]
  readonly chunker: Chunker
  readonly embedder: Embedder
}

/** Loads a file with the loader for its kind. */
export async function loadFile<M extends Metadata>(
  { loaders }: Intake,
  input: LoaderInput<M>,
  options: AbortOptions,
): Promise<Document<M>> {
  const loader = loaderFor(input, loaders)
  if (loader) return loader.load(input, options)
  const known = loaders.flatMap(({ extensions }) => extensions).join(', ')
  throw new GroundlineError(
    'UNSUPPORTED_FORMAT',
    `no loader reads ${describe(input.uri ?? input.id)}: pass one in loaders (there are loaders for ${known})`,
    { details: { id: input.id } },
  )
}

/** One vector a chunk, or the error that kept it from one. */
export function chunkEmbedder<M extends Metadata>({ embedder }: Pick<Intake, 'embedder'>): EmbedChunks<M> {
  return async (chunks, { signal }) => {
    const { vectors, failures } = await embedAll(embedder, chunks.map(embeddingText), { role: 'document', signal })
    const errors = new Map(failures.map(({ index, error }) => [index, error]))
    return vectors.map((vector, at) => vector ?? errors.get(at)!)
  }
}

/** Documents with their chunks and vectors, all or none: throws the first error. */
export async function entriesOf<M extends Metadata>(
  intake: Intake,
  documents: Iterable<Document<M>> | AsyncIterable<Document<M>>,
  { signal }: AbortOptions,
): Promise<DocumentEntry<M>[]> {
  const pending: { document: Document<M>; chunks: StoredChunk<M>[] }[] = []
  const isIterable = Symbol.iterator in Object(documents) || Symbol.asyncIterator in Object(documents)
  if (!isIterable) throw invalidArgument('documents', 'a list of documents', documents)
  for await (const document of documents) {
    signal?.throwIfAborted()
    requireObject('document', document, 'a document')
    const { uri, title } = document
    const source = { ...(uri !== undefined && { uri }), ...(title !== undefined && { title }) }
    const chunks: StoredChunk<M>[] = []
    for await (const chunk of intake.chunker.chunk(document, { signal })) chunks.push({ ...chunk, source })
    pending.push({ document, chunks })
  }
  const embedded = await chunkEmbedder<M>(intake)(
    pending.flatMap(({ chunks }) => chunks),
    { signal },
  )
  let taken = 0
  return pending.map(({ document, chunks }) => {
    const vectors = embedded.slice(taken, taken + chunks.length).map((vector) => {
      if (vector instanceof Error) throw vector
      return vector
    })
    taken += chunks.length
    return { document, chunks, vectors }
  })
}

/** A chunk as the embedder reads it: under its title and headings, which say what it is about. */
export function embeddingText({ source, headingPath = [], text }: StoredChunk): string {
  const place = [...(source?.title === undefined ? [] : [source.title]), ...headingPath]
  return place.length === 0 ? text : `${place.join(' › ')}\n${text}`
}
