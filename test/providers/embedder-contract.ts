import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type Embedder, embedAll } from '../../src/embedder/index.ts'
import {
  embedderConformance,
  fakeEmbedder,
  type LoopbackAnswer,
  type LoopbackRequest,
  type LoopbackServer,
  loopbackServer,
} from '../../src/testing/index.ts'
import { KEY_FORMATS } from './key-formats.ts'

/** How a test reaches the server that stands in for the provider. */
export interface ContractConnection {
  readonly baseURL: string
  readonly apiKey: string
  readonly deadlines?: {
    readonly headMs?: number
    readonly firstByteMs?: number
    readonly idleMs?: number
    readonly totalMs?: number
  }
}

/** What the published wire format of a provider is, and how its adapter is made. */
export interface EmbedderWire {
  /** As in errors. */
  readonly provider: string
  /** The adapter, with vectors of 16 dimensions. */
  readonly make: (connection: ContractConnection) => Embedder | Promise<Embedder>
  /** The same through a client of the caller's own, with the retries that the vendor's package has by default. */
  readonly makeWithClient?: (connection: ContractConnection) => Embedder | Promise<Embedder>
  /** The texts of a request. */
  readonly inputsOf: (body: never) => readonly string[]
  /** The answer, as the provider writes it. */
  readonly reply: (vectors: readonly (readonly unknown[])[], tokens: number) => Json
  /** The member of the answer that lists the vectors, and the member of each that is the vector, if it is an object. */
  readonly rows: { readonly path: readonly string[]; readonly vector?: string; readonly index?: string }
  /** What the provider writes when it refuses. */
  readonly refusal: (message: string) => Json
  /** Whether the adapter's own `fetch` is used, so that it sees the head and the body apart. Default true. */
  readonly ownFetch?: boolean
  /** Tokens of an answer for which the server reports 7. Default 7. */
  readonly tokens?: number | undefined
}

export type Json = { [key: string]: unknown }

const DIMENSIONS = 16
const TEXTS = ['one', 'two', 'three']
const KEY = 'sk-proj-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df'

