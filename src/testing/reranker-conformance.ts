import type { Passage } from '../document.ts'
import type { Reranker } from '../retriever/retriever.ts'
import { type ConformanceCase, check, checkAborts, checkEqual, checkThrows } from './conformance.ts'

/** What the cases need to know of an implementation. */
export interface RerankerConformanceOptions {
  /** Makes a reranker. */
  readonly create: () => Promise<Reranker> | Reranker
}

/** The laws of {@link Reranker}: it reorders, and neither adds nor changes. */
// @__NO_SIDE_EFFECTS__
export function rerankerConformance(options: RerankerConformanceOptions): readonly ConformanceCase[] {
  const texts = ['the sea at night', 'keys are rotated daily', 'how to rotate keys', 'nothing of the kind', 'keys']
  const passages = texts.map((text, i) => passage(`p${i}`, text, 1 - i / 10, i + 1))
  const before = JSON.stringify(passages)
  return [
    {
      name: 'returns the passages given, each with one more stage that explains it, best first, ties by id',
      run: async () => {
        const reranked = await (await options.create()).rerank('rotate keys', passages)
        checkEqual(
          reranked.map(({ id }) => id).sort(),
          passages.map(({ id }) => id),
          'ids',
        )
        reranked.forEach((each, i) => {
          const given = passages.find(({ id }) => id === each.id)
          checkEqual(each.text, given?.text, `text of ${each.id}`)
          checkEqual(each.stages.slice(0, -1), given?.stages, `earlier stages of ${each.id}`)
          const { rank, score, normalized = Number.NaN, weight = Number.NaN } = each.stages.at(-1)!
          checkEqual([rank, score], [i + 1, each.score], `rank and score of ${each.id}`)
          check(normalized >= 0 && normalized <= 1, `the normalised score of ${each.id} must lie in 0–1`)
          check(weight >= 0 && Number.isFinite(weight), `the weight of the stage of ${each.id} must be a number`)
          const above = reranked[i - 1]
          const ordered = !above || above.score > each.score || (above.score === each.score && above.id < each.id)
          check(ordered, `${each.id} stands at ${i} out of order`)
        })
        checkEqual(JSON.stringify(passages), before, 'the passages given')
      },
    },
    {
      name: 'keeps the topK best',
      run: async () => {
        const reranker = await options.create()
        const all = await reranker.rerank('rotate keys', passages)
        const two = await reranker.rerank('rotate keys', passages, { topK: 2 })
        checkEqual(
          two.map(({ id }) => id),
          all.slice(0, 2).map(({ id }) => id),
          'ids',
        )
        for (const topK of [0, -1, 1.5, Number.NaN])
          await checkThrows(() => reranker.rerank('keys', passages, { topK }), 'INVALID_ARGUMENT', `topK ${topK}`)
      },
    },
    {
      name: 'leaves an empty list empty',
      run: async () => checkEqual(await (await options.create()).rerank('keys', []), [], 'passages'),
    },
    {
      name: 'takes an aborted signal at its word',
      run: async () => {
        const reranker = await options.create()
        await checkAborts((signal) => reranker.rerank('keys', passages, { signal }), 'rerank')
      },
    },
  ]
}

function passage(id: string, text: string, score: number, rank: number): Passage {
  return {
    id,
    documentId: 'd',
    documentVersion: 'v1',
    text,
    start: 0,
    end: text.length,
    metadata: {},
    score,
    stages: [{ stage: 'lexical', rank, score }],
    source: {},
  }
}
