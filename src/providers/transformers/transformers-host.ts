import { fork } from 'node:child_process'
import { resolve as absolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AbortOptions } from '../../document.ts'
import { GroundlineError, type GroundlineErrorCode } from '../../errors.ts'
import type { ModelFacts, ModelTask } from './transformers-engine.ts'
import type { TransformersModelOptions } from './transformers-library.ts'
import type { EngineReply, EngineRequest } from './transformers-worker.ts'

/** Options of everything that runs a model in a worker process. */
export interface TransformersWorkerOptions extends TransformersModelOptions, AbortOptions {
  /** The most texts run through the model together. Default 32. */
  readonly batchItems?: number
  /** Where the worker's module is, as a `file:` URL, for applications that bundle. Default beside this one. */
  readonly workerUrl?: URL | string
}

/** A worker process with a model loaded. */
export interface TransformersHost {
  /** What the model says of itself. */
  readonly facts: ModelFacts
  /** Asks, and waits for the answer. On abort the answer is dropped; the worker finishes the request. */
  ask<T extends EngineReply['type']>(
    request: EngineRequest,
    expected: T,
    signal?: AbortSignal,
  ): Promise<Extract<EngineReply, { type: T }>>
  /** Ends the worker, which frees the model. Requests under way are rejected with `CLOSED`. */
  close(): Promise<void>
}

const CODES: readonly string[] = [
  'MISSING_DEPENDENCY',
  'LIMIT_EXCEEDED',
  'UNSUPPORTED_FORMAT',
] satisfies GroundlineErrorCode[]

/**
 * Starts a worker process and loads a model in it, so that neither loading nor running blocks the event loop. A process and
 * not a thread: the native runtime under transformers.js cannot be loaded a second time into a process that has ended a
 * thread with it, and gives its memory back only when its process ends.
 */
export async function startTransformers(
  options: TransformersWorkerOptions,
  task: ModelTask,
): Promise<TransformersHost> {
  const { signal, workerUrl, source, library, precision, device } = options
  signal?.throwIfAborted()
  const worker = fork(fileURLToPath(workerUrl ?? new URL('./transformers-worker.js', import.meta.url)), {
    // The host program's own flags, such as a loader for TypeScript, are none of the worker's business.
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const waiting: { settle(reply: EngineReply): void; reject(error: unknown): void }[] = []
  let ended: unknown
  const end = (error: unknown) => {
    ended ??= error
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  const hold = (busy: boolean) => {
    // Only a request under way keeps the program alive.
    if (busy) worker.channel?.ref()
    else worker.channel?.unref()
    if (busy) worker.ref()
    else worker.unref()
  }
  worker.on('message', (reply) => {
    const next = waiting.shift()
    if (waiting.length === 0) hold(false)
    next?.settle(reply as EngineReply)
  })
  worker.on('error', end)
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let closing = false
  worker.on('exit', (code, killed) =>
    end(
      closing
        ? new GroundlineError('CLOSED', 'the model was closed')
        : new GroundlineError(
            'CLOSED',
            `the model's process ended by itself (${killed ?? `exit code ${code}`}). Open it again`,
          ),
    ),
  )

  const ask: TransformersHost['ask'] = (request, expected, abort) =>
    new Promise((resolve, reject) => {
      if (abort?.aborted) return reject(abort.reason)
      if (ended !== undefined) return reject(ended)
      const onAbort = () => reject(abort?.reason)
      abort?.addEventListener('abort', onAbort, { once: true })
      const done = () => abort?.removeEventListener('abort', onAbort)
      hold(true)
      waiting.push({
        settle(reply) {
          done()
          if (reply.type === expected) resolve(reply as Extract<EngineReply, { type: typeof expected }>)
          else reject(reply.type === 'failed' ? failureOf(reply) : new Error(`unexpected ${reply.type}`))
        },
        reject(error) {
          done()
          reject(error)
        },
      })
      worker.send(request)
    })

  const stop = async () => {
    closing = true
    hold(true)
    worker.kill('SIGKILL')
    if (worker.exitCode === null && worker.signalCode === null) await exited
  }
  const placed = 'folder' in source ? { folder: absolute(source.folder) } : source
  const model = {
    source: placed,
    ...(library && { library }),
    ...(precision && { precision }),
    ...(device !== undefined && { device }),
  }
  try {
    const { facts } = await ask({ type: 'load', options: model, task }, 'loaded', signal)
    return {
      facts,
      ask,
      async close() {
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function failureOf({ code, message, details }: Extract<EngineReply, { type: 'failed' }>): Error {
  const known = code !== undefined && CODES.includes(code)
  return known
    ? new GroundlineError(code as GroundlineErrorCode, message, { details: { ...details } })
    : new GroundlineError('UNSUPPORTED_FORMAT', `the model could not be loaded or run: ${message}`)
}
