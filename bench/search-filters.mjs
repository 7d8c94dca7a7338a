// The parts of bench/search.mjs that ask with filters, and after 30 % of the entries were replaced.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { usearchIndex } from '../dist/providers/usearch/index.js'
import { clusteredVectors, createRandom } from './search-data.mjs'
import * as lab from './search-lab.mjs'

/** Filters, evaluation included, against the exact scan of what they allow and the cheapest fixed oversampling that reaches .98. */
export async function filter({ openOurs, vectors, queries, dimensions, size, files, withHnswlib, report, check }) {
  const ours = await openOurs()
  const oracle = await lab.oracleOf(vectors, dimensions)
  const raw = lab.rawIndex(dimensions)
  raw.view(files.raw)
  const hnswlib = withHnswlib ? lab.openHnswlib(dimensions, size, files.hnswlib) : undefined
  const few = queries.slice(0, 100)
  for (const [name, given, passes] of [
    ['50 %', { op: 'lt', path: ['percent'], value: 50 }, (i) => lab.percentOf(i) < 50],
    ['10 %', { op: 'lt', path: ['percent'], value: 10 }, (i) => lab.percentOf(i) < 10],
    ['1 %', { op: 'eq', path: ['percent'], value: 3 }, (i) => lab.percentOf(i) === 3],
    ['0.1 %', { op: 'eq', path: ['mille'], value: 5 }, (i) => lab.milleOf(i) === 5],
  ]) {
    const search = { topK: 10, filter: given }
    const expected = []
    for (const query of few) expected.push((await oracle.search(query, search)).map(({ id }) => id))
    const recallOfIds = (found) =>
      lab.recallOf(
        found,
        expected.map((ids) => ids.map((id) => Number(id.slice(1)))),
      )
    const found = []
    for (const query of few) {
      const matches = await ours.search(query, search)
      check(
        matches.length === Math.min(10, expected[found.length].length),
        `filter ${name} gave ${matches.length} matches`,
      )
      found.push(matches.map(({ id }) => Number(id.slice(1))))
    }
    const recall = recallOfIds(found)
    const oversample = (factor) => (query) => {
      const kept = []
      for (const key of lab.lowWords(raw.search(query, 10 * factor, 1).keys))
        if (passes(key) && kept.push(key) === 10) break
      return kept
    }
    const factor = [2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128].find(
      (each) => 10 * each < size && recallOfIds(few.slice(0, 100).map(oversample(each))) >= 0.98,
    )
    // The callback's least width at which nothing is missed, or the widest tried.
    const plain = few.slice(0, 20).map((query) => Array.from(query))
    let ef = 10
    for (; hnswlib && ef < 1_000; ef = Math.ceil(ef * 1.5)) {
      hnswlib.setEf(ef)
      const got = plain.map((query) => hnswlib.searchKnn(query, 10, passes).neighbors)
      if (
        got.every(
          (keys, i) => keys.every((key) => expected[i].includes(`v${key}`)) && keys.length === expected[i].length,
        )
      )
        break
    }
    const turns = await lab.inTurns(15, {
      ours: () => lab.rateOf(few, (query) => ours.search(query, search)),
      scan: () => lab.rateOf(few, (query) => oracle.search(query, search)),
      ...(factor && { oversampling: () => lab.rateOf(few, oversample(factor)) }),
      ...(hnswlib && { hnswlib: () => lab.rateOf(plain, (query) => hnswlib.searchKnn(query, 10, passes)) }),
    })
    const ms = (peer) => `${(1e3 / turns.rate(peer)).toFixed(3)} ms`
    const slower = Math.max(1 / turns.ratio('ours', 'scan'), factor ? 1 / turns.ratio('ours', 'oversampling') : 0)
    report(
      `filter ${name}`,
      `ours ${ms('ours')} at recall ${recall.toFixed(3)}, exact scan ${ms('scan')}, ${factor ? `oversampling × ${factor} ${ms('oversampling')}` : 'no oversampling reaches .98'}; ours takes ${slower.toFixed(2)} × the better`,
      hnswlib &&
        `hnswlib callback ${ms('hnswlib')} (ef ${ef}), ours ÷ hnswlib ${turns.ratio('ours', 'hnswlib').toFixed(1)}`,
    )
    check(recall >= 0.98, `filter ${name}: recall below 0.98`)
    check(slower <= 1.2, `filter ${name}: slower than 1.2 × the better of scan and oversampling`)
    if (name !== '1 %') continue
    check(recall === 1, 'filter 1 %: recall below 1')
    if (hnswlib) check(turns.ratio('ours', 'hnswlib') >= 20, 'filter 1 %: below 20 × hnswlib')
  }
  await ours.close()
}

