import { parentPort, workerData } from 'node:worker_threads'
import type { Index } from 'usearch'
import type { Calibration } from './calibration.ts'
import { GraphBuilding, type GraphReport } from './graph-building.ts'
import { type PublishedFile, publishGraph, verifyFile } from './graph-file.ts'
import {
  createGraph,
  type GraphSettings,
  loadNative,
  lowWords,
  type NativeModule,
  nearestKeys,
} from './native-graph.ts'
import { type Measurement, measureSteps } from './remeasure.ts'

/** What the calling thread asks of a worker. Each request is answered once, in order. */
export type WorkerRequest =
  | {
      readonly type: 'start'
      readonly settings: GraphSettings
      readonly held: readonly Float32Array[]
      readonly earlier: Uint32Array
      readonly from?: { readonly directory: string; readonly file: PublishedFile; readonly removed: Uint32Array }
    }
  | { readonly type: 'rows'; readonly keys: Uint32Array; readonly rows: Float32Array; readonly fresh: boolean }
  | {
      readonly type: 'finish'
      readonly target: number
      readonly heldKeys: Uint32Array
      readonly directory: string | null
    }
  | { readonly type: 'view'; readonly settings: GraphSettings; readonly path: string; readonly width: number }
  | { readonly type: 'search'; readonly queries: Float32Array; readonly asked: number }
  | ({ readonly type: 'measure' } & Measurement)
  | { readonly type: 'stop' }

/** What a worker answers. */
export type WorkerReply =
  | { readonly type: 'done' }
  | { readonly type: 'built'; readonly file: PublishedFile | undefined; readonly report: GraphReport }
  | { readonly type: 'measured'; readonly calibration: Calibration }
  | { readonly type: 'found'; readonly keys: Uint32Array; readonly counts: Uint32Array }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string }

async function answerFrom(state: WorkerState, request: WorkerRequest): Promise<WorkerReply> {
  const native = await state.native
  switch (request.type) {
    case 'start': {
      const { settings, held, earlier, from } = request
      let graph: Index | undefined
      if (from !== undefined) {
        const path = await verifyFile(from.directory, from.file)
        graph = createGraph(native, settings)
        graph.load(path)
        if (from.removed.length > 0) graph.remove(BigUint64Array.from(from.removed, BigInt))
      }
      state.building = new GraphBuilding(native, settings, held, earlier, graph)
      return { type: 'done' }
    }
    case 'rows':
      untilStopped(state.building!.add(request.keys, request.rows, request.fresh))
      return { type: 'done' }
    case 'finish': {
      const report = untilStopped(state.building!.finish(request.target, request.heldKeys))
      const { graph } = state.building!
      state.building = undefined
      if (request.directory === null) {
        // No file may be written: the graph stays here, and is searched here.
        state.viewed = graph
        return { type: 'built', file: undefined, report }
      }
      return { type: 'built', file: await publishGraph(graph, request.directory), report }
    }
    case 'view':
      state.viewed = createGraph(native, request.settings, request.width)
      state.viewed.view(request.path)
      return { type: 'done' }
    case 'search': {
      const found = state.viewed!.search(request.queries, request.asked, 1)
      const keys = lowWords(found.keys)
      // A single query comes back in a shape of its own, without the padding.
      const counts = 'counts' in found ? lowWords(found.counts as BigUint64Array) : Uint32Array.of(keys.length)
      return { type: 'found', keys, counts }
    }
    case 'measure': {
      const graph = state.viewed!
      const steps = measureSteps(request, (query, count) => nearestKeys(graph, query, count, request.size))
      return { type: 'measured', calibration: untilStopped(steps) }
    }
    case 'stop':
      return { type: 'done' }
  }
}

const [STOP, BUSY] = [0, 1]

function isStopping(): boolean {
  return Atomics.load((workerData as WorkerData).state, STOP) === 1
}

/** Takes steps to their end, unless the calling thread wants no more. */
function untilStopped<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    if (isStopping()) throw new Error('the worker was stopped')
  }
}

interface WorkerData {
  /** Shared with the calling thread: whether to stop, whether at work. */
  readonly state: Int32Array<SharedArrayBuffer>
}

interface WorkerState {
  readonly native: Promise<NativeModule>
  building: GraphBuilding | undefined
  viewed: Index | undefined
}

if (parentPort !== null) {
  const port = parentPort
  const state: WorkerState = { native: loadNative(), building: undefined, viewed: undefined }
  state.native.catch(() => undefined)
  port.postMessage('ready')
  let last: Promise<void> = Promise.resolve()
  port.on('message', (request: WorkerRequest) => {
    last = last.then(async () => {
      if (isStopping()) return port.close()
      const shared = (workerData as WorkerData).state
      Atomics.store(shared, BUSY, 1)
      try {
        port.postMessage(await answerFrom(state, request))
      } catch (error) {
        const { code, message } = error as { code?: string; message: string }
        const reply: WorkerReply = { type: 'failed', code, message }
        port.postMessage(reply)
      } finally {
        Atomics.store(shared, BUSY, 0)
        Atomics.notify(shared, BUSY)
      }
    })
  })
}
