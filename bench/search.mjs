// Vector search side by side: raw usearch, hnswlib-node and usearchIndex, on clustered data with exact truth.
// npm run bench:search -- [--size 100000] [--dimensions 384] [--queries 300] [--vectors file.f32] [--check] [--skip-hnswlib]
// Peers are timed in turns within one run; ratios are what counts. A file of 32-bit floats gives real vectors.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { Index } from 'usearch'
import { usearchIndex } from '../dist/providers/usearch/index.js'
import { exactIndex } from '../dist/vector-index/index.js'
import { clusteredVectors, createRandom } from './search-data.mjs'

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '100000' },
    dimensions: { type: 'string', default: '384' },
    queries: { type: 'string', default: '300' },
    vectors: { type: 'string' },
    check: { type: 'boolean', default: false },
    'skip-hnswlib': { type: 'boolean', default: false },
  },
})
const dimensions = Number(options.dimensions)
const [M, EF] = [16, 128]
const failures = []
const check = (holds, text) => {
  if (!holds) failures.push(text)
}
const flags = /flags\s*:\s*(.*)/.exec(safely(() => readFileSync('/proc/cpuinfo', 'utf8')) ?? '')?.[1].split(' ') ?? []
console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${flags.filter((flag) => /^avx|^fma|^f16c|^amx/.test(flag)).join(' ') || 'flags unknown'}`,
)
console.log(`calibration loop ${calibration().toFixed(1)} ms`)

const { vectors, queries } = readData()
const size = vectors.length
console.log(`${size} × ${dimensions}, ${queries.length} queries, M ${M}, efConstruction ${EF}, one thread`)

// Exact truth from the exact index, and its own speed.
const oracle = exactIndex({ dimensions })
const ids = vectors.map((_, i) => `v${i}`)
const percents = Uint8Array.from({ length: size }, (_, i) => (i * 7919) % 100)
const metadataOf = (i) => ({ percent: percents[i], mille: (i * 104_729) % 1000 })
await oracle.upsert(vectors.map((vector, i) => ({ id: ids[i], vector, metadata: metadataOf(i) })))
const scanStart = performance.now()
const truth = []
for (const query of queries) truth.push((await oracle.search(query, { topK: 10 })).map(({ id }) => Number(id.slice(1))))
console.log(`exact scan ${((performance.now() - scanStart) / queries.length).toFixed(2)} ms a query`)

// Builds, in slices taken in turns, in CPU seconds of this process while each one works.
const flat = new Float32Array(size * dimensions)
for (const [i, vector] of vectors.entries()) flat.set(vector, i * dimensions)
const raw = new Index({
  dimensions,
  metric: 'ip',
  quantization: 'bf16',
  connectivity: M,
  expansion_add: EF,
  expansion_search: 1,
  multi: false,
})
const hnswlib = options['skip-hnswlib'] ? undefined : loadHnswlib()
const cpu = { raw: 0, hnswlib: 0 }
for (let from = 0; from < size; from += 1_000) {
  const to = Math.min(size, from + 1_000)
  const keys = BigUint64Array.from({ length: to - from }, (_, i) => BigInt(from + i))
  cpu.raw += cpuOf(() => raw.add(keys, flat.slice(from * dimensions, to * dimensions), 1))
  if (hnswlib)
    cpu.hnswlib += cpuOf(() => {
      for (let i = from; i < to; i++) hnswlib.addPoint(vectors[i], i)
    })
}
report(
  'build',
  `raw usearch bf16 ${(size / cpu.raw).toFixed(0)} inserts per CPU second`,
  hnswlib && `hnswlib ${(size / cpu.hnswlib).toFixed(0)}, ratio ${(cpu.hnswlib / cpu.raw).toFixed(2)}`,
)
if (hnswlib) check(cpu.hnswlib / cpu.raw >= 1.5, 'build below 1.5 × hnswlib-node')

// Ours: upsert and build while the event loop is watched.
const folder = mkdtempSync(join(tmpdir(), 'groundline-bench-'))
const ours = await usearchIndex({ dimensions, directory: folder })
const delay = monitorEventLoopDelay({ resolution: 1 })
let longest = 0
let last = performance.now()
const timer = setInterval(() => {
  longest = Math.max(longest, performance.now() - last)
  last = performance.now()
}, 1)
const entries = vectors.map((vector, i) => ({ id: ids[i], vector, metadata: metadataOf(i) }))
await new Promise((resolve) => setTimeout(resolve, 50))
delay.enable()
longest = 0
const buildStart = performance.now()
await ours.upsert(entries)
const upserted = performance.now() - buildStart
await ours.settled()
delay.disable()
clearInterval(timer)
report(
  'event loop',
  `upsert ${(upserted / 1e3).toFixed(1)} s, build ${((performance.now() - buildStart) / 1e3).toFixed(1)} s; delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, longest gap ${longest.toFixed(1)} ms`,
)
check(delay.percentile(99) / 1e6 <= 20, 'event-loop delay p99 above 20 ms while building')
check(longest <= 50, 'a gap of the event loop above 50 ms while building')
console.log(
  '  measured by itself:',
  JSON.stringify(ours.stats().recall),
  `on ${ours.stats().recallQueries} held-out vectors`,
)

// Queries per second at equal recall, in turns.
const rawAt = (ef) => (query) => lowWords(raw.search(query, ef, 1).keys).subarray(0, 10)
const hnswAt = (ef) => {
  hnswlib.setEf(ef)
  return (query) => hnswlib.searchKnn(query, 10).neighbors
}
const oursAt = async (query) => (await ours.search(query, { topK: 10 })).map(({ id }) => Number(id.slice(1)))
const oursRecall = recallOf(await Promise.all(queries.map(oursAt)))
report('default recall', `ours ${oursRecall.toFixed(4)} (target 0.99)`)
check(oursRecall >= 0.985, 'default recall below its target')
for (const target of [0.95, 0.99]) {
  const oneOfOurs = target === 0.99 ? ours : await withRecall(0.95)
  const rawEf = leastEf(target, rawAt)
  const hnswEf = hnswlib && leastEf(target, hnswAt)
  const rates = { raw: [], hnswlib: [], ours: [] }
  for (let round = 0; round < 5; round++) {
    rates.raw.push(rateOf(rawAt(rawEf)))
    if (hnswlib) rates.hnswlib.push(rateOf(hnswAt(hnswEf)))
    rates.ours.push(await asyncRateOf((query) => oneOfOurs.search(query, { topK: 10 })))
  }
  const [rawRate, hnswRate, ourRate] = [rates.raw, rates.hnswlib, rates.ours].map(median)
  const recall = recallOf(
    await Promise.all(
      queries.map(async (query) => (await oneOfOurs.search(query, { topK: 10 })).map(({ id }) => Number(id.slice(1)))),
    ),
  )
  report(
    `recall ${target}`,
    `ours ${ourRate.toFixed(0)}/s at ${recall.toFixed(4)}, raw usearch ${rawRate.toFixed(0)}/s (ef ${rawEf})`,
    hnswlib && `hnswlib ${hnswRate.toFixed(0)}/s (ef ${hnswEf}), ratio ${(ourRate / hnswRate).toFixed(2)}`,
  )
  if (hnswlib)
    check(
      ourRate / hnswRate >= (target === 0.95 ? 1.3 : 1.2),
      `queries/s at ${target} below the bound against hnswlib-node`,
    )
}

// What the layer above raw usearch costs, at the same number of candidates. The raw index has unit vectors and the inner
// product, which is the cheapest way to ask USearch for the cosine.
const width = ours.stats().recall.find(({ topK }) => topK === 10)?.candidates ?? 32
const overhead = []
for (let round = 0; round < 7; round++) {
  const rawRate = rateOf((query) => raw.search(query, width, 1))
  overhead.push((await asyncRateOf((query) => ours.search(query, { topK: 10 }))) / rawRate)
}
report(
  'overhead',
  `ours ${median(overhead).toFixed(3)} of raw usearch's queries/s at ${width} candidates, rescoring included`,
)
check(median(overhead) >= 0.95, 'below 0.95 of raw usearch')