/** The nearest 2,000 of each query are excluded: whatever the graph finds first is of no use. */
export async function anti({ openOurs, vectors, queries, dimensions, size, report, check }) {
  const ours = await openOurs()
  const oracle = await lab.oracleOf(vectors, dimensions)
  const some = queries.slice(0, 10)
  let hits = 0
  const times = []
  for (const [n, query] of some.entries()) {
    const near = await oracle.search(query, { topK: Math.min(2_000, size / 5) })
    const marked = near.map(({ id }) => ({ id, metadata: { near: n } }))
    for (const index of [ours, oracle]) await index.updateMetadata(marked)
    const search = { topK: 10, filter: { op: 'ne', path: ['near'], value: n } }
    const expected = (await oracle.search(query, search)).map(({ id }) => id)
    let got = []
    times.push(await lab.timeOf(async () => (got = await ours.search(query, search))))
    check(got.length === 10, `anti-correlated filter gave ${got.length} matches`)
    hits += got.filter(({ id }) => expected.includes(id)).length
  }
  const recall = hits / (10 * some.length)
  report('anti-correlated', `always 10 matches at recall ${recall.toFixed(3)}, ${lab.median(times).toFixed(1)} ms`)
  check(recall >= 0.95, 'anti-correlated filter: recall below 0.95')
  await ours.close()
}

/** 30 % out, 30 % of another distribution in: recall at once, and when the next graph is published. */
export async function churn({ vectors, queries, dimensions, files, report, check }) {
  const own = mkdtempSync(join(tmpdir(), 'groundline-bench-'))
  cpSync(files.ours, own, { recursive: true })
  const ours = await usearchIndex({ dimensions, directory: own })
  const oracle = await lab.oracleOf(vectors, dimensions)
  const random = createRandom(9)
  const gone = vectors.flatMap((_, i) => (random.next() < 0.3 ? [`v${i}`] : []))
  const fresh = clusteredVectors({ size: gone.length, dimensions, queries: queries.length / 2, seed: 2 })
  const added = fresh.vectors.map((vector, i) => ({ id: `n${i}`, vector }))
  for (const index of [ours, oracle]) {
    await index.remove(gone)
    await index.upsert(added)
  }
  // Half of what is asked is like what was there before, half like what came.
  const asked = [...queries.slice(0, queries.length / 2), ...fresh.queries]
  const expected = []
  for (const query of asked) expected.push(new Set((await oracle.search(query, { topK: 10 })).map(({ id }) => id)))
  const recall = async () => {
    let hits = 0
    for (const [i, query] of asked.entries())
      hits += (await ours.search(query, { topK: 10 })).filter(({ id }) => expected[i].has(id)).length
    return hits / (10 * asked.length)
  }
  const before = await recall()
  await ours.settled()
  const after = await recall()
  const { graphNodes, deadNodes, pending } = ours.stats()
  report(
    '30 % churn',
    `recall ${before.toFixed(4)} at once, ${after.toFixed(4)} after the graph was published (${graphNodes} nodes, ${deadNodes} dead, ${pending} pending)`,
  )
  check(before >= 0.99 && after >= 0.99, 'recall after churn below 0.99')
  await ours.close()
  rmSync(own, { recursive: true })
}
