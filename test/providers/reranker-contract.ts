import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Passage } from '../../src/document.ts'
import type { RetryPolicy } from '../../src/internal/retry.ts'
import type { Reranker, RerankOptions } from '../../src/retriever/index.ts'
import {
  type LoopbackAnswer,
  type LoopbackRequest,
  type LoopbackServer,
  loopbackServer,
  rerankerConformance,
} from '../../src/testing/index.ts'
import { KEY_FORMATS } from './key-formats.ts'

/** How a test reaches the server that stands in for the provider. */
export interface RerankConnection {
  readonly baseURL: string
  readonly apiKey: string
  readonly retry?: RetryPolicy
  readonly allowInsecureHttp?: boolean
  readonly deadlines?: {
    readonly headMs?: number
    readonly firstByteMs?: number
    readonly idleMs?: number
    readonly totalMs?: number
  }
}

/** A row of an answer. */
export interface Row {
  readonly index?: unknown
  readonly score?: unknown
}

/** What the published wire format of a provider is, and how its adapter is made. */
export interface RerankerWire {
  /** As in errors. */
  readonly provider: string
  /** The adapter. */
  readonly make: (connection: RerankConnection) => Reranker
  /** The same through a client of the caller's own, with the retries that the vendor's package has by default. */
  readonly makeWithClient?: (connection: RerankConnection) => Reranker
  /** Path and body that the reference asks for. */
  readonly request: { readonly path: string; readonly body: (query: string, texts: readonly string[]) => object }
  /** The answer, as the provider writes it. */
  readonly reply: (rows: unknown) => object
  /** A row, as the provider writes it. */
  readonly row: (row: Row) => object
  /** What the provider writes when it refuses. */
  readonly refusal: (message: string) => object
}

const KEY = 'sk-proj-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df'
const once = { attempts: 1 }
const passages: Passage[] = ['the sea at night', 'keys are rotated daily', 'how to rotate keys'].map((text, i) => ({
  id: `p${i}`,
  documentId: 'd',
  documentVersion: 'v1',
  text,
  start: 0,
  end: text.length,
  metadata: {},
  score: 1 - i / 10,
  stages: [{ stage: 'lexical', rank: i + 1, score: 1 - i / 10 }],
  source: {},
}))
const order = async (reranker: Reranker, options?: RerankOptions) =>
  (await reranker.rerank('rotate keys', passages, options)).map(({ id }) => id)