/** The laws of an embedding adapter, driven through the vendor's package over real HTTP on this machine. */
export function describeEmbedder(wire: EmbedderWire): void {
  const connect = (server: LoopbackServer, more: Partial<ContractConnection> = {}) =>
    wire.make({ baseURL: server.url, apiKey: KEY, ...more })
  const honest = async ({ body }: Pick<LoopbackRequest, 'body'>): Promise<Json> => {
    const { vectors } = await fakeEmbedder({ dimensions: DIMENSIONS }).embed(wire.inputsOf(body as never))
    return wire.reply(
      vectors.map((vector) => [...vector]),
      7,
    )
  }
  const expected = async (texts: readonly string[]) =>
    (await fakeEmbedder({ dimensions: DIMENSIONS }).embed(texts)).vectors
  const nothing = () => wire.make({ baseURL: 'http://127.0.0.1:9', apiKey: KEY })

  describe(`${wire.provider} as an embedder`, async () => {
    const names = embedderConformance({ create: nothing }).map(({ name }) => name)
    for (const [position, name] of names.entries()) {
      it(name, async () => {
        await using server = await loopbackServer(async (request) => ({ json: await honest(request) }))
        await embedderConformance({ create: () => connect(server) })[position]?.run()
      })
    }
  })

  describe(`${wire.provider} on the wire`, () => {
    it('gives the vectors and the usage of the answer', async () => {
      await using server = await loopbackServer(async (request) => ({ json: await honest(request) }))
      const { vectors, usage } = await (await connect(server)).embed(TEXTS)
      closeTo(vectors, await expected(TEXTS))
      expect(usage.tokens).toBe('tokens' in wire ? wire.tokens : 7)
    })

    it('makes one request a call, says what failed, and shows no key of 25 formats on any failure path', async () => {
      let paths = 0
      for (const make of [wire.make, wire.makeWithClient]) {
        for (const status of [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529]) {
          if (make === undefined) continue
          const key = KEY_FORMATS[paths++ % KEY_FORMATS.length] ?? KEY
          await using server = await loopbackServer(() => ({
            status,
            headers: { 'x-echo': `Bearer ${key}` },
            json: wire.refusal(`refused: key ${key} is not good enough`),
          }))
          const embedder = await make({ baseURL: server.url, apiKey: key })
          const error = await embedder.embed(TEXTS).catch((caught) => caught)
          const retryable = [408, 409, 429, 500, 502, 503, 529].includes(status)
          expect(error).toMatchObject({ code: 'PROVIDER_FAILED', provider: wire.provider, status, retryable })
          expect(server.requests).toHaveLength(1)
          expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(key.slice(6, 18))
          expect(JSON.stringify(error)).not.toContain(key.slice(6, 18))
          expect(String(error.message)).toContain('refused')
        }
      }
    })

    it('is called three times at the most when it is down, through all layers', async () => {
      await using server = await loopbackServer(() => ({ status: 503, json: wire.refusal('down') }))
      const embedder = await (wire.makeWithClient ?? wire.make)({ baseURL: server.url, apiKey: KEY })
      const { failures } = await embedAll(embedder, TEXTS, { retry: { baseMs: 1 } })
      expect(failures).toHaveLength(3)
      expect(server.requests).toHaveLength(3)
    })

    it('fails retryably when the connection is cut or refused', async () => {
      await using server = await loopbackServer(() => ({ end: 'cut', text: '{"' }))
      const cut = await (await connect(server)).embed(TEXTS).catch((caught) => caught)
      expect(cut).toMatchObject({ provider: wire.provider, retryable: true })
      await server.close()
      const refused = await (await connect(server)).embed(TEXTS).catch((caught) => caught)
      expect(refused).toMatchObject({ code: 'PROVIDER_FAILED', provider: wire.provider, retryable: true })
    })

    it('ends by its deadlines, and in the next turns of the event loop after an abort', async () => {
      let answer: LoopbackAnswer = { end: 'silence' }
      await using server = await loopbackServer(() => answer)
      const late = { code: 'PROVIDER_FAILED', retryable: true }
      const run = async (deadlines: ContractConnection['deadlines']) =>
        (await connect(server, { deadlines: deadlines ?? {} })).embed(TEXTS)
      await expect(run({ totalMs: 30 })).rejects.toMatchObject(late)
      if (wire.ownFetch !== false) {
        await expect(run({ headMs: 30 })).rejects.toMatchObject(late)
        answer = { end: 'stall', headers: { 'content-type': 'application/json' }, text: '' }
        await expect(run({ firstByteMs: 30 })).rejects.toMatchObject(late)
        answer = { end: 'stall', headers: { 'content-type': 'application/json' }, text: '{"x":' }
        await expect(run({ idleMs: 30 })).rejects.toMatchObject(late)
      }
      const controller = new AbortController()
      const reason = new Error('enough')
      const before = server.requests.length
      const call = (await connect(server)).embed(TEXTS, { signal: controller.signal })
      const settled = call.catch((error) => error)
      while (server.requests.length === before) await new Promise(setImmediate)
      let outcome: unknown
      settled.then((value) => {
        outcome = value
      })
      controller.abort(reason)
      // Turns of the event loop and not milliseconds: the machine may be busy.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      expect(outcome).toBe(reason)
    })

    it('refuses to send texts in the clear to another machine', async () => {
      const open = async () => wire.make({ baseURL: 'http://192.0.2.1/v1', apiKey: KEY })
      await expect(open()).rejects.toMatchObject({ code: 'INSECURE_TRANSPORT' })
    })

    it('gives a typed error and no vector for each of many malformed answers', async () => {
      let answer: LoopbackAnswer = {}
      await using server = await loopbackServer(() => answer)
      const embedder = await connect(server)
      const body = await bodyOf(wire)
      const good = async () => honest(body)
      for (const [name, reply] of await malformed(wire, good)) {
        answer = reply
        const outcome = await embedder.embed(TEXTS).then(
          (value) => ({ value }),
          (error) => ({ error }),
        )
        expect(outcome, name).toMatchObject({ error: { code: 'INVALID_RESPONSE', provider: wire.provider } })
      }
    })

    it('keeps the usable vectors of an answer beside those that are not', async () => {
      await using server = await loopbackServer(async (request) => {
        const json = await honest(request)
        const rows = rowsOf(wire, json)
        setVector(wire, rows, 1, new Array(DIMENSIONS).fill(0))
        return { json }
      })
      const { vectors, failures } = await embedAll(await connect(server), TEXTS)
      expect(failures).toMatchObject([{ index: 1, error: { code: 'INVALID_RESPONSE' } }])
      const [one, , three] = await expected(TEXTS)
      closeTo([vectors[0], vectors[2]], [one, three])
      expect(server.requests).toHaveLength(1)
    })

    const { index } = wire.rows
    if (index !== undefined) {
      it('puts rows back into the order of the inputs, and refuses rows that do not say where they belong', async () => {
        let change: (rows: Json[]) => unknown = (rows) => rows.reverse()
        await using server = await loopbackServer(async (request) => {
          const json = await honest(request)
          change(rowsOf(wire, json) as Json[])
          return { json }
        })
        const embedder = await connect(server)
        closeTo((await embedder.embed(TEXTS)).vectors, await expected(TEXTS))
        for (const wrong of [0, 3, -1, 1.5, '1', null]) {
          change = (rows) => rows.splice(1, 1, { ...rows[1], [index]: wrong })
          await expect(embedder.embed(TEXTS), `index ${wrong}`).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
        }
      })
    }
  })
}

