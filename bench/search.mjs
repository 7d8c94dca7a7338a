// Vector search side by side: raw usearch, hnswlib-node and usearchIndex, on clustered data with exact truth.
// npm run bench:search -- [--only build,rate,overhead,filter,anti,churn,memory,open] [--size 100000] [--dimensions 384]
//   [--queries 500] [--vectors file.f32] [--cache folder] [--skip-hnswlib] [--check]
// Peers are timed in turns within one run; ratios are what counts. A file of 32-bit floats gives real vectors. Data, truth
// and built graphs are kept in a cache folder, so that a part can be run again without the builds; `build` makes them anew.
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { usearchIndex } from '../dist/providers/usearch/index.js'
import { anti, churn, filter } from './search-filters.mjs'
import * as lab from './search-lab.mjs'

const PARTS = ['build', 'rate', 'overhead', 'filter', 'anti', 'churn', 'memory', 'open']
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    size: { type: 'string', default: '100000' },
    dimensions: { type: 'string', default: '384' },
    queries: { type: 'string', default: '500' },
    vectors: { type: 'string' },
    cache: { type: 'string' },
    check: { type: 'boolean', default: false },
    'skip-hnswlib': { type: 'boolean', default: false },
  },
})
const parts = options.only.split(',')
const unknown = parts.filter((part) => !PARTS.includes(part))
if (unknown.length > 0) throw new Error(`--only takes ${PARTS.join(', ')}; got ${unknown.join(', ')}`)
const dimensions = Number(options.dimensions)
const withHnswlib = !options['skip-hnswlib']
const failures = []
const check = (holds, text) => {
  if (!holds) failures.push(text)
}

lab.printMachine()
const data = await lab.openData({
  size: Number(options.size),
  dimensions,
  queries: Number(options.queries),
  file: options.vectors,
  cache: options.cache,
})
const { folder, vectors, queries, truth } = data
const size = vectors.length
const files = { raw: join(folder, 'raw.usearch'), hnswlib: join(folder, 'hnswlib.bin'), ours: join(folder, 'ours') }
console.log(
  `${size} × ${dimensions}, ${queries.length} queries, M ${lab.M}, efConstruction ${lab.EF}, one thread; ${parts.join(', ')}`,
)
const bench = { openOurs, vectors, queries, dimensions, size, files, withHnswlib, report, check }
const built = existsSync(files.ours) && existsSync(files.raw) && (!withHnswlib || existsSync(files.hnswlib))
if (parts.includes('build') || !built) await build()
for (const [name, run] of Object.entries({ rate, overhead, filter, anti, churn, memory, open }))
  if (parts.includes(name)) await run(bench)

for (const failure of failures) console.log(`FAILED ${failure}`)
console.log(
  failures.length === 0
    ? `bench:search: every bound of ${parts.join(', ')} holds`
    : `bench:search: ${failures.length} bounds fail`,
)
if (options.check) process.exitCode = failures.length === 0 ? 0 : 1

/** Builds, in CPU seconds of this process; ours with everything it does: truth, calibration, file, digest; the loop watched. */
async function build() {
  const cpu = { raw: 0, hnswlib: 0 }
  {
    const raw = lab.rawIndex(dimensions)
    const hnswlib = withHnswlib ? lab.openHnswlib(dimensions, size) : undefined
    for (let from = 0; from < size; from += 1_000) {
      const to = Math.min(size, from + 1_000)
      const keys = BigUint64Array.from({ length: to - from }, (_, i) => BigInt(from + i))
      const rows = data.flat.slice(from * dimensions, to * dimensions)
      const plain = vectors.slice(from, to).map((vector) => Array.from(vector))
      cpu.raw += await lab.cpuOf(() => raw.add(keys, rows, 1))
      cpu.hnswlib += await lab.cpuOf(() => {
        for (const [i, row] of plain.entries()) hnswlib?.addPoint(row, from + i)
      })
    }
    raw.save(files.raw)
    hnswlib?.writeIndexSync(files.hnswlib)
  }
  rmSync(files.ours, { recursive: true, force: true })
  const entries = lab.entriesOf(vectors)
  const ours = await usearchIndex({ dimensions, directory: files.ours })
  lab.collectGarbage()
  await new Promise((resolve) => setTimeout(resolve, 200))
  const loop = lab.watchLoop()
  const start = performance.now()
  let upserted = 0
  const cpuOurs = await lab.cpuOf(async () => {
    await ours.upsert(entries)
    upserted = performance.now() - start
    await ours.settled()
  })
  const took = performance.now() - start
  const { p99, longest } = loop.stop()
  await ours.save()
  const { recall, recallQueries } = ours.stats()
  await ours.close()
  report(
    'build',
    `ours ${(size / cpuOurs).toFixed(0)} inserts per CPU second, measuring itself included (${(took / 1e3).toFixed(1)} s, of it upsert ${(upserted / 1e3).toFixed(1)} s)`,
    withHnswlib && `raw usearch ${(size / cpu.raw).toFixed(0)}, hnswlib ${(size / cpu.hnswlib).toFixed(0)}`,
    withHnswlib &&
      `ours ÷ hnswlib ${(cpu.hnswlib / cpuOurs).toFixed(2)}, raw ÷ hnswlib ${(cpu.hnswlib / cpu.raw).toFixed(2)}`,
  )
  if (withHnswlib) check(cpu.hnswlib / cpuOurs >= 1.5, 'build below 1.5 × hnswlib-node')
  report('', `measured by itself on ${recallQueries} held-out vectors: ${JSON.stringify(recall)}`)
  report('event loop', `delay p99 ${p99.toFixed(1)} ms, longest gap ${longest.toFixed(1)} ms while building`)
  check(p99 <= 20, 'event-loop delay p99 above 20 ms while building')
  check(longest <= 50, 'a gap of the event loop above 50 ms while building')
}

