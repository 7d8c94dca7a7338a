// Retrieval quality on test collections in BEIR form: npm run eval:retrieval -- --data FOLDER [--check] [--only cran,cisi]
// [--limit 300] [--html report.html, a page a collection: report-cran.html] [--json report.json] [--worst 3] [--minilm FOLDER] [--cache FOLDER]
// [--chunking FOLDER] [--development FOLDER]. FOLDER holds one folder a collection: corpus.jsonl or corpus.jsonl.gz, queries.jsonl, qrels/*.tsv.
// all-MiniLM-L6-v2 is measured where its folder in the layout of transformers.js is at hand: --minilm, or where
// npm run test:engines leaves it. Its vectors take about half an hour; --cache keeps them from run to run.
// The stop list and the stemmer were chosen with five collections in sight (docs/decisions/0031). The dense weights were
// chosen on development data, which count for no figure: scifact, the passages of the chunking corpora (--chunking FOLDER), and the
// held-out pairs of the model (--development FOLDER, written by scripts/model/held_out.py). Given all of them, --check also
// holds the weights against that choice (docs/decisions/0097).
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { characterCounter, recursiveChunker } from '../dist/chunker/index.js'
import * as embedders from '../dist/embedder/index.js'
import {
  compareRuns,
  evaluateRun,
  evaluationHtml,
  parseBeirCollection,
  runRetriever,
} from '../dist/evaluation/index.js'
import { lexicalIndex } from '../dist/lexical-index/index.js'
import { fileStorage } from '../dist/node/index.js'
import { transformersEmbedder, transformersTokenizer } from '../dist/providers/transformers/index.js'
import { denseRetriever, hybridRetriever, lexicalRetriever, memoryChunkStore } from '../dist/retriever/index.js'
import { exactIndex } from '../dist/vector-index/index.js'
import { readCollection as readChunking } from './chunking-collection.mjs'

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    only: { type: 'string' },
    limit: { type: 'string' },
    worst: { type: 'string', default: '2' },
    html: { type: 'string' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
    minilm: { type: 'string' },
    cache: { type: 'string' },
    chunking: { type: 'string' },
    development: { type: 'string' },
  },
})
if (options.data === undefined) {
  console.error('usage: npm run eval:retrieval -- --data FOLDER [--check]')
  process.exit(2)
}

/** What the preset gives to vectors beside words. */
const PRESET_WEIGHT = 0.3

/**
 * Dense weights, beside a lexical weight of 1: the preset's, and the default of hybridRetriever for the lexical hash. Beside
 * BM25 the static model needs no word slots, so the hybrid has the 256 dimensions that the preset uses.
 */
const legs = [
  { name: 'hash', weight: 0.1, embedder: embedders.lexicalHashEmbedder() },
  {
    name: 'static',
    weight: PRESET_WEIGHT,
    embedder: await embedders.staticEmbedder(),
    beside: await embedders.staticEmbedder({ dimensions: 256 }),
  },
]
const minilm = await miniLm()
if (minilm) legs.push({ name: 'MiniLM', weight: PRESET_WEIGHT, ...minilm })

/** The embedder, and how texts go through it: cut at 256 tokens as the model was trained, kept in the cache. */
async function miniLm() {
  const usual = fileURLToPath(new URL('../test/engines/node_modules/.cache/all-MiniLM-L6-v2', import.meta.url))
  const folder = options.minilm ?? usual
  if (!existsSync(folder)) {
    console.log('all-MiniLM-L6-v2 is not at hand; pass --minilm FOLDER or run npm run test:engines before\n')
    return undefined
  }
  const source = { folder }
  const whole = await transformersEmbedder({ source, batchItems: 16 })
  const tokenizer = await transformersTokenizer({ source })
  const embedder = { ...whole, limits: { ...whole.limits, inputTokens: 256 } }
  const cache =
    options.cache && embedders.embeddingCache(embedders.storageVectorStore({ storage: fileStorage(options.cache) }))
  const embed = async (texts, call) => {
    const how = { countTokens: (text) => tokenizer.count(text), onOverlong: 'truncate', cache, concurrency: 1 }
    // One abstract of cran is empty, and embedAll refuses empty texts.
    const filled = texts.map((text) => text || '.')
    const result = await embedders.embedAll(embedder, filled, { ...how, ...call, retry: { deadlineMs: 3_600_000 } })
    return { vectors: embedders.everyVector(result), usage: {} }
  }
  return { embedder: { ...embedder, embed }, close: whole.close }
}

