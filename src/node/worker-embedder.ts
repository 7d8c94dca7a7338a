import { Worker } from 'node:worker_threads'
import type { Embedder, Embedding, EmbedOptions } from '../embedder/embedder.ts'
import { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import { canonicalJson } from '../internal/hash.ts'
import type { EmbedderOrigin, EmbedReply, EmbedRequest } from './embedder-worker.ts'

/** Options of {@link workerEmbedder}. */
export interface WorkerEmbedderOptions extends EmbedderOrigin {
  /** Calls of fewer inputs stay on the calling thread, as queries do: the way to the worker and back costs more. Default 32. */
  readonly atLeast?: number
  /** Where the worker's script is, when a bundler moved it. Default `embedder-worker.js` beside this module. */
  readonly workerUrl?: URL | string
}

/** What {@link workerEmbedder} makes. */
export interface WorkerEmbedder extends Embedder {
  /** Ends the worker. Later calls run on the calling thread. */
  close(): Promise<void>
}

/**
 * Runs the large batches of an embedder in a worker thread, so that documents are cut, indexed and stored meanwhile. The
 * worker makes the embedder again from the module that exports it; it must have the same space and give the same vectors.
 * What the worker cannot do, and what it fails at, is done on the calling thread. The worker starts with the first large
 * batch and does not keep the process alive.
 *
 * @example
 * const embedder = workerEmbedder(await staticEmbedder({ dimensions: 256 }), {
 *   module: import.meta.resolve('groundline/embedder'),
 *   factory: 'staticEmbedder',
 *   options: { dimensions: 256 },
 * })
 */
// @__NO_SIDE_EFFECTS__
export function workerEmbedder(embedder: Embedder, options: WorkerEmbedderOptions): WorkerEmbedder {
  const { module, factory, options: made, atLeast = 32, workerUrl } = options
  requireInteger('atLeast', atLeast, 1)
  let host: Promise<EmbedderHost> | undefined
  let closed = false

  const inWorker = async (
    inputs: readonly string[],
    { signal, role }: EmbedOptions,
  ): Promise<Embedding | undefined> => {
    host ??= startHost(workerUrl, { module, factory, options: made }, embedder)
    try {
      const { ask } = await host
      signal?.throwIfAborted()
      const reply = await ask({ inputs, ...(role && { role }) }, signal)
      return reply && embeddingOf(reply, embedder.dimensions)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof GroundlineError) throw error
      return undefined
    }
  }

  return {
    space: embedder.space,
    dimensions: embedder.dimensions,
    ...(embedder.limits && { limits: embedder.limits }),
    async embed(inputs, each = {}) {
      each.signal?.throwIfAborted()
      const large = inputs.length >= atLeast && each.role !== 'query' && !closed
      const found = large ? await inWorker(inputs, each) : undefined
      return found ?? embedder.embed(inputs, each)
    },
    async close() {
      closed = true
      await (await host?.catch(() => undefined))?.close()
    },
  }
}

interface EmbedderHost {
  /** Undefined where the worker failed at it. */
  ask(request: Omit<EmbedRequest, 'id'>, signal: AbortSignal | undefined): Promise<EmbedReply | undefined>
  close(): Promise<void>
}

/** Starts a worker. A rejection stays: what cannot start once is not tried with each batch. */
async function startHost(
  workerUrl: URL | string | undefined,
  origin: EmbedderOrigin,
  embedder: Embedder,
): Promise<EmbedderHost> {
  const worker = new Worker(workerUrl ?? new URL('./embedder-worker.js', import.meta.url), {
    workerData: origin,
    // A host program's own flags, such as a loader for TypeScript, are none of the worker's business.
    execArgv: [],
    name: 'groundline-embedder',
  })
  const waiting = new Map<number, (reply: EmbedReply | undefined) => void>()
  let ended = false
  let next = 0
  const settle = (id: number, reply: EmbedReply | undefined): void => {
    waiting.get(id)?.(reply)
    waiting.delete(id)
    if (waiting.size === 0) worker.unref()
  }
  const end = (): void => {
    ended = true
    for (const id of [...waiting.keys()]) settle(id, undefined)
  }
  worker.on('error', end)
  worker.on('exit', end)
  const space = await new Promise<unknown>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the worker ended')))
  })
  worker.on('message', (reply: EmbedReply) => settle(reply.id, reply))
  worker.unref()
  if (canonicalJson(space) !== canonicalJson(embedder.space)) {
    await worker.terminate()
    throw new GroundlineError(
      'SPACE_MISMATCH',
      `the worker's embedder has another space than the one it stands for: give workerEmbedder the options ${embedder.space.model} was made with`,
      { details: { expected: embedder.space, actual: space } },
    )
  }
  return {
    ask: (request, signal) =>
      new Promise((resolve, reject) => {
        if (ended) return resolve(undefined)
        const id = next++
        const abort = (): void => {
          reject(signal?.reason)
          settle(id, undefined)
        }
        signal?.addEventListener('abort', abort, { once: true })
        waiting.set(id, (reply) => {
          signal?.removeEventListener('abort', abort)
          resolve(reply)
        })
        worker.ref()
        worker.postMessage({ ...request, id } satisfies EmbedRequest)
      }),
    close: async () => {
      await worker.terminate()
    },
  }
}

/** Each vector in memory of its own, as any embedder gives them. Undefined where the worker's embedder threw: the caller's will say why. */
function embeddingOf({ rows, tokens }: EmbedReply, dimensions: number): Embedding | undefined {
  if (rows === undefined) return undefined
  const vectors: Float32Array[] = []
  for (let at = 0; at < rows.length; at += dimensions) vectors.push(rows.slice(at, at + dimensions))
  return { vectors, usage: tokens === undefined ? {} : { tokens } }
}
