/**
 * `npm run bench:static-embedder`: the shipped embedding model on one core: load in a process of its own, short texts a second,
 * long text, and the time of one query. Rates are per second of CPU time, so that a busy machine does not blur them. With `--minilm FOLDER` (a folder in the layout of transformers.js) the same short
 * texts go through all-MiniLM-L6-v2 of whichever transformers.js is installed, in turn with the static model.
 * `--check` fails when a floor is missed: 20,000 short texts a second, load within 60 ms, p95 of a query within 0.2 ms.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { staticEmbedder } from '../dist/embedder/static-embedder.js'

const now = () => performance.now()
const cpu = () => Object.values(process.cpuUsage()).reduce((sum, microseconds) => sum + microseconds / 1000, 0)
const option = (name) => {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : process.argv[at + 1]
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

if (process.argv.includes('--load')) {
  const start = cpu()
  await staticEmbedder()
  process.stdout.write(String(cpu() - start))
  process.exit()
}

const prose = ['README.md', 'CHANGELOG.md', 'docs/architecture.md', 'docs/errors.md']
  .map((file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'))
  .join('\n')
const words = prose.split(/\s+/)
const shorts = Array.from({ length: 4000 }, (_, at) =>
  words
    .slice((at * 7) % (words.length - 12))
    .slice(0, 12)
    .join(' '),
)
const long = prose.repeat(Math.ceil(1_000_000 / prose.length))

const program = fileURLToPath(import.meta.url)
const loads = Array.from({ length: 7 }, () =>
  Number(spawnSync(process.execPath, [program, '--load']).stdout.toString()),
)
const embedder = await staticEmbedder()
const peer = await minilm(option('--minilm'))
const rate = async (embed, texts) => {
  const start = cpu()
  await embed(texts)
  return (texts.length / (cpu() - start)) * 1000
}

const rates = { static: [], minilm: [] }
for (let round = 0; round < 8; round++) {
  rates.static.push(await rate((texts) => embedder.embed(texts), shorts))
  if (peer) rates.minilm.push(await rate(peer.embed, shorts.slice(0, 64)))
}
const longStart = cpu()
await embedder.embed([long])
const longRate = long.length / (cpu() - longStart) / 1000
const queries = []
for (const text of shorts) {
  const start = now()
  await embedder.embed([text], { role: 'query' })
  queries.push(now() - start)
}
const p95 = queries.toSorted((a, b) => a - b)[Math.floor(queries.length * 0.95)]

console.log(`Node ${process.version}; calibration loop ${calibrate().toFixed(0)} ms; texts of 12 words\n`)
const figures = {
  'load, CPU ms (median of 7 processes)': median(loads),
  'short texts per CPU second': median(rates.static),
  'long text, MB per CPU second': longRate,
  'one query, p95 ms': p95,
}
for (const [name, value] of Object.entries(figures))
  console.log(`${name.padEnd(40)}${value.toFixed(value < 10 ? 3 : 0)}`)
if (peer) {
  const other = median(rates.minilm)
  console.log(
    `${peer.name.padEnd(40)}${other.toFixed(0)} texts per CPU second, ${(median(rates.static) / other).toFixed(0)} times slower`,
  )
} else console.log('transformers.js MiniLM: not measured; pass --minilm FOLDER and have transformers.js installed')
if (process.argv.includes('--check')) {
  const missed = []
  if (median(rates.static) < 20_000) missed.push('short texts/s')
  if (median(loads) > 60) missed.push('load')
  if (p95 > 0.2) missed.push('one query')
  console.log(missed.length === 0 ? 'All floors hold.' : `Floors missed: ${missed.join(', ')}`)
  process.exitCode = missed.length === 0 ? 0 : 1
}

/** all-MiniLM-L6-v2 through transformers.js; nothing when the folder or the library is absent. */
async function minilm(folder) {
  if (folder === undefined) return undefined
  for (const name of ['@huggingface/transformers', '@xenova/transformers']) {
    const library = await import(name).catch(() => undefined)
    if (library === undefined) continue
    library.env.allowRemoteModels = false
    library.env.localModelPath = dirname(folder)
    const extract = await library.pipeline('feature-extraction', basename(folder), { quantized: true, dtype: 'q8' })
    return { name: `MiniLM, ${name}`, embed: (texts) => extract(texts, { pooling: 'mean', normalize: true }) }
  }
  throw new Error('--minilm needs @huggingface/transformers or @xenova/transformers')
}

/** Milliseconds of a fixed loop, to compare machines by; the same as in the other benches. */
function calibrate() {
  const start = now()
  let state = 1
  for (let index = 0; index < 100_000_000; index++) state = (Math.imul(state, 1103515245) + 12345) | 0
  return now() - start + (state === 0 ? 1 : 0)
}
