import { parentPort } from 'node:worker_threads'
import type { Index } from 'usearch'
import { GraphBuilding, type GraphReport } from './graph-building.ts'
import { type PublishedFile, publishGraph, verifyFile } from './graph-file.ts'
import { createGraph, type GraphSettings, loadNative, lowWords, type NativeModule } from './native-graph.ts'

/** What the calling thread asks of a worker. Each request is answered once, in order. */
export type WorkerRequest =
  | {
      readonly type: 'start'
      readonly settings: GraphSettings
      readonly held: readonly Float32Array[]
      readonly from?: { readonly directory: string; readonly file: PublishedFile; readonly removed: Uint32Array }
    }
  | { readonly type: 'rows'; readonly keys: Uint32Array; readonly rows: Float32Array; readonly fresh: boolean }
  | { readonly type: 'finish'; readonly target: number; readonly heldKeys: Uint32Array; readonly directory: string }
  | { readonly type: 'view'; readonly settings: GraphSettings; readonly path: string; readonly width: number }
  | { readonly type: 'search'; readonly queries: Float32Array; readonly asked: number }

/** What a worker answers. */
export type WorkerReply =
  | { readonly type: 'done' }
  | { readonly type: 'built'; readonly file: PublishedFile; readonly report: GraphReport }
  | { readonly type: 'found'; readonly keys: Uint32Array; readonly counts: Uint32Array }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string }

async function answerFrom(state: WorkerState, request: WorkerRequest): Promise<WorkerReply> {
  const native = await state.native
  switch (request.type) {
    case 'start': {
      const { settings, held, from } = request
      let graph: Index | undefined
      if (from !== undefined) {
        const path = await verifyFile(from.directory, from.file)
        graph = createGraph(native, settings)
        graph.load(path)
        if (from.removed.length > 0) graph.remove(BigUint64Array.from(from.removed, BigInt))
      }
      state.building = new GraphBuilding(native, settings, held, graph)
      return { type: 'done' }
    }
    case 'rows':
      state.building!.add(request.keys, request.rows, request.fresh)
      return { type: 'done' }
    case 'finish': {
      const steps = state.building!.finish(request.target, request.heldKeys)
      let step = steps.next()
      while (!step.done) step = steps.next()
      const file = await publishGraph(state.building!.graph, request.directory)
      state.building = undefined
      return { type: 'built', file, report: step.value }
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
  }
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
  let last: Promise<void> = Promise.resolve()
  port.on('message', (request: WorkerRequest) => {
    last = last.then(async () => {
      try {
        port.postMessage(await answerFrom(state, request))
      } catch (error) {
        const { code, message } = error as { code?: string; message: string }
        const reply: WorkerReply = { type: 'failed', code, message }
        port.postMessage(reply)
      }
    })
  })
}
