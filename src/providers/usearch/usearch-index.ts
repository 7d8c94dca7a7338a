import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AbortOptions, Metadata } from '../../document.ts'
import type { EmbeddingSpace } from '../../embedder/embedder.ts'
import { GroundlineError, isGroundlineError } from '../../errors.ts'
import { parseFilter } from '../../filter.ts'
import {
  invalidArgument,
  requireArray,
  requireIdList,
  requireInteger,
  requireNumber,
  requireObject,
  requireOneOf,
} from '../../internal/argument.ts'
import { requireSearchOptions, requireVectorSpace } from '../../internal/vector-arguments.ts'
import { VectorTable } from '../../internal/vector-table.ts'
import type { SavedServing, Serving, VectorEntry, VectorIndex, VectorMetric } from '../../vector-index/vector-index.ts'
import { GraphKeeper } from './graph-keeper.ts'
import { type GraphServing, openServing } from './graph-serving.ts'
import { type GraphQuantization, type GraphSettings, loadNative } from './native-graph.ts'
import { searchResident } from './resident-search.ts'
import { RowFile } from './row-file.ts'
import { searchTable } from './search-table.ts'
import { openSnapshot, saveSnapshot } from './snapshot.ts'

/** Options of {@link usearchIndex}. */
export interface UsearchIndexOptions {
  /** Length of every vector: an integer from 1 to 65,536. */
  readonly dimensions: number
  /** How vectors are compared. Default `cosine`. */
  readonly metric?: VectorMetric
  /** The space all its vectors come from; its `dimensions` must be those of the index. */
  readonly space?: EmbeddingSpace
  /** How the graph stores its own copy of the vectors. Default `bf16`: half the memory, no loss after rescoring. */
  readonly quantization?: GraphQuantization
  /** Share of the true nearest that a search must find on average, from 0.95 to 0.999. Default 0.99. */
  readonly recall?: number
  /** Where graphs are published and `save` writes. Default: a temporary folder, removed by `close`. `null`: no file is ever written, and the worker that builds a graph keeps it and is asked by searches. */
  readonly directory?: string | null
  /** Where the full-precision vectors are: in memory, or in a file that is read by position. Default `memory`. */
  readonly vectors?: 'memory' | 'file'
  /** Entries below which no graph is built and every search is a scan. Default 5,000. */
  readonly exactBelow?: number
  /** Links a node: 4–256. Default 16. */
  readonly connectivity?: number
  /** Width of the search that places a node: 16–4,096. Default 128. */
  readonly expansionAdd?: number
  /** The worker's script, where a bundler moved it. Default: beside this module. */
  readonly workerUrl?: URL | string
  /** What becomes of a graph's file once another is in use. `kept`: whoever keeps what `serving` gave removes it. Default `removed`. */
  readonly superseded?: 'removed' | 'kept'
  /** Where the graph files of servings are that `serve` is given. Default: the directory. */
  readonly servingDirectory?: string
  /** Called when another graph came into use, or the one in use was measured again: `serving` gives something else. */
  readonly onServing?: () => void
}

/** Milliseconds after a first search until a graph is begun: the answer needs the processor until then. */
const AFTER_ANSWER = 100

/** What an index says of itself. */
export interface UsearchIndexStats {
  /** Live entries. */
  readonly entries: number
  /** Nodes of the graph in use; 0 without one. */
  readonly graphNodes: number
  /** Nodes whose entries were removed or replaced since the graph was published. */
  readonly deadNodes: number
  /** Entries that no graph holds yet; each search scans them. */
  readonly pending: number
  /** Whether a graph is being built. */
  readonly building: boolean
  /** The recall asked for. */
  readonly recallTarget: number
  /** What was measured, by `topK`: recall, and the candidates it took. 0 candidates: searches scan instead. */
  readonly recall: readonly { readonly topK: number; readonly recall: number; readonly candidates: number }[]
  /** How many queries it was measured with. */
  readonly recallQueries: number
  /** Bytes of full-precision vectors in memory. */
  readonly vectorBytes: number
  /** Bytes of the published graph file, which the system keeps in memory as long as it can. */
  readonly graphBytes: number
  /** Why the last build failed, when it did; searches scan what no graph holds. */
  readonly failure: unknown
}