// Filters.
const filters = [
  ['50 %', { op: 'lt', path: ['percent'], value: 50 }, (i) => percents[i] < 50],
  ['10 %', { op: 'lt', path: ['percent'], value: 10 }, (i) => percents[i] < 10],
  ['1 %', { op: 'eq', path: ['percent'], value: 3 }, (i) => percents[i] === 3],
  ['0.1 %', { op: 'eq', path: ['mille'], value: 5 }, (i) => (i * 104_729) % 1000 === 5],
]
const few = queries.slice(0, 60)
for (const [name, filter, passes] of filters) {
  const expected = []
  for (const query of few) expected.push((await oracle.search(query, { topK: 10, filter })).map(({ id }) => id))
  let found = 0
  const time = { ours: [], scan: [], hnswlib: [] }
  for (const [i, query] of few.entries()) {
    let start = performance.now()
    const matches = await ours.search(query, { topK: 10, filter })
    time.ours.push(performance.now() - start)
    check(matches.length === expected[i].length, `filter ${name} gave ${matches.length} matches`)
    found += matches.filter(({ id }) => expected[i].includes(id)).length / expected[i].length
    start = performance.now()
    await oracle.search(query, { topK: 10, filter })
    time.scan.push(performance.now() - start)
    if (hnswlib && i < 20) {
      hnswlib.setEf(name === '50 %' ? 100 : 400)
      start = performance.now()
      hnswlib.searchKnn(query, 10, passes)
      time.hnswlib.push(performance.now() - start)
    }
  }
  const against =
    hnswlib &&
    `hnswlib callback ${median(time.hnswlib).toFixed(2)} ms, ratio ${(median(time.hnswlib) / median(time.ours)).toFixed(1)}`
  report(
    `filter ${name}`,
    `ours ${median(time.ours).toFixed(2)} ms at recall ${(found / few.length).toFixed(3)}, exact scan ${median(time.scan).toFixed(2)} ms`,
    against,
  )
  check(found / few.length >= 0.98, `filter ${name}: recall below 0.98`)
  check(median(time.ours) <= 1.2 * median(time.scan), `filter ${name}: slower than 1.2 × the exact scan`)
  if (hnswlib && name === '1 %') check(median(time.hnswlib) / median(time.ours) >= 20, 'filter 1 %: below 20 × hnswlib')
}
const query = queries[0]
const near = await oracle.search(query, { topK: Math.min(2_000, size / 5) })
const marked = near.map(({ id }) => ({ id, metadata: { near: true } }))
await ours.updateMetadata(marked)
await oracle.updateMetadata(marked)
const away = { op: 'ne', path: ['near'], value: true }
const expectedAway = (await oracle.search(query, { topK: 10, filter: away })).map(({ id }) => id)
const gotAway = await ours.search(query, { topK: 10, filter: away })
const awayRecall = gotAway.filter(({ id }) => expectedAway.includes(id)).length / 10
report('anti-correlated', `${gotAway.length} matches at recall ${awayRecall.toFixed(2)}`)
check(gotAway.length === 10 && awayRecall >= 0.95, 'anti-correlated filter')