/** Dense weights that are tried on development data. */
const WEIGHTS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1]

/** BM25 of a plain implementation with the same k1 and b; a floor, where the collection is one of these. */
const REFERENCE = { cran: 0.3525, cisi: 0.3815, cosqa: 0.3747, qmsum: 0.1351 }

/** The lexical hash embedder of 1024 dimensions before any model: the static model alone must be two points above. */
const LEXICAL = { cran: 0.322, cisi: 0.304, cosqa: 0.25 }

function read(path) {
  return path.endsWith('.gz') ? gunzipSync(readFileSync(path)).toString('utf8') : readFileSync(path, 'utf8')
}

function readCollection(folder) {
  const corpus = ['corpus.jsonl', 'corpus.jsonl.gz'].map((name) => join(folder, name)).find(existsSync)
  const qrels = readdirSync(join(folder, 'qrels')).filter((name) => name.endsWith('.tsv'))
  const chosen = qrels.includes('test.tsv') ? 'test.tsv' : qrels[0]
  return parseBeirCollection({
    corpus: read(corpus),
    queries: read(join(folder, 'queries.jsonl')),
    qrels: read(join(folder, 'qrels', chosen)),
  })
}

/** Questions of the chunking corpora over their passages of at most 800 characters; one that holds 40 characters of a reference is right. */
function readPassages(folder) {
  const { corpora, questions } = readChunking(folder)
  const chunker = recursiveChunker({ maxTokens: 800, counter: characterCounter() })
  const documents = []
  for (const [corpus, text] of corpora)
    for (const chunk of chunker.chunk({ id: corpus, text, metadata: {} }))
      documents.push({ ...chunk, title: '', corpus })
  const judgments = new Map(
    questions.map(({ corpus, spans }, i) => {
      const right = documents.filter(
        (passage) =>
          passage.corpus === corpus &&
          spans.some(({ start, end }) => Math.min(end, passage.end) - Math.max(start, passage.start) > 40),
      )
      return [`q${i}`, new Map(right.map(({ id }) => [id, 1]))]
    }),
  )
  const queries = questions.map(({ question }, i) => ({ id: `q${i}`, text: question }))
  return { documents, queries: queries.filter(({ id }) => judgments.get(id).size > 0), judgments }
}

async function evaluate({ name, folder, development, passages }) {
  const collection = passages ? readPassages(folder) : readCollection(folder)
  const judged = collection.queries.filter(({ id }) => collection.judgments.has(id))
  const queries = options.limit === undefined ? judged : judged.slice(0, Number(options.limit))
  const judgments = new Map(queries.map(({ id }) => [id, collection.judgments.get(id)]))
  const chunks = collection.documents.map(({ id, title, text }) => {
    const whole = title === '' ? text : `${title}\n${text}`
    return { id, documentId: id, documentVersion: '1', text: whole, start: 0, end: whole.length, metadata: {} }
  })
  const store = memoryChunkStore()
  store.put(chunks)
  const words = lexicalIndex()
  await words.upsert(chunks)
  const lexical = lexicalRetriever({ index: words, store })
  const kin = lexicalIndex({ families: 0.3 })
  await kin.upsert(chunks)
  const systems = [
    { name: 'BM25', retriever: lexical },
    { name: 'BM25 families', retriever: lexicalRetriever({ index: kin, store }) },
  ]
  const denseOf = async (embedder) => {
    const index = exactIndex({ dimensions: embedder.dimensions, space: embedder.space })
    for (let from = 0; from < chunks.length; from += 512) {
      const part = chunks.slice(from, from + 512)
      const { vectors } = await embedder.embed(part.map(({ text }) => text))
      await index.upsert(part.map(({ id }, i) => ({ id, vector: vectors[i] })))
    }
    return denseRetriever({ index, embedder, store })
  }
  for (const { name: leg, weight, embedder, beside } of legs) {
    const dense = await denseOf(embedder)
    systems.push({ name: leg, retriever: dense })
    const second = beside ? await denseOf(beside) : dense
    if (beside) systems.push({ name: `${leg} ${beside.dimensions}`, retriever: second })
    const hybrid = hybridRetriever({ lexical, dense: second, weights: { lexical: 1, dense: weight } })
    systems.push({ name: `hybrid(${leg})`, retriever: hybrid, legs: { name: leg, dense: second } })
  }
  for (const system of systems) {
    const run = await runRetriever(system.retriever, queries, { topK: 100 })
    system.result = evaluateRun(run, judgments)
    if (development && system.legs)
      system.byWeight = await gainsByWeight(lexical, system.legs.dense, queries, judgments)
  }
  return { name, development, systems, texts: new Map(queries.map(({ id, text }) => [id, text])) }
}

