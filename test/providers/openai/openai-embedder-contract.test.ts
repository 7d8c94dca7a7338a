import OpenAI from 'openai'
import { openaiEmbedder } from '../../../src/providers/openai/index.ts'
import { describeEmbedder } from '../embedder-contract.ts'

// Plain numbers here; base64 and the request itself in openai-embedder.test.ts. Shapes as there.

const model = { model: 'text-embedding-3-small', dimensions: 16 }

describeEmbedder({
  provider: 'openai',
  make: (connection) => openaiEmbedder({ ...connection, ...model }),
  makeWithClient: ({ baseURL, apiKey }) => openaiEmbedder({ client: new OpenAI({ apiKey, baseURL }), ...model }),
  inputsOf: ({ input }: { input: string[] }) => input,
  reply: (vectors, tokens) => ({
    object: 'list',
    model: 'text-embedding-3-small',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }),
  rows: { path: ['data'], vector: 'embedding', index: 'index' },
  refusal: (message) => ({ error: { message, type: 'invalid_request_error', param: null, code: null } }),
})
