import type { Filter } from '../filter.ts'
import type { Retriever, StoredChunk } from '../retriever/retriever.ts'
import { type ConformanceCase, check, checkAborts, checkEqual, checkThrows } from './conformance.ts'
import { invalidFilters } from './invalid-filters.ts'

/** What the cases need to know of an implementation. */
export interface RetrieverConformanceOptions {
  /** Makes a retriever over the chunks. */
  readonly create: (chunks: readonly StoredChunk[]) => Promise<Retriever> | Retriever
}

const SUBJECTS = ['amber', 'bronze', 'copper', 'dynamo', 'ember', 'falcon', 'garnet', 'harbor', 'indigo', 'jasper']

/** The laws of {@link Retriever}: what its passages are, never which it prefers, save the obvious one. */
// @__NO_SIDE_EFFECTS__
export function retrieverConformance(options: RetrieverConformanceOptions): readonly ConformanceCase[] {
  const chunks = SUBJECTS.flatMap((subject, i) => [
    chunk(`${subject}-1`, `All there is to say of ${subject}: ${subject} is ${subject}.`, i),
    chunk(`${subject}-2`, `A note that mentions ${subject} beside other matters of the day.`, i),
  ])
  return [
    {
      name: 'finds the chunk that is about nothing but the query',
      run: async () => {
        const retriever = await options.create(chunks)
        for (const subject of SUBJECTS) {
          const { passages } = await retriever.retrieve(subject, { topK: 3 })
          check(passages[0]?.id.startsWith(subject) === true, `the best passage for ${subject}, got ${passages[0]?.id}`)
        }
      },
    },
    {
      name: 'returns at most topK distinct chunks, verbatim, best first, ties by id, each with its stages',
      run: async () => {
        const retriever = await options.create(chunks)
        const byId = new Map(chunks.map((each) => [each.id, each]))
        for (const topK of [1, 3, 50]) {
          const { passages, explanation } = await retriever.retrieve('a note that mentions copper', { topK })
          check(passages.length <= topK && passages.length > 0, `topK ${topK}, got ${passages.length}`)
          checkEqual(new Set(passages.map(({ id }) => id)).size, passages.length, 'distinct ids')
          for (const [i, passage] of passages.entries()) {
            const stored = byId.get(passage.id)
            checkEqual(
              [passage.text, passage.start, passage.end, passage.documentId, passage.source],
              [stored?.text, stored?.start, stored?.end, stored?.documentId, stored?.source],
              `the passage ${passage.id}`,
            )
            check(Number.isFinite(passage.score), `the score of ${passage.id} must be finite`)
            check(passage.stages.length > 0, `${passage.id} must say which stages found it`)
            for (const { stage, rank, score, normalized = -1, weight = -1 } of passage.stages)
              check(
                rank >= 1 && Number.isFinite(score) && normalized >= 0 && normalized <= 1 && weight >= 0,
                `stage ${stage} of ${passage.id} must say rank, score, normalised score from 0 to 1, and weight`,
              )
            const before = passages[i - 1]
            const ordered =
              before === undefined ||
              before.score > passage.score ||
              (before.score === passage.score && before.id < passage.id)
            check(ordered, `${passage.id} stands at ${i} out of order`)
          }
          check(explanation.stages.length > 0, 'the explanation must name its stages')
        }
      },
    },
    {
      name: 'gives the same answer twice',
      run: async () => {
        const retriever = await options.create(chunks)
        const [one, two] = [await retriever.retrieve('falcon'), await retriever.retrieve('falcon')]
        checkEqual(one.passages, two.passages, 'passages')
      },
    },
    {
      name: 'returns only passages that pass the filter',
      run: async () => {
        const retriever = await options.create(chunks)
        const filter: Filter = { op: 'lt', path: ['group'], value: 3 }
        const { passages } = await retriever.retrieve('a note that mentions falcon', { topK: 50, filter })
        check(
          passages.every(({ metadata }) => Number(metadata.group) < 3),
          'every passage must pass',
        )
      },
    },
    {
      name: 'refuses an empty query, a bad topK and every malformed filter',
      run: async () => {
        const retriever = await options.create(chunks)
        for (const query of ['', '  \n'])
          await checkThrows(() => retriever.retrieve(query), 'INVALID_ARGUMENT', `query ${JSON.stringify(query)}`)
        for (const topK of [0, -1, 2.5, Number.NaN, 1e9])
          await checkThrows(() => retriever.retrieve('amber', { topK }), 'INVALID_ARGUMENT', `topK ${topK}`)
        for (const { name, filter } of invalidFilters())
          await checkThrows(() => retriever.retrieve('amber', { filter: filter as Filter }), 'INVALID_FILTER', name)
      },
    },
    {
      name: 'takes an aborted signal at its word, and works afterwards',
      run: async () => {
        const retriever = await options.create(chunks)
        await checkAborts((signal) => retriever.retrieve('amber', { signal }), 'retrieve')
        check((await retriever.retrieve('amber')).passages.length > 0, 'a retrieval after the aborted one')
      },
    },
  ]
}

function chunk(id: string, text: string, group: number): StoredChunk {
  return {
    id,
    documentId: `document of ${id}`,
    documentVersion: 'v1',
    text,
    start: 0,
    end: text.length,
    metadata: { group },
    source: { uri: `${id}.md`, title: id },
  }
}