/** nDCG@10 of each query for each dense weight of a hybrid; each leg is asked once a query. */
async function gainsByWeight(lexical, dense, queries, judgments) {
  const answers = new Map()
  for (const { text } of queries)
    answers.set(text, [await lexical.retrieve(text, { topK: 100 }), await dense.retrieve(text, { topK: 100 })])
  const known = (leg) => ({ retrieve: async (query) => answers.get(query)[leg] })
  const rows = []
  for (const weight of WEIGHTS) {
    const weights = { lexical: 1, dense: weight }
    // Repeated passages count as right more than once here, and leaving them out is nothing that a weight does.
    const hybrid = hybridRetriever({ lexical: known(0), dense: known(1), weights, nearDuplicates: false })
    const { queries: scored } = evaluateRun(await runRetriever(hybrid, queries, { topK: 10 }), judgments)
    rows.push(scored.map(({ values }) => values['ndcg@10']))
  }
  return rows
}

/**
 * Mean gain over BM25 on the development collections by weight, and the weight to take: the lightest that is within one
 * standard error of the best (Breiman et al., Classification and Regression Trees, 1984).
 */
function chooseWeight(leg) {
  const tables = evaluated.filter(({ development }) => development)
  const rowsOf = ({ systems }) => systems.find(({ legs: own }) => own?.name === leg).byWeight
  const average = (list) => list.reduce((sum, value) => sum + value, 0) / list.length
  const gains = WEIGHTS.map((_, i) =>
    average(tables.map((table) => average(rowsOf(table)[i]) - table.systems[0].result.means['ndcg@10'])),
  )
  const best = gains.indexOf(Math.max(...gains))
  const standardError = (i) => {
    const variances = tables.map((table) => {
      const differences = rowsOf(table)[best].map((value, at) => value - rowsOf(table)[i][at])
      const mean = average(differences)
      return average(differences.map((value) => (value - mean) ** 2)) / differences.length
    })
    return Math.sqrt(variances.reduce((sum, value) => sum + value, 0)) / tables.length
  }
  return { gains, weight: WEIGHTS.find((_, i) => gains[best] - gains[i] <= standardError(i)) }
}

/** Why the worst queries of a system are what they are: rank, and what each stage said. */
async function explainWorst({ systems, texts }, count) {
  const system = systems.at(-1)
  const worst = [...system.result.queries].sort((a, b) => a.values['ndcg@10'] - b.values['ndcg@10']).slice(0, count)
  for (const { id, values } of worst) {
    console.log(`    ${id} "${texts.get(id).slice(0, 70)}" nDCG@10 ${values['ndcg@10'].toFixed(3)}`)
    const { passages } = await system.retriever.retrieve(texts.get(id), { topK: 2 })
    for (const passage of passages) {
      const stages = passage.stages.map(
        ({ stage, rank, score, normalized, weight }) =>
          `${stage} #${rank} ${score.toFixed(3)}${normalized === undefined ? '' : ` → ${normalized.toFixed(2)}`}${weight === undefined ? '' : ` × ${weight.toFixed(2)}`}`,
      )
      console.log(`      ${passage.id}: ${stages.join(' | ')}`)
    }
  }
}

const failures = []
const check = (holds, text) => {
  if (!holds) failures.push(text)
}
const foldersIn = (folder) =>
  folder === undefined
    ? []
    : readdirSync(folder)
        .map((name) => join(folder, name))
        .filter((path) => existsSync(join(path, 'qrels')))