/** Queries a second at equal recall: the peers at the least width that reaches it on these very queries, ours at its own. */
async function rate() {
  const raw = lab.rawIndex(dimensions)
  raw.view(files.raw)
  const plain = queries.map((query) => Array.from(query))
  const hnswlib = withHnswlib ? lab.openHnswlib(dimensions, size, files.hnswlib) : undefined
  const hnswAt = (ef) => {
    hnswlib.setEf(ef)
    return (query) => hnswlib.searchKnn(query, 10).neighbors
  }
  for (const recall of [0.95, 0.99]) {
    const ours = recall === 0.99 ? await openOurs() : await openLess(recall)
    const own = lab.recallOf(await answersOf(ours), truth)
    const rawEf = lab.leastWidth(truth, recall, (ef) =>
      queries.map((query) => lab.lowWords(raw.search(query, ef, 1).keys).subarray(0, 10)),
    )
    const sized = lab.rawIndex(dimensions, rawEf)
    sized.view(files.raw)
    const hnswEf = hnswlib && lab.leastWidth(truth, recall, (ef) => plain.map(hnswAt(ef)))
    const turns = await lab.inTurns(9, {
      raw: () => lab.rateOf(queries, (query) => sized.search(query, 10, 1)),
      ours: () => lab.rateOf(queries, (query) => ours.search(query, { topK: 10 })),
      ...(hnswlib && { hnswlib: () => lab.rateOf(plain, hnswAt(hnswEf)) }),
    })
    const ratio = hnswlib && turns.ratio('ours', 'hnswlib')
    report(
      `recall ${recall}`,
      `ours ${turns.rate('ours').toFixed(0)}/s at ${own.toFixed(4)} (${widthOf(ours)} candidates), raw usearch ${turns.rate('raw').toFixed(0)}/s (ef ${rawEf})`,
      hnswlib && `hnswlib ${turns.rate('hnswlib').toFixed(0)}/s (ef ${hnswEf}), ours ÷ hnswlib ${ratio.toFixed(2)}`,
    )
    check(own >= recall, `recall ${own.toFixed(4)} below the declared ${recall}`)
    if (hnswlib)
      check(ratio >= (recall === 0.95 ? 1.3 : 1.2), `queries/s at ${recall} below the bound against hnswlib-node`)
    await ours.close()
  }
}

/**
 * Ours against raw usearch at equal parameters, each with the graph it built itself, raw usearch viewing its file or with
 * it in memory; and, for the cost of the layer alone, against raw usearch viewing the file that ours published in its order.
 */
