import { isGroundlineError } from '../../errors.ts'
import {
  type EmbedSettings,
  loadEngine,
  type ModelFacts,
  type ModelTask,
  type TransformersEngine,
} from './transformers-engine.ts'
import type { TransformersModelOptions } from './transformers-library.ts'

/** What the calling process asks of this one. Each request is answered once, in order. */
export type EngineRequest =
  | { readonly type: 'load'; readonly options: TransformersModelOptions; readonly task: ModelTask }
  | { readonly type: 'embed'; readonly texts: readonly string[]; readonly settings: EmbedSettings }
  | {
      readonly type: 'score'
      readonly query: string
      readonly passages: readonly string[]
      readonly batchItems: number
    }

/** What this process answers. */
export type EngineReply =
  | { readonly type: 'loaded'; readonly facts: ModelFacts }
  | { readonly type: 'embedded'; readonly vectors: readonly Float32Array[]; readonly tokens: number }
  | { readonly type: 'scored'; readonly scores: readonly number[] }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string; readonly details: object }

let engine: TransformersEngine | undefined
let last: Promise<unknown> = Promise.resolve()

async function answer(request: EngineRequest): Promise<EngineReply> {
  if (request.type === 'load') {
    engine = await loadEngine(request.options, request.task)
    return { type: 'loaded', facts: engine.facts }
  }
  if (engine === undefined) throw new Error('no model is loaded')
  switch (request.type) {
    case 'embed':
      return { type: 'embedded', ...(await engine.embed(request.texts, request.settings)) }
    case 'score':
      return { type: 'scored', scores: await engine.score(request.query, request.passages, request.batchItems) }
  }
}

function failure(error: unknown): EngineReply {
  const message = error instanceof Error ? error.message : String(error)
  return isGroundlineError(error)
    ? { type: 'failed', code: error.code, message, details: error.details }
    : { type: 'failed', code: undefined, message, details: {} }
}

process.on('message', (request: EngineRequest) => {
  last = last.then(async () => {
    process.send?.(await answer(request).catch(failure))
  })
})
// The program that started this one has ended, or let go of it.
process.on('disconnect', () => process.exit())