const collections = [
  ...foldersIn(options.data).map((folder) => ({ folder, development: basename(folder) === 'scifact' })),
  ...foldersIn(options.development).map((folder) => ({ folder, development: true })),
  ...(options.chunking === undefined ? [] : [{ folder: options.chunking, development: true, passages: true }]),
]
  .map((collection) => ({ ...collection, name: collection.passages ? 'passages' : basename(collection.folder) }))
  .filter(({ name }) => options.only === undefined || options.only.split(',').includes(name))
const evaluated = []
const gains = new Map(legs.map(({ name }) => [name, []]))
for (const collection of collections) {
  const { name } = collection
  const one = await evaluate(collection)
  evaluated.push(one)
  const [bm25] = one.systems
  console.log(`${name} (${bm25.result.queries.length} queries${one.development ? ', development' : ''})`)
  for (const { name: system, result } of one.systems) {
    const figures = Object.entries(result.means).map(([metric, value]) => `${metric} ${value.toFixed(4)}`)
    const against = system === 'BM25' ? '' : compared(bm25.result, result)
    console.log(`  ${system.padEnd(15)} ${figures.join('  ')}${against}`)
  }
  await explainWorst(one, Number(options.worst))
  const base = bm25.result.means['ndcg@10']
  if (REFERENCE[name] !== undefined && options.limit === undefined)
    check(base >= REFERENCE[name], `${name}: BM25 ${base.toFixed(4)} is below its reference ${REFERENCE[name]}`)
  const alone = one.systems.find(({ name: system }) => system === 'static').result.means['ndcg@10']
  if (LEXICAL[name] !== undefined && options.limit === undefined)
    check(alone >= LEXICAL[name] + 0.02, `${name}: static alone ${alone.toFixed(4)}, not ${LEXICAL[name]} + .02`)
  for (const { name: leg } of legs) {
    const hybrid = one.systems.find(({ name: system }) => system === `hybrid(${leg})`)
    const gain = hybrid.result.means['ndcg@10'] - base
    if (one.development) continue
    gains.get(leg).push(gain)
    check(gain >= -0.003, `${name}: hybrid(${leg}) is ${(100 * gain).toFixed(2)} points from BM25`)
  }
}
for (const { name: leg, weight } of legs) {
  if (evaluated.some(({ development }) => development)) {
    const { gains: byWeight, weight: chosen } = chooseWeight(leg)
    const shown = byWeight.map((gain, i) => `${WEIGHTS[i]}: ${(100 * gain).toFixed(2)}`).join(', ')
    console.log(`hybrid(${leg}) on development data, points by dense weight: ${shown}; to take: ${chosen}`)
    if (leg === 'static' && options.development !== undefined && options.chunking !== undefined)
      check(chosen === weight, `hybrid(${leg}): weight ${weight} is used, ${chosen} is to be taken by development data`)
  }
  const list = gains.get(leg)
  if (list.length === 0) continue
  const mean = list.reduce((sum, gain) => sum + gain, 0) / list.length
  console.log(`hybrid(${leg}) against BM25 at weight ${weight}: ${(100 * mean).toFixed(2)} points nDCG@10 on average`)
  const wanted = { static: 0.007, MiniLM: 0.015 }[leg]
  if (wanted !== undefined)
    check(mean >= wanted, `hybrid(${leg}) gains ${(100 * mean).toFixed(2)} points on average, not ${100 * wanted}`)
}
await minilm?.close()

function compared(a, b) {
  const { difference, p, low, high } = compareRuns(a, b, { rounds: 2_000 })['ndcg@10']
  return `  (${(100 * difference).toFixed(2)} points nDCG@10, 95 % ${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)}, p ${p.toFixed(3)})`
}

if (options.json !== undefined)
  writeFileSync(
    options.json,
    JSON.stringify(
      evaluated.map(({ name, systems }) => ({
        name,
        systems: systems.map(({ name: system, result }) => ({ system, ...result })),
      })),
    ),
  )
if (options.html !== undefined)
  for (const { name, systems, texts } of evaluated)
    writeFileSync(
      options.html.replace(/(\.html)?$/, `-${name}.html`),
      evaluationHtml(systems, { title: name, queries: texts }),
    )
for (const failure of failures) console.log(`FAILED ${failure}`)
if (options.check) {
  console.log(
    failures.length === 0 ? 'eval:retrieval: every bound holds' : `eval:retrieval: ${failures.length} bounds fail`,
  )
  process.exitCode = failures.length === 0 ? 0 : 1
}
