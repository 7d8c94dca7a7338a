import { describe, expect, it } from 'vitest'
import { anthropicTokenCounter } from '../../src/providers/anthropic/index.ts'
import { geminiTokenCounter } from '../../src/providers/gemini/index.ts'
import { openaiTokenCounter } from '../../src/providers/openai/index.ts'
import { type LoopbackAnswer, type LoopbackServer, loopbackServer } from '../../src/testing/loopback-server.ts'
import type { RemoteTokenCounter } from '../../src/tokenizer/tokenizer.ts'

interface Counter {
  readonly name: string
  readonly create: (server: LoopbackServer) => RemoteTokenCounter
  readonly path: RegExp
  readonly good: LoopbackAnswer
}

const apiKey = 'sk-test-1234567890abcdef'
const counters: readonly Counter[] = [
  {
    name: 'openai',
    create: ({ url }) => openaiTokenCounter({ apiKey, model: 'gpt-5', baseURL: `${url}/v1` }),
    path: /^\/v1\/responses\/input_tokens$/,
    good: { json: { object: 'response.input_tokens', input_tokens: 17 } },
  },
  {
    name: 'anthropic',
    create: ({ url }) => anthropicTokenCounter({ apiKey, model: 'claude-opus-5', baseURL: url }),
    path: /^\/v1\/messages\/count_tokens/,
    good: { json: { input_tokens: 17 } },
  },
  {
    name: 'gemini',
    create: ({ url }) => geminiTokenCounter({ apiKey, model: 'gemini-2.5-flash', baseURL: url }),
    path: /gemini-2\.5-flash:countTokens$/,
    good: { json: { totalTokens: 17 } },
  },
]

describe.each(counters)('the token counter of $name', ({ name, create, path, good }) => {
  it('asks once and gives the number', async () => {
    await using server = await loopbackServer(() => good)
    const counter = create(server)
    expect([counter.kind, await counter.count('How long is this?')]).toEqual(['remote', 17])
    expect(server.requests.length).toBe(1)
    expect(server.requests[0]!.path).toMatch(path)
    expect(JSON.stringify(server.requests[0]!.body)).toContain('How long is this?')
  })

  it('does not try again by itself, and keeps the key out of the error', async () => {
    await using server = await loopbackServer(() => ({ status: 503, json: { error: { message: `no ${apiKey}` } } }))
    const failure = await create(server)
      .count('text')
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'PROVIDER_FAILED', provider: name, status: 503, retryable: true })
    expect(String(failure)).not.toContain(apiKey)
    expect(server.requests.length).toBe(1)
  })

  it('refuses an answer without a number', async () => {
    await using server = await loopbackServer(() => ({ json: { input_tokens: 'many', totalTokens: 'many' } }))
    await expect(create(server).count('text')).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
  })

  it('stops when it is told to', async () => {
    await using server = await loopbackServer(() => ({ end: 'silence' }))
    const reason = new Error('enough')
    await expect(create(server).count('text', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const counting = create(server).count('text', { signal: controller.signal })
    setTimeout(() => controller.abort(reason), 20)
    await expect(counting).rejects.toBe(reason)
  })
})
