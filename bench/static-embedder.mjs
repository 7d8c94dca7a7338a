/**
 * The shipped embedding model on one core, at 768 and 256 dimensions in turn: load in a
 * process of its own, short texts a second, long text, and the time of one query. Times are wall times; the rates per second of
 * CPU time stand beside them, because a busy machine does not blur those. With `--minilm FOLDER` (a folder in the layout of
 * transformers.js; `npm run test:engines` leaves one) the same short texts go through all-MiniLM-L6-v2 of whichever
 * transformers.js is installed, in turn with the static model.
 * `--check` fails when a floor is missed: 20,000 short texts a second, load within 60 ms, p95 of a query within 0.2 ms.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
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
  const start = [now(), cpu()]
  await staticEmbedder()
  process.stdout.write(`${now() - start[0]} ${cpu() - start[1]}`)
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
  spawnSync(process.execPath, [program, '--load']).stdout.toString().split(' ').map(Number),
)
const usual = fileURLToPath(new URL('../test/engines/node_modules/.cache/all-MiniLM-L6-v2', import.meta.url))
const peer = await minilm(option('--minilm') ?? (existsSync(usual) ? usual : undefined))
const embedders = [await staticEmbedder(), await staticEmbedder({ dimensions: 256 })]

/** Texts a second, by the wall and by the processor. */
async function rate(embed, texts) {
  const start = [now(), cpu()]
  await embed(texts)
  return [now() - start[0], cpu() - start[1]].map((ms) => (texts.length / ms) * 1000)
}

const systems = [
  ...embedders.map((embedder) => ({ name: `static, ${embedder.dimensions}`, embed: (texts) => embedder.embed(texts) })),
  ...(peer ? [peer] : []),
].map((system) => ({ ...system, wall: [], cpu: [] }))
for (let round = 0; round < 8; round++)
  for (const system of systems) {
    const texts = system.name === peer?.name ? shorts.slice(0, 64) : shorts
    const [wall, processor] = await rate(system.embed, texts)
    system.wall.push(wall)
    system.cpu.push(processor)
  }
const [first] = embedders
const longStart = now()
await first.embed([long])
const longRate = long.length / (now() - longStart) / 1000
const queries = []
for (const text of shorts) {
  const start = now()
  await first.embed([text], { role: 'query' })
  queries.push(now() - start)
}
const p95 = queries.toSorted((a, b) => a - b)[Math.floor(queries.length * 0.95)]
const load = median(loads.map(([wall]) => wall))

console.log(`Node ${process.version}; calibration loop ${calibrate().toFixed(0)} ms; texts of 12 words\n`)
console.log(
  `load: ${load.toFixed(0)} ms, ${median(loads.map(([, processor]) => processor)).toFixed(0)} ms of CPU (median of 7 processes)`,
)
console.log('short texts a second'.padEnd(34) + 'wall'.padStart(9) + 'CPU'.padStart(9) + 'to the first'.padStart(15))
for (const system of systems) {
  const ratio = median(system.wall.map((wall, round) => wall / systems[0].wall[round]))
  const figures = [median(system.wall), median(system.cpu)].map((value) => value.toFixed(0).padStart(9)).join('')
  console.log(system.name.padEnd(34) + figures + ratio.toFixed(ratio < 0.1 ? 6 : 2).padStart(15))
}
console.log(`long text: ${longRate.toFixed(1)} MB/s; one query: p95 ${p95.toFixed(3)} ms`)
if (!peer) console.log('transformers.js MiniLM: not measured; pass --minilm FOLDER and have transformers.js installed')
if (process.argv.includes('--check')) {
  const missed = []
  if (median(systems[0].wall) < 20_000) missed.push('short texts/s')
  if (load > 60) missed.push('load')
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
    library.env.localModelPath = dirname(resolve(folder))
    const quantized = existsSync(`${folder}/onnx/model_quantized.onnx`)
    const options = { quantized, dtype: quantized ? 'q8' : 'fp32' }
    const extract = await library.pipeline('feature-extraction', basename(folder), options)
    return {
      name: `MiniLM ${options.dtype}, ${name}`,
      embed: (texts) => extract(texts, { pooling: 'mean', normalize: true }),
    }
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
