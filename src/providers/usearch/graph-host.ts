import { Worker } from 'node:worker_threads'
import { GroundlineError } from '../../errors.ts'
import type { WorkerReply, WorkerRequest } from './graph-worker.ts'

/** A worker that answers requests in order. */
export interface GraphHost {
  /** Asks, and waits for the answer. Buffers in `transfer` are moved, not copied. */
  ask(request: WorkerRequest, transfer?: readonly ArrayBuffer[]): Promise<WorkerReply>
  /** Ends the worker; what is under way is rejected. */
  close(): Promise<void>
}

/** Starts a worker; rejects where one cannot run, so that the caller can do the work itself. */
export async function startGraphHost(workerUrl: URL | string | undefined): Promise<GraphHost> {
  const worker = new Worker(workerUrl ?? new URL('./graph-worker.js', import.meta.url), {
    // A host program's own flags, such as a loader for TypeScript, are none of the worker's business.
    execArgv: [],
    name: 'groundline-usearch',
  })
  const waiting: { resolve(reply: WorkerReply): void; reject(error: unknown): void }[] = []
  let ended: unknown
  const end = (error: unknown) => {
    ended ??= error
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  worker.on('message', (reply: WorkerReply) => {
    const next = waiting.shift()
    if (waiting.length === 0) worker.unref()
    if (reply.type === 'failed') next?.reject(failureOf(reply))
    else next?.resolve(reply)
  })
  worker.on('error', end)
  worker.on('exit', () => end(new GroundlineError('CLOSED', 'the index was closed while a worker was busy')))
  await new Promise<void>((resolve, reject) => {
    worker.once('online', resolve)
    worker.once('error', reject)
  })
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
      await worker.terminate()
    },
  }
}

function failureOf({ code, message }: Extract<WorkerReply, { type: 'failed' }>): Error {
  if (code === 'CORRUPT_DATA' || code === 'MISSING_DEPENDENCY' || code === 'STORAGE_FAILED')
    return new GroundlineError(code, message)
  return new Error(message)
}
