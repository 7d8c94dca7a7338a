/**
 * `npm run bench:tiers`: GOALS.md C3. Two tiers over the static model (256 dimensions): a first pass over the first 64 or 128
 * components, or over all of them in 8 bits, and the full vectors second. `calibratedTieredRetriever` measures itself on one
 * half of the questions; the other half, which it never saw, says whether that holds. Texts and questions are those of test
 * collections in BEIR form with `-- --data FOLDER`, else this repository's own: Markdown and tests as texts, the first
 * sentences of the comments in src as questions. With `--check` every recall@10 must be .99, the unseen ones within two
 * standard errors.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { staticEmbedder, withDimensions } from '../dist/embedder/index.js'
import { calibratedTieredRetriever, denseRetriever, memoryChunkStore } from '../dist/retriever/index.js'
import { exactIndex } from '../dist/vector-index/index.js'

const { values: options } = parseArgs({
  options: { data: { type: 'string' }, check: { type: 'boolean', default: false } },
})
const TARGET = 0.99
const TOP_K = 10
const failures = []
const embedder = await staticEmbedder({ dimensions: 256 })
const collections = options.data === undefined ? [repository()] : collectionsIn(options.data)
for (const collection of collections) await measure(collection)
for (const failure of failures) console.log(`FAIL ${failure}`)
if (options.check) {
  console.log(failures.length === 0 ? 'bench:tiers: every bound holds' : `bench:tiers: ${failures.length} bounds fail`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

async function measure({ name, texts, questions }) {
  const chunks = texts.map((text, i) => {
    return { id: `c${i}`, documentId: `d${i}`, documentVersion: '1', text, start: 0, end: text.length, metadata: {} }
  })
  const store = memoryChunkStore()
  store.put(chunks)
  const vectors = []
  for (let from = 0; from < texts.length; from += 1024)
    vectors.push(...(await embedder.embed(texts.slice(from, from + 1024))).vectors)
  const byId = new Map(chunks.map(({ id }, i) => [id, vectors[i]]))
  const lookUp = async (ids) => ids.map((id) => byId.get(id))
  const retrieverOver = async (small, shorten) => {
    const index = exactIndex({ dimensions: small.dimensions })
    await index.upsert(chunks.map(({ id }, i) => ({ id, vector: shorten(vectors[i]) })))
    return denseRetriever({ index, embedder: small, store })
  }
  const exact = await retrieverOver(embedder, (vector) => vector)
  const seen = questions.filter((_, i) => i % 2 === 0)
  const unseen = questions.filter((_, i) => i % 2 === 1)
  console.log(`${name}: ${texts.length} texts, ${seen.length} questions to measure with, ${unseen.length} unseen`)
  const truths = []
  for (const question of unseen) truths.push((await exact.retrieve(question, { topK: TOP_K })).passages)
  const firsts = [
    ['first 64', await retrieverOver(withDimensions(embedder, 64), (vector) => unit(vector.slice(0, 64)))],
    ['first 128', await retrieverOver(withDimensions(embedder, 128), (vector) => unit(vector.slice(0, 128)))],
    ['8 bits', await retrieverOver(quantised(embedder), eightBits)],
  ]
  for (const [tier, first] of firsts) {
    const tiers = await calibratedTieredRetriever({ first, embedder, vectors: lookUp, exact, queries: seen })
    const { recall, candidates } = tiers.measured
    const shares = []
    for (const [i, question] of unseen.entries()) {
      const found = new Set((await tiers.retrieve(question, { topK: TOP_K })).passages.map(({ id }) => id))
      shares.push(truths[i].filter(({ id }) => found.has(id)).length / truths[i].length)
    }
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (shares.length - 1)
    const error = Math.sqrt(variance / shares.length)
    const alone = await recallAlone(first, unseen, truths)
    console.log(
      `  ${tier.padEnd(9)} alone ${alone.toFixed(4)}  measured ${recall.toFixed(4)} with ${candidates} candidates  unseen ${mean.toFixed(4)} ± ${error.toFixed(4)}`,
    )
    if (recall < TARGET) failures.push(`${name}, ${tier}: measured ${recall.toFixed(4)}`)
    if (mean < TARGET - 2 * error) failures.push(`${name}, ${tier}: unseen ${mean.toFixed(4)} ± ${error.toFixed(4)}`)
  }
}

/** What the first tier finds without the second. */
async function recallAlone(first, asked, truths) {
  let [found, all] = [0, 0]
  for (const [i, question] of asked.entries()) {
    const ids = new Set((await first.retrieve(question, { topK: TOP_K })).passages.map(({ id }) => id))
    found += truths[i].filter(({ id }) => ids.has(id)).length
    all += truths[i].length
  }
  return found / all
}

/** An embedder whose vectors have whole components from -127 to 127. */
function quantised(whole) {
  const embed = async (inputs, call) => {
    const embedding = await whole.embed(inputs, call)
    return { ...embedding, vectors: embedding.vectors.map(eightBits) }
  }
  return { ...whole, embed }
}

function eightBits(vector) {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  return vector.map((value) => Math.round((127 * value) / largest))
}

function unit(vector) {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1
  return vector.map((value) => value / norm)
}

function collectionsIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const names = entry.isDirectory() ? readdirSync(join(folder, entry.name)) : []
    const corpus = names.find((name) => name.startsWith('corpus.jsonl'))
    if (corpus === undefined) return []
    const lines = (name) => {
      const raw = readFileSync(join(folder, entry.name, name))
      const text = (name.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8')
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    }
    const texts = lines(corpus).map(({ title = '', text }) => `${title}\n${text}`.trim())
    const questions = lines('queries.jsonl').map(({ text }) => text)
    return [{ name: entry.name, texts: texts.filter((text) => text !== ''), questions }]
  })
}

/** Paragraphs of this repository, and what its comments say as questions. */
function repository() {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const files = (folder, ending) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith(ending))
      .map((name) => readFileSync(join(root, folder, name), 'utf8'))
  const sources = [readFileSync(join(root, 'README.md'), 'utf8'), readFileSync(join(root, 'CHANGELOG.md'), 'utf8')]
  sources.push(...files('docs', '.md'), ...files('test', '.test.ts'))
  const paragraphs = sources.flatMap((source) => source.split(/\n\s*\n|\n- /)).map((text) => text.trim())
  const comments = files('src', '.ts').flatMap((source) =>
    Array.from(source.matchAll(/\/\*\*\s+\*?\s*([A-Z][^.\n*]{20,}[.\n])/g), ([, sentence]) => sentence.trim()),
  )
  return {
    name: 'this repository',
    texts: Array.from(new Set(paragraphs.filter((text) => text.length > 40))),
    questions: Array.from(new Set(comments)).slice(0, 1_000),
  }
}
