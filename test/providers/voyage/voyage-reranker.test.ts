import { VoyageAIClient } from 'voyageai'
import { voyageReranker } from '../../../src/providers/voyage/index.ts'
import { describeReranker } from '../reranker-contract.ts'

// The shapes are those of `POST /v1/rerank` at https://docs.voyageai.com/reference/reranker-api, and of RerankRequest and
// RerankResponse in the types of `voyageai`, whose own serialisation reads and writes them here.

describeReranker({
  provider: 'voyage',
  make: (connection) => voyageReranker({ ...connection, model: 'rerank-2.5' }),
  makeWithClient: ({ baseURL, apiKey, retry }) =>
    voyageReranker({
      client: new VoyageAIClient({ apiKey, environment: baseURL }),
      model: 'rerank-2.5',
      ...(retry && { retry }),
    }),
  request: {
    path: '/rerank',
    body: (query, documents) => ({ model: 'rerank-2.5', query, documents, return_documents: false, truncation: true }),
  },
  reply: (data) => ({ object: 'list', data, model: 'rerank-2.5', usage: { total_tokens: 26 } }),
  row: ({ index, score }) => ({ index, relevance_score: score }),
  refusal: (message) => ({ detail: message }),
})
