// What the parts of bench/search.mjs share: data and truth from a cache, the peers behind one shape, clocks and ratios.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Index } from 'usearch'
import { exactIndex } from '../dist/vector-index/index.js'
import { clusteredVectors, createRandom } from './search-data.mjs'

export const [M, EF] = [16, 128]

/** Vectors, queries and the exact ten nearest of each, made once and kept in `folder`. */
export async function openData({ size, dimensions, queries: count, file, cache }) {
  const name = file ? createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12) : `clustered-${size}`
  const folder = join(cache ?? join(tmpdir(), 'groundline-bench-search'), `${name}-${dimensions}`)
  mkdirSync(folder, { recursive: true })
  const paths = ['vectors.f32', 'queries.f32', 'truth.json'].map((each) => join(folder, each))
  const [vectorFile, queryFile, truthFile] = paths
  if (!paths.every(existsSync)) {
    const made = file ? splitFile(file, dimensions, count) : clusteredVectors({ size, dimensions, queries: count })
    write(vectorFile, flatten(made.vectors, dimensions))
    write(queryFile, flatten(made.queries, dimensions))
    const oracle = await oracleOf(made.vectors, dimensions)
    const truth = []
    for (const query of made.queries)
      truth.push((await oracle.search(query, { topK: 10 })).map(({ id }) => Number(id.slice(1))))
    write(truthFile, JSON.stringify(truth))
  }
  const flat = floatsOf(vectorFile)
  const vectors = rowsOf(flat, dimensions)
  const queries = rowsOf(floatsOf(queryFile), dimensions)
  return { folder, flat, vectors, queries, truth: JSON.parse(readFileSync(truthFile, 'utf8')), dimensions }
}

/** What filters compare: a hundred values, and a thousand. */
export const percentOf = (i) => (i * 7919) % 100
export const milleOf = (i) => (i * 104_729) % 1000
export const entriesOf = (vectors) =>
  vectors.map((vector, i) => ({ id: `v${i}`, vector, metadata: { percent: percentOf(i), mille: milleOf(i) } }))

/** Queries like the stored vectors: some of these with noise of a fifth of their length. */
export function likeThose(vectors, count) {
  const random = createRandom(11)
  return Array.from({ length: count }, () => {
    const vector = vectors[random.below(vectors.length)]
    const noisy = vector.map((value) => value + (0.2 * random.normal()) / Math.sqrt(vector.length))
    const norm = Math.hypot(...noisy)
    return noisy.map((value) => value / norm)
  })
}

export async function oracleOf(vectors, dimensions) {
  const oracle = exactIndex({ dimensions })
  await oracle.upsert(entriesOf(vectors))
  return oracle
}

/** A raw index with unit vectors and the inner product: the cheapest way to ask USearch for the cosine. */
export function rawIndex(dimensions, width = 1) {
  return new Index({
    dimensions,
    metric: 'ip',
    quantization: 'bf16',
    connectivity: M,
    expansion_add: EF,
    expansion_search: width,
    multi: false,
  })
}

/** hnswlib-node; its binding wants plain arrays, which are made before any clock starts. */
export function openHnswlib(dimensions, size, path) {
  const { HierarchicalNSW } = createRequire(import.meta.url)('hnswlib-node')
  const index = new HierarchicalNSW('ip', dimensions)
  if (path === undefined) index.initIndex(size, M, EF)
  else index.readIndexSync(path)
  return index
}

export function recallOf(answers, truth) {
  let hits = 0
  for (const [i, found] of answers.entries()) for (const key of found) if (truth[i].includes(Number(key))) hits++
  return hits / (10 * answers.length)
}

export function lowWords(keys) {
  const words = new Uint32Array(keys.buffer, keys.byteOffset, keys.length * 2)
  return Uint32Array.from({ length: keys.length }, (_, i) => words[2 * i])
}

/** Queries a second, one call after another. */
export async function rateOf(queries, search) {
  const start = performance.now()
  for (const each of queries) {
    const found = search(each)
    if (found instanceof Promise) await found
  }
  return queries.length / ((performance.now() - start) / 1e3)
}

/** Takes turns for some rounds; the middle rate of each. Rounds in which the machine was busy hit all of them. */
export async function inTurns(rounds, contenders) {
  const rates = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries(contenders)) rates[name].push(await measure())
  const ratio = (a, b) => median(rates[a].map((rate, i) => rate / rates[b][i]))
  return { rate: (name) => median(rates[name]), ratio }
}

export async function cpuOf(work) {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

export async function timeOf(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

export function flatten(rows, dimensions) {
  const flat = new Float32Array(rows.length * dimensions)
  for (const [i, row] of rows.entries()) flat.set(row, i * dimensions)
  return flat
}

/** Frees what is no longer needed, so that nobody is charged for what those before left behind. */
export function collectGarbage() {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** The event loop's delay by its histogram, and the longest gap between two turns of a timer. */
export function watchLoop() {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  delay.enable()
  return {
    stop() {
      delay.disable()
      clearInterval(timer)
      return { p99: delay.percentile(99) / 1e6, longest }
    },
  }
}

/** The CPU with its capabilities, and the time of a fixed loop. */
export function printMachine() {
  let flags = []
  try {
    flags = /flags\s*:\s*(.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? []
  } catch {
    // Not Linux: the model name has to do.
  }
  const shown = flags.filter((flag) => /^avx|^fma|^f16c|^amx/.test(flag)).join(' ') || 'flags unknown'
  console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${shown}`)
  const start = performance.now()
  let x = 0
  for (let i = 0; i < 5e7; i++) x = (x + i * 3) | 0
  console.log(`calibration loop ${(x === 1 ? 0 : performance.now() - start).toFixed(1)} ms`)
}

function splitFile(file, dimensions, count) {
  const rows = rowsOf(floatsOf(file), dimensions)
  // Raw peers compare by inner product.
  for (const row of rows) {
    const norm = Math.hypot(...row)
    if (norm > 0) for (let i = 0; i < row.length; i++) row[i] /= norm
  }
  const held = Math.min(count, Math.floor(rows.length / 10))
  return { queries: rows.slice(0, held), vectors: rows.slice(held) }
}

function floatsOf(path) {
  const bytes = readFileSync(path)
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
}

function rowsOf(flat, dimensions) {
  return Array.from({ length: flat.length / dimensions }, (_, i) => flat.slice(i * dimensions, (i + 1) * dimensions))
}

function write(path, data) {
  writeFileSync(`${path}.tmp`, typeof data === 'string' ? data : new Uint8Array(data.buffer))
  renameSync(`${path}.tmp`, path)
}

/** The least width that reaches a recall, by answers for a width. */
export function leastWidth(truth, target, answersAt) {
  for (let ef = 10; ef <= 2_000; ef = Math.max(ef + 1, Math.ceil(ef * 1.05)))
    if (recallOf(answersAt(ef), truth) >= target) return ef
  return 2_000
}

/** Bytes that a process of its own holds after it opened an index and searched it. */
export function memoryOf(kind, path, { dimensions, size, queries }) {
  const script = fileURLToPath(new URL('./search-memory.mjs', import.meta.url))
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--expose-gc', script, kind, path, String(dimensions), String(size), queries],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