/** The laws of a rerank adapter, driven over real HTTP on this machine. */
export function describeReranker(wire: RerankerWire): void {
  const connect = (server: LoopbackServer, more: Partial<RerankConnection> = {}) =>
    wire.make({ baseURL: server.url, apiKey: KEY, ...more })
  /** Scores by shared words, best first, as the services answer. */
  const rowsFor = (body: unknown): Row[] => {
    const { query, documents } = body as { query: string; documents: string[] }
    const words = new Set(query.split(' '))
    const shared = documents.map((text) => text.split(' ').filter((word) => words.has(word)).length)
    return shared.map((count, index) => ({ index, score: count / 10 })).sort((a, b) => b.score - a.score)
  }
  const honest = ({ body }: LoopbackRequest): LoopbackAnswer => ({ json: wire.reply(rowsFor(body).map(wire.row)) })
  const names = rerankerConformance({ create: () => wire.make({ baseURL: 'http://127.0.0.1:9', apiKey: KEY }) })

  describe(`${wire.provider} as a reranker`, () => {
    for (const [position, { name }] of names.entries()) {
      it(name, async () => {
        await using server = await loopbackServer(honest)
        await rerankerConformance({ create: () => connect(server) })[position]?.run()
      })
    }
  })

  describe(`${wire.provider} rerank on the wire`, () => {
    it('sends what the reference asks for, once, and reads the scores by index', async () => {
      await using server = await loopbackServer(honest)
      const reranked = await connect(server).rerank('rotate keys', passages)
      expect(reranked.map(({ id, score }) => [id, score])).toEqual([
        ['p2', 0.2],
        ['p1', 0.1],
        ['p0', 0],
      ])
      const texts = passages.map(({ text }) => text)
      expect(server.requests).toMatchObject([
        { method: 'POST', path: wire.request.path, headers: { authorization: `Bearer ${KEY}` } },
      ])
      expect(server.requests[0]?.body).toEqual(wire.request.body('rotate keys', texts))
    })

    it('refuses answers that are partial, doubled or malformed', async () => {
      let answer: LoopbackAnswer = {}
      await using server = await loopbackServer(() => answer)
      const reranker = connect(server, { retry: once })
      const good = passages.map((_, index) => ({ index, score: 0.5 - index / 10 }))
      const json = { 'content-type': 'application/json' }
      const whole = JSON.stringify(wire.reply(good.map(wire.row)))
      const wrong: [string, LoopbackAnswer][] = [
        ['HTML', { text: '<html>Sign in</html>' }],
        ['an empty body', { text: '', headers: json }],
        ['half of the answer', { text: whole.slice(0, -20), headers: json }],
        ...[null, 42, 'scores', [], {}, wire.refusal('overloaded')].map((each): [string, LoopbackAnswer] => [
          JSON.stringify(each),
          { json: each },
        ]),
        ...[null, {}, 'rows', 7, [], [null, null, null], [1, 2, 3], [{}, {}, {}]].map(
          (each): [string, LoopbackAnswer] => [`rows ${JSON.stringify(each)}`, { json: wire.reply(each) }],
        ),
        ['one fewer', { json: wire.reply(good.slice(1).map(wire.row)) }],
        ['one more', { json: wire.reply([...good, { index: 3, score: 0.1 }].map(wire.row)) }],
        ['one twice', { json: wire.reply([good[0]!, good[1]!, good[1]!].map(wire.row)) }],
        ...[3, -1, 1.5, '1', null].map((index): [string, LoopbackAnswer] => [
          `index ${index}`,
          { json: wire.reply([good[0]!, { ...good[1]!, index }, good[2]!].map(wire.row)) },
        ]),
        ...['high', null, true, [0.5], undefined].map((score): [string, LoopbackAnswer] => [
          `score ${score}`,
          { json: wire.reply([good[0]!, { ...good[1]!, score }, good[2]!].map(wire.row)) },
        ]),
        ['an infinite score', { text: whole.replace('0.4', '1e999'), headers: json }],
      ]
      for (const [name, each] of wrong) {
        answer = each
        const outcome = await order(reranker).catch((error) => error)
        expect(outcome, name).toMatchObject({ code: 'INVALID_RESPONSE', provider: wire.provider })
      }
      answer = { json: wire.reply(good.map(wire.row)) }
      expect(await order(reranker)).toEqual(['p0', 'p1', 'p2'])
    })

    it('repeats what may pass, three times at the most, and nothing else', async () => {
      for (const make of [wire.make, wire.makeWithClient ?? wire.make]) {
        let status = 503
        await using server = await loopbackServer(() => ({ status, json: wire.refusal('down') }))
        const reranker = make({ baseURL: server.url, apiKey: KEY, retry: { baseMs: 1 } })
        await expect(order(reranker)).rejects.toMatchObject({ code: 'PROVIDER_FAILED', retryable: true, status: 503 })
        expect(server.requests).toHaveLength(3)
        status = 400
        await expect(order(reranker)).rejects.toMatchObject({ code: 'PROVIDER_FAILED', retryable: false, status: 400 })
        expect(server.requests).toHaveLength(4)
      }
      await using recovering = await loopbackServer((request) =>
        request.index === 0
          ? { status: 429, headers: { 'retry-after': '0' }, json: wire.refusal('slow') }
          : honest(request),
      )
      expect(await order(connect(recovering, { retry: { baseMs: 1 } }))).toEqual(['p2', 'p1', 'p0'])
    })

    it('shows no key of 25 formats in an error', async () => {
      for (const key of KEY_FORMATS) {
        await using server = await loopbackServer(() => ({
          status: 401,
          headers: { 'x-echo': `Bearer ${key}` },
          json: wire.refusal(`refused: key ${key} is not good enough`),
        }))
        const reranker = wire.make({ baseURL: server.url, apiKey: key })
        const error = await order(reranker).catch((caught) => caught)
        expect(error).toMatchObject({ code: 'PROVIDER_FAILED', provider: wire.provider, status: 401 })
        expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(key.slice(6, 18))
        expect(String(error.message)).toContain('refused')
      }
    })

    it('fails retryably when the connection is cut or refused', async () => {
      await using server = await loopbackServer(() => ({ end: 'cut', text: '{"' }))
      const failed = { provider: wire.provider, retryable: true }
      await expect(order(connect(server, { retry: once }))).rejects.toMatchObject(failed)
      await server.close()
      await expect(order(connect(server, { retry: once }))).rejects.toMatchObject(failed)
    })

    it('ends by its deadlines, and in the next turns of the event loop after an abort', async () => {
      let answer: LoopbackAnswer = { end: 'silence' }
      await using server = await loopbackServer(() => answer)
      const run = (deadlines: NonNullable<RerankConnection['deadlines']>) =>
        order(connect(server, { deadlines, retry: once }))
      const late = { code: 'PROVIDER_FAILED', retryable: true }
      await expect(run({ totalMs: 30 })).rejects.toMatchObject(late)
      await expect(run({ headMs: 30 })).rejects.toMatchObject(late)
      answer = { end: 'stall', headers: { 'content-type': 'application/json' }, text: '' }
      await expect(run({ firstByteMs: 30 })).rejects.toMatchObject(late)
      answer = { end: 'stall', headers: { 'content-type': 'application/json' }, text: '{"x":' }
      await expect(run({ idleMs: 30 })).rejects.toMatchObject(late)
      const controller = new AbortController()
      const reason = new Error('enough')
      const before = server.requests.length
      let outcome: unknown
      order(connect(server), { signal: controller.signal }).catch((error) => {
        outcome = error
      })
      while (server.requests.length === before) await new Promise(setImmediate)
      controller.abort(reason)
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      expect(outcome).toBe(reason)
    })

    it('refuses to send texts in the clear to another machine unless told to', async () => {
      const open = (more: Partial<RerankConnection> = {}) =>
        wire.make({ baseURL: 'http://192.0.2.1/v1', apiKey: KEY, ...more })
      expect(() => open()).toThrow(expect.objectContaining({ code: 'INSECURE_TRANSPORT' }))
      expect(() => open({ allowInsecureHttp: true })).not.toThrow()
    })

    it('refuses more passages than one request may hold, before asking', async () => {
      await using server = await loopbackServer(honest)
      const many = Array.from({ length: 1_001 }, (_, i) => ({ ...passages[0]!, id: `p${i}` }))
      await expect(connect(server).rerank('keys', many)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      expect(server.requests).toHaveLength(0)
    })
  })
}
