import { parentPort, workerData } from 'node:worker_threads'
import type { Embedder } from '../embedder/embedder.ts'

/** Which embedder a worker makes. */
export interface EmbedderOrigin {
  /** The URL of a module, such as `import.meta.resolve('groundline/embedder')`. */
  readonly module: string
  /** The name of the function in it that makes the embedder. */
  readonly factory: string
  /** What the function is called with: values that can be sent to a worker. */
  readonly options?: unknown
}

/** One call of the embedder. */
export interface EmbedRequest {
  /** Comes back with the reply. */
  readonly id: number
  /** The texts. */
  readonly inputs: readonly string[]
  /** What they are for. */
  readonly role?: 'query' | 'document'
}

/** What a call gave. */
export interface EmbedReply {
  /** Of the request. */
  readonly id: number
  /** The vectors, one after the other; absent where the call failed. */
  readonly rows?: Float32Array
  /** What it cost. */
  readonly tokens?: number | undefined
}

const { module, factory, options }: EmbedderOrigin = workerData
const make: (options: unknown) => Promise<Embedder<string>> = (await import(module))[factory]
const embedder = await make(options)

// One after the other: a second batch would not be done sooner by beginning at once.
let last: Promise<void> = Promise.resolve()
parentPort?.on('message', (request: EmbedRequest) => {
  last = last.then(() => answer(request))
})
parentPort?.postMessage(embedder.space)

async function answer({ id, inputs, role }: EmbedRequest): Promise<void> {
  try {
    const { vectors, usage } = await embedder.embed(inputs, role && { role })
    const rows = new Float32Array(vectors.length * embedder.dimensions)
    for (const [index, vector] of vectors.entries()) rows.set(vector, index * embedder.dimensions)
    parentPort?.postMessage({ id, rows, tokens: usage.tokens } satisfies EmbedReply, [rows.buffer])
  } catch {
    parentPort?.postMessage({ id } satisfies EmbedReply)
  }
}