// Memory and opening: graph files against each other, and a process of its own for each is left to the operating system.
const graphBytes = ours.stats().graphBytes
if (hnswlib) {
  const path = join(folder, 'hnswlib.bin')
  hnswlib.writeIndexSync(path)
  report(
    'graph size',
    `ours ${(graphBytes / 1e6).toFixed(0)} MB, hnswlib ${(statSync(path).size / 1e6).toFixed(0)} MB, ratio ${(graphBytes / statSync(path).size).toFixed(2)}`,
  )
  check(graphBytes / statSync(path).size <= 0.6, 'graph above 0.6 of hnswlib-node')
} else report('graph size', `ours ${(graphBytes / 1e6).toFixed(0)} MB`)
await ours.save()

// Churn: 30 % out, 30 % in.
const random = createRandom(9)
const gone = ids.filter(() => random.next() < 0.3)
const fresh = clusteredVectors({ size: gone.length, dimensions, queries: 0, seed: 2 }).vectors
const added = fresh.map((vector, i) => ({ id: `n${i}`, vector }))
for (const index of [ours, oracle]) {
  await index.remove(gone)
  await index.upsert(added)
}
const churned = async () => {
  let hits = 0
  for (const each of queries.slice(0, 100)) {
    const expected = (await oracle.search(each, { topK: 10 })).map(({ id }) => id)
    hits += (await ours.search(each, { topK: 10 })).filter(({ id }) => expected.includes(id)).length
  }
  return hits / 1_000
}
const before = await churned()
await ours.settled()
const after = await churned()
report('30 % churn', `recall ${before.toFixed(4)} at once, ${after.toFixed(4)} after the graph was published`)
check(before >= 0.985 && after >= 0.985, 'recall after churn')
await ours.close()