async function overhead() {
  const ours = await openOurs()
  const width = widthOf(ours)
  const [viewed, loaded, published] = [0, 1, 2].map(() => lab.rawIndex(dimensions, width))
  viewed.view(files.raw)
  loaded.load(files.raw)
  published.view(graphFile())
  // Many that differ: asked again and again, a few hundred are in the caches already.
  const asked = lab.likeThose(vectors, 2_000)
  const all = lab.flatten(asked, dimensions)
  const perSecond = async (work) => asked.length / ((await lab.timeOf(work)) / 1e3)
  await ours.searchMany(asked, { topK: 10 })
  const contenders = {
    ours: () => lab.rateOf(asked, (query) => ours.search(query, { topK: 10 })),
    oursBatch: () => perSecond(() => ours.searchMany(asked, { topK: 10 })),
  }
  for (const [name, raw] of Object.entries({ viewed, loaded, published })) {
    contenders[name] = () => lab.rateOf(asked, (query) => raw.search(query, 10, 1))
    contenders[`${name}Batch`] = () => perSecond(() => raw.search(all, 10, 1))
  }
  const turns = await lab.inTurns(15, contenders)
  for (const [name, suffix] of [
    ['one a call', ''],
    ['batched', 'Batch'],
  ]) {
    const ratio = (peer) => turns.ratio(`ours${suffix}`, `${peer}${suffix}`)
    const least = Math.min(ratio('viewed'), ratio('loaded'))
    report(
      name,
      `ours ${turns.rate(`ours${suffix}`).toFixed(0)}/s at ${width} candidates; ÷ raw usearch viewing its own file ${ratio('viewed').toFixed(3)} (${turns.rate(`viewed${suffix}`).toFixed(0)}/s), with it in memory ${ratio('loaded').toFixed(3)}`,
      `÷ raw usearch viewing the file that ours published ${ratio('published').toFixed(3)}`,
    )
    check(least >= 0.95, `${name}: below 0.95 of raw usearch`)
  }
  await ours.close()
}

/** Graph files against each other, and a process of its own for each: ours with its vectors on file. */
async function memory() {
  const oursBytes = statSync(graphFile()).size
  const child = (kind, path) => lab.memoryOf(kind, path, { dimensions, size, queries: join(folder, 'queries.f32') })
  const ours = child('ours', files.ours)
  const theirs = withHnswlib && child('hnswlib', files.hnswlib)
  const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`
  const shown = ({ resident, anonymous }) => `${mb(resident)} resident (${mb(anonymous)} of its own)`
  report(
    'memory',
    `graph ours ${mb(oursBytes)}; process with vectors on file ${shown(ours)}`,
    theirs && `hnswlib graph ${mb(statSync(files.hnswlib).size)}, process ${shown(theirs)}`,
    theirs &&
      `ratios: graph ${(oursBytes / statSync(files.hnswlib).size).toFixed(2)}, of its own ${(ours.anonymous / theirs.anonymous).toFixed(2)}, resident with the mapped file ${(ours.resident / theirs.resident).toFixed(2)}`,
  )
  if (!theirs) return
  check(oursBytes / statSync(files.hnswlib).size <= 0.6, 'graph above 0.6 of hnswlib-node')
  // Pages of the mapped file count, though they are shared and given back under pressure.
  check(ours.resident / theirs.resident <= 0.75, 'process memory above 0.75 of hnswlib-node')
}

async function open() {
  for (const where of ['memory', 'file']) {
    const own = mkdtempSync(join(tmpdir(), 'groundline-bench-'))
    for (const name of readdirSync(files.ours)) copyFileSync(join(files.ours, name), join(own, name))
    const start = performance.now()
    const index = await usearchIndex({ dimensions, directory: own, vectors: where })
    const took = performance.now() - start
    report(
      'open',
      `${took.toFixed(0)} ms with vectors in ${where}, digests verified, ${index.stats().graphNodes} nodes`,
    )
    await index.close()
    rmSync(own, { recursive: true })
  }
}

function openOurs(given = {}) {
  return usearchIndex({ dimensions, directory: files.ours, ...given })
}

/** An index that declares less, built for it once. */
async function openLess(recall) {
  const directory = `${files.ours}-${recall}`
  const isNew = !existsSync(directory)
  const index = await usearchIndex({ dimensions, directory, recall })
  if (!isNew) return index
  await index.upsert(lab.entriesOf(vectors))
  await index.settled()
  await index.save()
  return index
}

function graphFile() {
  return join(
    files.ours,
    readdirSync(files.ours).find((name) => name.endsWith('.usearch')),
  )
}

function widthOf(index) {
  return index.stats().recall.find(({ topK }) => topK === 10)?.candidates ?? 32
}

async function answersOf(index) {
  const found = []
  for (const query of queries)
    found.push((await index.search(query, { topK: 10 })).map(({ id }) => Number(id.slice(1))))
  return found
}

function report(name, ...shown) {
  console.log(`${name.padEnd(16)} ${shown.filter(Boolean).join('; ')}`)
}
