import { CohereClientV2 } from 'cohere-ai'
import { expect, it } from 'vitest'
import { cohereReranker } from '../../../src/providers/cohere/index.ts'
import { loopbackServer } from '../../../src/testing/index.ts'
import { describeReranker, type Row } from '../reranker-contract.ts'

// The shapes are those of `POST /v2/rerank` at https://docs.cohere.com/reference/rerank, and of V2RerankRequest and
// V2RerankResponse in the types of `cohere-ai`, whose own serialisation reads and writes them here.

const row = ({ index, score }: Row) => ({ index, relevance_score: score })

describeReranker({
  provider: 'cohere',
  make: (connection) => cohereReranker({ ...connection, model: 'rerank-v3.5' }),
  makeWithClient: ({ baseURL, apiKey, retry }) =>
    cohereReranker({
      client: new CohereClientV2({ token: apiKey, environment: baseURL }),
      model: 'rerank-v3.5',
      ...(retry && { retry }),
    }),
  request: { path: '/v2/rerank', body: (query, documents) => ({ model: 'rerank-v3.5', query, documents }) },
  reply: (results) => ({
    id: 'r1',
    results,
    meta: {
      api_version: { version: '2' },
      billed_units: { search_units: 1 },
    },
  }),
  row,
  refusal: (message) => ({ message }),
})

it('says how much of each passage Cohere is to read', async () => {
  await using server = await loopbackServer(() => ({ json: { results: [{ index: 0, relevance_score: 0.5 }] } }))
  const reranker = cohereReranker({ baseURL: server.url, apiKey: 'k', model: 'rerank-v3.5', passageTokens: 512 })
  const passage = { id: 'p', documentId: 'd', documentVersion: 'v', text: 't', start: 0, end: 1, metadata: {} }
  await reranker.rerank('q', [{ ...passage, score: 1, stages: [], source: {} }])
  expect(server.requests[0]?.body).toMatchObject({ max_tokens_per_doc: 512 })
})