const openStart = performance.now()
const again = await usearchIndex({ dimensions, directory: folder, vectors: 'file' })
report(
  'open',
  `${(performance.now() - openStart).toFixed(0)} ms with vectors on file, digests verified, ${again.stats().graphNodes} nodes`,
)
await again.close()
rmSync(folder, { recursive: true })

for (const failure of failures) console.log(`FAILED ${failure}`)
console.log(failures.length === 0 ? 'bench:search: every bound holds' : `bench:search: ${failures.length} bounds fail`)
if (options.check) process.exitCode = failures.length === 0 ? 0 : 1

function readData() {
  if (options.vectors === undefined)
    return clusteredVectors({ size: Number(options.size), dimensions, queries: Number(options.queries) })
  const bytes = readFileSync(options.vectors)
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const rows = Array.from({ length: all.length / dimensions }, (_, i) =>
    all.slice(i * dimensions, (i + 1) * dimensions),
  )
  const count = Math.min(Number(options.queries), Math.floor(rows.length / 10))
  return { queries: rows.slice(0, count), vectors: rows.slice(count) }
}

function loadHnswlib() {
  const { HierarchicalNSW } = createRequire(import.meta.url)('hnswlib-node')
  const index = new HierarchicalNSW('ip', dimensions)
  index.initIndex(size, M, EF)
  // Its binding wants plain arrays.
  return {
    addPoint: (vector, label) => index.addPoint(Array.from(vector), label),
    searchKnn: (query, k, filter) => index.searchKnn(Array.from(query), k, filter),
    setEf: (ef) => index.setEf(ef),
    writeIndexSync: (path) => index.writeIndexSync(path),
  }
}

async function withRecall(recall) {
  const index = await usearchIndex({ dimensions, recall })
  await index.upsert(entries)
  await index.settled()
  return index
}

function leastEf(target, searchAt) {
  for (let ef = 10; ef <= 2_000; ef = Math.max(ef + 2, Math.ceil(ef * 1.1))) {
    const search = searchAt(ef)
    if (recallOf(queries.map(search)) >= target) return ef
  }
  return 2_000
}

function recallOf(answers) {
  const hits = answers.reduce(
    (sum, found, i) => sum + Array.from(found).filter((key) => truth[i].includes(Number(key))).length,
    0,
  )
  return hits / (10 * answers.length)
}

function rateOf(search) {
  const start = performance.now()
  for (const each of queries) search(each)
  return queries.length / ((performance.now() - start) / 1e3)
}

async function asyncRateOf(search) {
  const start = performance.now()
  for (const each of queries) await search(each)
  return queries.length / ((performance.now() - start) / 1e3)
}

function lowWords(keys) {
  const words = new Uint32Array(keys.buffer, keys.byteOffset, keys.length * 2)
  return Uint32Array.from({ length: keys.length }, (_, i) => words[2 * i])
}

function cpuOf(work) {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

function calibration() {
  const start = performance.now()
  let x = 0
  for (let i = 0; i < 5e7; i++) x = (x + i * 3) | 0
  return x === 1 ? 0 : performance.now() - start
}

function report(name, ...parts) {
  console.log(`${name.padEnd(16)} ${parts.filter(Boolean).join('; ')}`)
}

function safely(call) {
  try {
    return call()
  } catch {
    return undefined
  }
}