function closeTo(actual: readonly (Float32Array | undefined)[], expected: readonly (Float32Array | undefined)[]) {
  expect(actual).toHaveLength(expected.length)
  for (const [row, vector] of actual.entries()) {
    expect(vector).toHaveLength(expected[row]?.length ?? -1)
    for (const [at, component] of (vector ?? []).entries())
      if (Math.abs(component - (expected[row]?.[at] ?? 9)) > 1e-6)
        throw new Error(`vector ${row} is not that of its text`)
  }
}

/** A body that the wire's own request would have for the texts, caught from a real call. */
async function bodyOf(wire: EmbedderWire): Promise<{ readonly body: unknown }> {
  await using server = await loopbackServer(() => ({ status: 400, json: {} }))
  const embedder = await wire.make({ baseURL: server.url, apiKey: KEY })
  await embedder.embed(TEXTS).catch(() => {})
  return { body: server.requests[0]?.body }
}

function rowsOf(wire: EmbedderWire, json: Json): unknown[] {
  return wire.rows.path.reduce<unknown>((value, key) => (value as Json)[key], json) as unknown[]
}

function setVector(wire: EmbedderWire, rows: unknown[], row: number, vector: unknown): void {
  rows[row] = wire.rows.vector === undefined ? vector : { ...(rows[row] as Json), [wire.rows.vector]: vector }
}

async function malformed(
  wire: EmbedderWire,
  good: () => Promise<Json>,
): Promise<readonly (readonly [string, LoopbackAnswer])[]> {
  const json = { 'content-type': 'application/json' }
  const answers: [string, LoopbackAnswer][] = [
    ['HTML with status 200', { text: '<html>Sign in to the Wi-Fi</html>' }],
    ['HTML that calls itself JSON', { text: '<html>', headers: json }],
    ['an empty body', { text: '', headers: json }],
    ['half of the answer', { text: JSON.stringify(await good()).slice(0, -20), headers: json }],
    ['null', { json: null }],
    ['a number', { json: 42 }],
    ['a text', { json: 'vectors' }],
    ['a list', { json: [] }],
    ['an empty object', { json: {} }],
    ['an error with status 200', { json: wire.refusal('overloaded') }],
  ]
  const last = wire.rows.path.at(-1) ?? ''
  for (const list of [
    null,
    {},
    'text',
    7,
    true,
    [],
    [[]],
    [null, null, null],
    [{}, {}, {}],
    ['a', 'b', 'c'],
    [1, 2, 3],
  ]) {
    const reply = await good()
    const parent = wire.rows.path.slice(0, -1).reduce<Json>((value, key) => value[key] as Json, reply)
    parent[last] = list
    answers.push([`a list that is ${JSON.stringify(list)}`, { json: reply }])
  }
  for (const [name, change] of [
    ['one fewer at the start', (rows: unknown[]) => rows.shift()],
    ['one fewer at the end', (rows: unknown[]) => rows.pop()],
    ['one more', (rows: unknown[]) => rows.push(rows[0])],
    ['all twice', (rows: unknown[]) => rows.push(...rows)],
  ] as const) {
    const reply = await good()
    change(rowsOf(wire, reply))
    answers.push([name, { json: reply }])
  }
  const vector = new Array(DIMENSIONS).fill(0.25)
  for (const [name, wrong] of [
    ['null', null],
    ['a text', 'not a vector'],
    ['a number', 3],
    ['an object', { 0: 1 }],
    ['empty', []],
    ['one too short', vector.slice(1)],
    ['one too long', [...vector, 0.25]],
    ['zero', vector.map(() => 0)],
    ['of texts', vector.map(String)],
    ['of nulls', vector.map(() => null)],
    ['of booleans', vector.map(() => true)],
    ['of lists', vector.map(() => [1])],
    ['with one null', [null, ...vector.slice(1)]],
    ['with an infinity', [1e39, ...vector.slice(1)]],
  ] as const) {
    for (const row of [0, 2]) {
      const reply = await good()
      setVector(wire, rowsOf(wire, reply), row, wrong)
      answers.push([`vector ${row} ${name}`, { json: reply }])
    }
  }
  return answers
}
