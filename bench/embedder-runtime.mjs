/**
 * The embedding runtime over real HTTP against a provider on this machine that enforces
 * limits and misbehaves. Rate limits: how much of a limit is used under load, and whether the provider ever saw more in any
 * window. Faults: 10,000 calls at once, 35 % of the answers wrong (429, 500, HTML, wrong count, cut, silent), all settled
 * by their deadline, no text with a vector of another. Each request through the official `openai` package.
 * `--check` fails when a floor is missed: 95 % used, 0 exceeded, 0 unsettled, 0 wrong pairs, 0 unhandled rejections.
 */
import pLimit from 'p-limit'
import { embedAll, rateLimiter, withRateLimit } from '../dist/embedder/index.js'
import { deadlineFetch } from '../dist/internal/deadline.js'
import { openaiCompatibleEmbedder } from '../dist/providers/openai-compatible/index.js'
import { createRandom, fakeEmbedder, loopbackServer } from '../dist/testing/index.js'

const checking = process.argv.includes('--check')
const failures = []
const expectThat = (holds, message) => {
  if (!holds) failures.push(message)
}
let unhandled = 0
process.on('unhandledRejection', () => unhandled++)

const DIMENSIONS = 16
const fake = fakeEmbedder({ dimensions: DIMENSIONS })
const answerTo = async (texts) => ({
  data: (await fake.embed(texts)).vectors.map((vector, index) => ({ index, embedding: [...vector] })),
  usage: { total_tokens: texts.length * 10 },
})

console.log(`Node ${process.version}; calibration loop ${calibrate().toFixed(0)} ms\n`)
await rateLimits()
await faults()
expectThat(unhandled === 0, `${unhandled} unhandled rejections`)
console.log(`unhandled rejections: ${unhandled}`)
if (checking) {
  for (const failure of failures) console.log(`FAIL ${failure}`)
  console.log(failures.length === 0 ? 'All floors hold.' : `${failures.length} floors missed.`)
}
process.exit(checking && failures.length > 0 ? 1 : 0)

async function rateLimits() {
  const windowMs = 3000
  const limits = [
    ['200 requests', { requests: 200, windowMs }, 1400],
    ['4,000 tokens', { tokens: 4000, windowMs }, 2800],
  ]
  for (const [name, limit, texts] of limits) {
    const seen = []
    const server = await loopbackServer(async ({ body }) => {
      seen.push({ at: performance.now(), tokens: body.input.length * 10 })
      return { json: await answerTo(body.input) }
    })
    const plain = openaiCompatibleEmbedder({
      baseURL: server.url,
      model: 'm',
      dimensions: DIMENSIONS,
      limits: { items: 1 },
    })
    // Two users of one key share the limiter.
    const limiter = rateLimiter(limit)
    const embedder = () => withRateLimit(plain, limiter, { countTokens: () => 10 })
    const half = (part) => Array.from({ length: texts / 2 }, (_, index) => `text ${part} ${index}`)
    const results = await Promise.all([0, 1].map((part) => embedAll(embedder(), half(part), { concurrency: 40 })))
    const missing = results.flatMap(({ failures }) => failures).length
    const most = (measure) => busiest(seen, windowMs, measure)
    const [measure, bound] = limit.requests ? [() => 1, limit.requests] : [({ tokens }) => tokens, limit.tokens]
    // Between the first and the last request only whole windows count.
    const span = Math.max(seen.at(-1).at - seen[0].at, windowMs)
    const windows = Math.floor(span / windowMs)
    const until = seen[0].at + windows * windowMs
    const within = seen.filter(({ at }) => at < until).reduce((sum, each) => sum + measure(each), 0)
    const used = within / (windows * bound)
    const peak = most(measure)
    console.log(
      `${name} per ${windowMs / 1000} s: ${seen.length} requests, ${(used * 100).toFixed(1)} % used, busiest window ${peak} of ${bound}`,
    )
    expectThat(peak <= bound, `${name}: exceeded, ${peak} of ${bound}`)
    expectThat(used >= 0.95, `${name}: ${(used * 100).toFixed(1)} % used`)
    expectThat(missing === 0, `${name}: ${missing} texts without a vector`)
    await server.close()
  }
}

async function faults() {
  const random = createRandom(1)
  const misbehave = [
    () => ({ status: 429, headers: { 'retry-after-ms': '20' }, json: { error: { message: 'slow down' } } }),
    () => ({ status: 500, json: { error: { message: 'broken' } } }),
    () => ({ text: '<html>sign in</html>' }),
    () => ({ json: { data: [], usage: {} } }),
    () => ({ end: 'cut', text: '{"data":' }),
  ]
  // Silence costs five seconds of patience and a socket: one fault in fifty.
  const fault = () => (random.next() < 0.02 ? { end: 'silence' } : random.pick(misbehave)())
  const server = await loopbackServer(async ({ body }) =>
    random.next() < 0.35 ? fault() : { json: await answerTo(body.input) },
  )
  const calls = 10_000
  const deadlineMs = 240_000
  const sockets = pLimit(64)
  const impatient = deadlineFetch('openai-compatible', { headMs: 5000 })
  const embedder = openaiCompatibleEmbedder({
    baseURL: server.url,
    model: 'm',
    dimensions: DIMENSIONS,
    // One machine cannot hold 10,000 sockets at both ends: the calls are all under way, 64 of them on the wire.
    fetch: (input, init) => sockets(() => impatient(input, init)),
    deadlines: { headMs: deadlineMs },
  })
  const started = performance.now()
  const texts = Array.from({ length: calls }, (_, index) => `text ${index}`)
  const expected = (await fake.embed(texts)).vectors
  let [done, failed, wrong, late] = [0, 0, 0, 0]
  await Promise.all(
    texts.map(async (text, index) => {
      const begun = performance.now()
      const { vectors } = await embedAll(embedder, [text], { retry: { baseMs: 20, deadlineMs } })
      if (performance.now() - begun > deadlineMs * 1.05) late++
      if (!vectors[0]) failed++
      else if (vectors[0].every((component, at) => Math.abs(component - expected[index][at]) < 1e-6)) done++
      else wrong++
    }),
  )
  const seconds = (performance.now() - started) / 1000
  console.log(
    `${calls} calls at once, 35 % faults: ${done} vectors, ${failed} typed failures, ${wrong} wrong pairs, ${late} late, ` +
      `${server.requests.length} requests (${(server.requests.length / calls).toFixed(2)} a call), ${seconds.toFixed(1)} s`,
  )
  expectThat(done + failed === calls, `${calls - done - failed} calls did not settle well`)
  expectThat(wrong === 0, `${wrong} wrong pairs`)
  expectThat(late === 0, `${late} calls settled after their deadline`)
  expectThat(server.requests.length <= calls * 3, `more than three attempts a call`)
  // Three attempts at 35 % leave 4.3 % without an answer.
  expectThat(done >= calls * 0.95, `only ${done} of ${calls} calls got a vector`)
  await server.close()
}

/** The most of a measure in any window. */
function busiest(seen, windowMs, measure) {
  const ordered = seen.toSorted((a, b) => a.at - b.at)
  let [start, sum, most] = [0, 0, 0]
  for (const each of ordered) {
    sum += measure(each)
    while (ordered[start].at <= each.at - windowMs) sum -= measure(ordered[start++])
    most = Math.max(most, sum)
  }
  return most
}

/** A fixed piece of work, so that figures of two machines can be set side by side. */
function calibrate() {
  const started = performance.now()
  let sum = 0
  for (let index = 0; index < 2e8; index++) sum = (sum + index * 31) | 0
  return performance.now() - started + (sum & 0)
}