/** What {@link usearchIndex} makes. */
export interface UsearchIndex<M extends Metadata = Metadata> extends VectorIndex<M> {
  /** Many searches at once: more than 64 without a filter are answered by a worker. */
  searchMany: NonNullable<VectorIndex<M>['searchMany']>
  /** Gives an empty index its entries. The graph is begun after the first search. */
  fill: NonNullable<VectorIndex<M>['fill']>
  /** Replaces metadata without touching vectors. */
  updateMetadata: NonNullable<VectorIndex<M>['updateMetadata']>
  /** The graph in use with what was measured of it; undefined while searches scan. */
  serving: NonNullable<VectorIndex<M>['serving']>
  /** Goes back to a graph that served the same entries before, or to none. */
  serve: NonNullable<VectorIndex<M>['serve']>
  /** Ends the workers and frees memory and files; a temporary folder is removed. Later calls throw `CLOSED`. */
  close(): Promise<void>
  /** Entries by id, in order; undefined where there is none. */
  get(ids: readonly string[], options?: AbortOptions): Promise<readonly (VectorEntry<M> | undefined)[]>
  /** Every entry, in the order it was written. Changes during the iteration may or may not show. */
  entries(): IterableIterator<VectorEntry<M>>
  /** Publishes a graph of everything there is, without waiting for the threshold. `compact` starts from nothing, so that no removed vector is left in the file. */
  build(options?: AbortOptions & { readonly compact?: boolean }): Promise<void>
  /** Resolves when no build is under way; a failed one rejects. */
  settled(): Promise<void>
  /** Writes everything to the directory under new names; the files before stay until it is complete. */
  save(options?: AbortOptions): Promise<void>
  /** What the index says of itself. */
  stats(): UsearchIndexStats
}

/**
 * Approximate nearest neighbours over USearch, in process: an HNSW graph finds candidates, full-precision vectors score
 * them. How many candidates a search takes is measured on the index's own data, so that the declared recall holds;
 * entries that are not yet in a graph, and filters that allow few, are scanned exactly. Graphs are built in a worker and
 * published as immutable files, verified before they are opened. Opens what `save` left in `directory`; a damaged graph
 * is built again, damaged entries are `CORRUPT_DATA`. Throws `MISSING_DEPENDENCY` where usearch has no binary: use
 * `exactIndex` there. One process a directory.
 *
 * @example
 * const index = await usearchIndex({ dimensions: 384, directory: './vectors' })
 * await index.upsert(entries)
 * const matches = await index.search(query, { topK: 10 })
 * await index.close()
 */
