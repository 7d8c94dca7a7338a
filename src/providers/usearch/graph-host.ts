import { Worker } from 'node:worker_threads'
import { GroundlineError } from '../../errors.ts'
import type { WorkerReply, WorkerRequest } from './graph-worker.ts'

/** A worker that answers requests in order. */
export interface GraphHost {
  /** Asks, and waits for the answer. Buffers in `transfer` are moved, not copied. */
  ask(request: WorkerRequest, transfer?: readonly ArrayBuffer[]): Promise<WorkerReply>
  /** Ends the worker as soon as it is out of the native module; what is under way is rejected. */
  close(): Promise<void>
}

/** Words shared with a worker: whether it is to stop, and whether it is at work. */
const [STOP, BUSY] = [0, 1]
/** A process that exits waits so long for a worker to come out of the native module: ended inside, it takes the process down. */
const EXIT_MS = 5_000

/** Starts a worker; rejects where one cannot run, so that the caller can do the work itself. */
export async function startGraphHost(workerUrl: URL | string | undefined): Promise<GraphHost> {
  const state = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(workerUrl ?? new URL('./graph-worker.js', import.meta.url), {
    // A host program's own flags, such as a loader for TypeScript, are none of the worker's business.
    execArgv: [],
    name: 'groundline-usearch',
    workerData: { state },
  })
  // A script that is not there is known after the thread runs: it is ready when it says so.
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
  const waiting: { resolve(reply: WorkerReply): void; reject(error: unknown): void }[] = []
  let ended: unknown
  const end = (error: unknown) => {
    ended ??= error
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  worker.on('message', (reply: WorkerReply) => {
    const next = waiting.shift()
    // Whoever closes waits for the end: nothing else may keep the process until then.
    if (waiting.length === 0 && Atomics.load(state, STOP) === 0) worker.unref()
    if (reply.type === 'failed') next?.reject(failureOf(reply))
    else next?.resolve(reply)
  })
  const ending = () => {
    Atomics.store(state, STOP, 1)
    Atomics.wait(state, BUSY, 1, EXIT_MS)
  }
  process.once('exit', ending)
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.on('error', end)
  worker.on('exit', () => process.off('exit', ending))
  worker.on('exit', () => end(new GroundlineError('CLOSED', 'the index was closed while a worker was busy')))
  worker.unref()
  return {
    ask: (request, transfer = []) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended)
        worker.ref()
        waiting.push({ resolve, reject })
        worker.postMessage(request, transfer)
      }),
    async close() {
      // Not terminated: a thread that ends inside the native module ends the process.
      Atomics.store(state, STOP, 1)
      worker.postMessage({ type: 'stop' })
      worker.ref()
      await exited
    },
  }
}

function failureOf({ code, message }: Extract<WorkerReply, { type: 'failed' }>): Error {
  if (code === 'CORRUPT_DATA' || code === 'MISSING_DEPENDENCY' || code === 'STORAGE_FAILED')
    return new GroundlineError(code, message)
  return new Error(message)
}

/** The answer, or the signal's reason as soon as it is aborted: the worker ends its part unheard. */
export function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal?.reason)
    if (signal?.aborted === true) return stop()
    signal?.addEventListener('abort', stop, { once: true })
    answer.then(resolve, reject).finally(() => signal?.removeEventListener('abort', stop))
  })
}
