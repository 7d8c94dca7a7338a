import { jinaReranker } from '../../../src/providers/jina/index.ts'
import { describeReranker } from '../reranker-contract.ts'

// The shapes are those of `POST /v1/rerank` of Jina's API (https://api.jina.ai/redoc, tag rerank): `model`, `query`,
// `documents`, `return_documents`; answered by `results` of `index` and `relevance_score`, with `usage.total_tokens`.

describeReranker({
  provider: 'jina',
  make: (connection) => jinaReranker({ ...connection, model: 'jina-reranker-v2-base-multilingual' }),
  request: {
    path: '/rerank',
    body: (query, documents) => ({
      model: 'jina-reranker-v2-base-multilingual',
      query,
      documents,
      return_documents: false,
    }),
  },
  reply: (results) => ({ model: 'jina-reranker-v2-base-multilingual', usage: { total_tokens: 38 }, results }),
  row: ({ index, score }) => ({ index, relevance_score: score }),
  refusal: (detail) => ({ detail }),
})