export async function usearchIndex<M extends Metadata = Metadata>(
  options: UsearchIndexOptions,
): Promise<UsearchIndex<M>> {
  requireObject('options', options, 'an object with dimensions')
  const { dimensions, metric = 'cosine', space, recall = 0.99, exactBelow = 5_000 } = options
  requireVectorSpace(dimensions, metric, space)
  const settings = settingsOf(options, metric)
  requireInteger('exactBelow', exactBelow, 0)
  requireNumber('recall', recall, 0.95, 0.999)
  requirePlaces(options)
  if (options.vectors === 'file' && options.directory === null)
    throw invalidArgument('vectors', 'memory where directory is null: no file may be written', 'file')
  const native = await loadNative()
  const temporary = options.directory === undefined
  const directory =
    options.directory === undefined ? await mkdtemp(join(tmpdir(), 'groundline-usearch-')) : options.directory
  // A folder of kept files begins with the first one.
  const begins = directory !== null && options.superseded !== 'kept'
  if (begins) await mkdir(directory, { recursive: true, mode: 0o700 })
  const rows = options.vectors === 'file' && directory !== null ? new RowFile(directory, dimensions) : undefined
  const table: VectorTable<M> = new VectorTable<M>(dimensions, metric, rows, {
    added: (slots) => keeper.added(slots),
    removed: (slots) => keeper.removed(slots),
  })
  const { workerUrl, superseded = 'removed', onServing } = options
  const target = recall
  const graphs = { native, settings, target, directory, workerUrl, exactBelow, superseded, onServing }
  const keeper = new GraphKeeper({ ...graphs, table })
  try {
    if (!temporary && begins) await openSnapshot({ directory, table, keeper, settings, native, rows })
  } catch (error) {
    rows?.close()
    throw error
  }
  keeper.consider()

  let closed = false
  let isFilled = false
  const open = (signal?: AbortSignal) => {
    if (closed) throw new GroundlineError('CLOSED', 'the index was closed; make or open another')
    signal?.throwIfAborted()
  }
  const changed = async (write: Promise<void>) => {
    await write
    if (!closed) keeper.consider()
  }
  const entryAt = (id: string, slot: number): VectorEntry<M> => {
    const metadata = table.entries.metadataAt(slot)
    const vector = table.vectorAt(slot)
    return metadata === undefined ? { id, vector } : { id, vector, metadata }
  }
  const servingFrom = async (serving: Serving | SavedServing | undefined, signal: AbortSignal | undefined) => {
    if (serving === undefined || 'file' in serving) return serving as GraphServing | undefined
    const place = options.servingDirectory ?? directory
    if (place === null) throw new GroundlineError('UNSUPPORTED_FORMAT', 'no file may be used here')
    return openServing(serving, { directory: place, native, settings, inUse: keeper.serving(), signal })
  }
  return {
    dimensions,
    metric,
    ...(space === undefined ? {} : { space }),
    async upsert(entries, abort) {
      open(abort?.signal)
      await changed(table.upsert(entries, abort))
    },
    async fill(blocks, abort) {
      open(abort?.signal)
      await table.fill(blocks, abort)
      // Whoever opens an index has a question: its answer does not wait for the worker that begins the graph.
      isFilled = true
    },
    async remove(ids, abort) {
      open(abort?.signal)
      await changed(table.remove(ids, abort))
    },
    async updateMetadata(entries, abort) {
      open(abort?.signal)
      await table.updateMetadata(entries, abort)
    },
    async search(vector, options) {
      open()
      requireSearchOptions(options)
      const { topK, filter, signal, explain } = options
      signal?.throwIfAborted()
      const isResident = keeper.graph?.origin.host !== undefined
      const query = table.prepare(vector, isResident ? 'kept' : 'at once')
      const parsed = filter === undefined ? undefined : parseFilter(filter)
      if (isFilled) {
        isFilled = false
        setTimeout(() => !closed && keeper.consider(), AFTER_ANSWER).unref()
      }
      return (isResident ? searchResident : searchTable)(table, keeper, query, topK, parsed, explain)
    },
    async searchMany(vectors, options) {
      open()
      requireSearchOptions(options)
      const { topK, filter, signal } = options
      signal?.throwIfAborted()
      requireArray('vectors', vectors)
      const queries = vectors.map((vector) => table.prepare(vector, 'kept'))
      const parsed = filter === undefined ? undefined : parseFilter(filter)
      return keeper.many.run(table, queries, topK, parsed, signal)
    },
    async count({ filter, signal } = {}) {
      open(signal)
      return filter === undefined ? table.entries.size : table.entries.allowed(parseFilter(filter)).count
    },
    async get(ids, abort) {
      open(abort?.signal)
      requireIdList('ids', ids)
      return ids.map((id) => {
        const slot = table.entries.slotOf(id)
        return slot === undefined ? undefined : entryAt(id, slot)
      })
    },
    *entries() {
      open()
      for (const [id, slot] of table.entries.entries()) yield entryAt(id, slot)
    },
    async build(build = {}) {
      open(build.signal)
      await keeper.build(build.compact ?? false, build.signal)
    },
    async settled() {
      open()
      await keeper.settled()
    },
    serving() {
      open()
      return keeper.serving()
    },
    async serve(serving, abort) {
      open(abort?.signal)
      return table.exclusively(async () => {
        try {
          return keeper.resume(await servingFrom(serving, abort?.signal))
        } catch (error) {
          if (!isGroundlineError(error)) throw error
          abort?.signal?.throwIfAborted()
          keeper.resume(undefined)
          return false
        }
      })
    },
    async save(abort) {
      open(abort?.signal)
      if (directory === null || temporary)
        throw invalidArgument('directory', 'a folder of your own to save an index', options.directory)
      await table.exclusively(() => saveSnapshot({ directory, table, keeper, settings }, abort?.signal))
    },
    stats: () => ({ entries: table.entries.size, vectorBytes: table.byteLength, ...keeper.stats() }),
    async close() {
      if (closed) return
      closed = true
      await keeper.close()
      // What is being written, read or saved ends first: the number of a closed file may be another file's by then.
      await table.exclusively(async () => rows?.close())
      if (temporary && directory !== null) await rm(directory, { recursive: true, force: true })
    },
  }
}

function settingsOf(options: UsearchIndexOptions, metric: VectorMetric): GraphSettings {
  const { dimensions, quantization = 'bf16', connectivity = 16, expansionAdd = 128 } = options
  requireOneOf('quantization', quantization, ['f32', 'f16', 'bf16', 'i8'])
  if (quantization === 'i8' && metric !== 'cosine')
    throw invalidArgument(
      'quantization',
      'f32, f16 or bf16 unless the metric is cosine: i8 keeps directions only',
      quantization,
    )
  requireInteger('connectivity', connectivity, 4, 256)
  requireInteger('expansionAdd', expansionAdd, 16, 4_096)
  return { dimensions, metric, quantization, connectivity, expansionAdd }
}

function requirePlaces({ directory, vectors = 'memory', workerUrl }: UsearchIndexOptions): void {
  requireOneOf('vectors', vectors, ['memory', 'file'])
  if (directory !== undefined && directory !== null && (typeof directory !== 'string' || directory === ''))
    throw invalidArgument('directory', 'the path of a folder, or null for no file', directory)
  if (workerUrl !== undefined && typeof workerUrl !== 'string' && !(workerUrl instanceof URL))
    throw invalidArgument('workerUrl', 'a URL or path', workerUrl)
}
