/**
 * `npm run bench:corpus`: ingest (cut, embed with the shipped static model, index, commit durably) beside LangChain.js
 * with hnswlib-node and beside Vectra on the same documents, chunk size and embedder, in turn round by round; reopening
 * 100,000 chunks until the first right answer; rollback; what encryption costs. `--check` fails below the floors.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HNSWLib } from '@langchain/community/vectorstores/hnswlib'
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters'
import { LocalDocumentIndex } from 'vectra'
import { characterCounter, recursiveChunker } from '../dist/chunker/index.js'
import { iterableSource, openCorpus, openKeyring, scanCorpus, syncCorpus } from '../dist/corpus/index.js'
import { embedAll, staticEmbedder } from '../dist/embedder/index.js'
import { lexicalIndex } from '../dist/lexical-index/index.js'
import { fileStorage, localKey, nodeCipher } from '../dist/node/index.js'
import { usearchIndex } from '../dist/providers/usearch/index.js'
import { exactIndex } from '../dist/vector-index/index.js'

const checking = process.argv.includes('--check')
const rounds = checking ? 2 : 3
const CHUNK_UNITS = 1000
const failures = []
const floor = (holds, message) => {
  if (!holds) failures.push(message)
}
const embedder = await staticEmbedder({ dimensions: 256 })
const embedTexts = async (texts) => (await embedAll(embedder, texts)).vectors
const documents = await readDocuments(checking ? 1_000_000 : 3_000_000)
const units = documents.reduce((sum, { text }) => sum + text.length, 0)
console.log(`Node ${process.version}; calibration loop ${calibrate().toFixed(0)} ms`)
console.log(
  `${documents.length} Markdown documents, ${(units / 1e6).toFixed(1)} M characters, chunks of ${CHUNK_UNITS}\n`,
)

const plain = {}
const sealed = { keyProvider: localKey(new Uint8Array(32).fill(1)), cipher: nodeCipher() }
const candidates = {
  groundline: (folder) => ingest(folder, plain),
  'groundline, vectors only': (folder) => ingest(folder, plain, 'vectors'),
  'groundline, encrypted': (folder) => ingest(folder, sealed),
  'LangChain.js + hnswlib': ingestLangChain,
  Vectra: ingestVectra,
}
const best = {}
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(candidates)) {
    const folder = await mkdtemp(join(tmpdir(), 'groundline-bench-'))
    const { chunks, milliseconds } = await run(folder)
    best[name] = Math.max(best[name] ?? 0, (chunks / milliseconds) * 1000)
    await rm(folder, { recursive: true, force: true })
  }
}
console.log('Ingest, chunks/s (best of the rounds)')
for (const [name, rate] of Object.entries(best)) {
  console.log(`  ${name.padEnd(24)} ${rate.toFixed(0).padStart(8)}   ${(best.groundline / rate).toFixed(2)} ×`)
}
const like = best['groundline, vectors only']
console.log('  vectors only, beside the peers:')
for (const peer of ['LangChain.js + hnswlib', 'Vectra']) console.log(`    ${(like / best[peer]).toFixed(2)} × ${peer}`)
floor(like >= 5 * best['LangChain.js + hnswlib'], 'ingest with vectors only is not 5 × LangChain.js')
floor(like >= 5 * best.Vectra, 'ingest with vectors only is not 5 × Vectra')
const ingestCost = best.groundline / best['groundline, encrypted'] - 1
floor(ingestCost <= 0.15, `encryption costs ${(100 * ingestCost).toFixed(1)} % on ingest, not ≤ 15 %`)
await reopening()
if (checking) {
  for (const failure of failures) console.log(`FAIL ${failure}`)
  console.log(failures.length === 0 ? 'All floors hold.' : `${failures.length} floors missed.`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

async function openWith(folder, encryption) {
  const storage = fileStorage(folder)
  const keyring = encryption.keyProvider && (await openKeyring({ storage, ...encryption }))
  return openCorpus({ storage, ...(keyring && { sealer: keyring.sealer }) })
}

/** `both` adds the BM25 index, which the peers do not have. */
async function ingest(folder, encryption, indexes = 'both') {
  const start = performance.now()
  const corpus = await openWith(folder, encryption)
  const vectors = await usearchIndex({
    dimensions: embedder.dimensions,
    directory: encryption.keyProvider ? null : undefined,
  })
  const words = lexicalIndex()
  await syncCorpus({
    corpus,
    source: iterableSource('bench', () => documents.map(({ id, text }) => ({ id, content: text }))),
    load: async ({ id, content }) => ({ id, text: content }),
    chunker: recursiveChunker({ maxTokens: CHUNK_UNITS, counter: characterCounter() }),
    embed: (chunks) => embedTexts(chunks.map(({ text }) => text)),
    space: embedder.space,
    batchChunks: 1024,
    onCommit: async (_, { put = [] }) => {
      const entries = put.flatMap((entry) =>
        entry.chunks.map((chunk, at) => ({ id: chunk.id, vector: entry.vectors[at] })),
      )
      await vectors.upsert(entries)
      if (indexes === 'both') await words.upsert(put.flatMap(({ chunks }) => chunks))
    },
  })
  const milliseconds = performance.now() - start
  const { chunks } = corpus.info()
  await vectors.close()
  await corpus.close()
  return { chunks, milliseconds }
}

async function ingestLangChain(folder) {
  const start = performance.now()
  const splitter = new RecursiveCharacterTextSplitter({ chunkSize: CHUNK_UNITS, chunkOverlap: 0 })
  const pieces = await splitter.createDocuments(
    documents.map(({ text }) => text),
    documents.map(({ id }) => ({ id })),
  )
  const embeddings = {
    embedDocuments: async (texts) => (await embedTexts(texts)).map((vector) => Array.from(vector)),
    embedQuery: async (text) => Array.from((await embedTexts([text]))[0]),
  }
  const store = await HNSWLib.fromDocuments(pieces, embeddings)
  await store.save(folder)
  return { chunks: pieces.length, milliseconds: performance.now() - start }
}

/** Vectra writes its whole index after each document, so its rate falls with their number. */
async function ingestVectra(folder) {
  const start = performance.now()
  const index = new LocalDocumentIndex({
    folderPath: folder,
    embeddings: {
      maxTokens: 8000,
      createEmbeddings: async (texts) => ({
        status: 'success',
        output: (await embedTexts([texts].flat())).map((vector) => Array.from(vector)),
      }),
    },
    chunkingConfig: { chunkSize: CHUNK_UNITS / 4, chunkOverlap: 0, keepSeparators: true },
  })
  await index.createIndex({ version: 1, deleteIfExists: true })
  for (const { id, text } of documents) await index.upsertDocument(id, text, 'md')
  const milliseconds = performance.now() - start
  return { chunks: (await index.listItems()).length, milliseconds }
}

/** 100,000 chunks of 256 dimensions: open, load every vector, answer one query by exact scan, rightly. */
async function reopening() {
  const [count, perDocument, dimensions] = [checking ? 50_000 : 100_000, 5, 256]
  const space = { model: 'made', dimensions, normalized: false }
  const scale = 100_000 / count
  const times = {}
  for (const [name, encryption] of Object.entries({ plain, encrypted: sealed })) {
    const folder = await mkdtemp(join(tmpdir(), 'groundline-bench-'))
    const made = await openWith(folder, encryption)
    const vectorOf = (number) =>
      Float32Array.from({ length: dimensions }, (_, at) => Math.sin(number * 12.9898 + at * 78.233))
    for (let first = 0; first < count; first += 10_000) {
      const put = []
      for (let number = first; number < first + 10_000; number += perDocument)
        put.push(entryOf(number, perDocument, vectorOf))
      await made.commit({ put, space })
    }
    await made.close()
    const start = performance.now()
    const corpus = await openWith(folder, encryption)
    const opened = performance.now() - start
    const [found] = await scanCorpus(corpus, vectorOf(count / 2), { topK: 1 })
    const answered = performance.now() - start
    const [chunk] = await corpus.get([found.id])
    floor(chunk.text.includes(`number ${count / 2} `), `${name}: the answer after reopening is wrong`)
    const version = corpus.info().version
    await corpus.commit({ remove: ['document 0'] })
    const before = performance.now()
    await corpus.rollback(version)
    times[name] = {
      opened: opened * scale,
      answered: answered * scale,
      rollback: performance.now() - before,
      query: await queries(corpus, vectorOf, count),
    }
    await corpus.close()
    await rm(folder, { recursive: true, force: true })
  }
  console.log(`\nReopen, per 100,000 chunks of ${dimensions} dimensions (measured on ${count})`)
  for (const [name, { opened, answered, rollback, query }] of Object.entries(times)) {
    console.log(
      `  ${name.padEnd(10)} open ${opened.toFixed(0)} ms; first right answer by exact scan ${answered.toFixed(0)} ms; rollback ${rollback.toFixed(1)} ms; query with 10 passages ${query.toFixed(2)} ms`,
    )
  }
  const queryCost = times.encrypted.query / times.plain.query - 1
  floor(times.plain.answered <= 1000, `reopening takes ${times.plain.answered.toFixed(0)} ms, not ≤ 1000 ms`)
  floor(times.plain.rollback <= 50, `rollback takes ${times.plain.rollback.toFixed(1)} ms, not ≤ 50 ms`)
  floor(queryCost <= 0.1, `encryption costs ${(100 * queryCost).toFixed(1)} % on queries, not ≤ 10 %`)
  console.log(
    `  encryption: ${(100 * ingestCost).toFixed(1)} % on ingest, ${(100 * queryCost).toFixed(1)} % on queries`,
  )
}

/** Mean milliseconds of a search among the last 5,000 chunks and of reading its ten passages. */
async function queries(corpus, vectorOf, count) {
  const index = exactIndex({ dimensions: 256, metric: 'cosine' })
  const first = count - 5_000
  await index.upsert(
    Array.from({ length: 5_000 }, (_, at) => ({ id: `${first + at}`.padStart(32, '0'), vector: vectorOf(first + at) })),
  )
  const start = performance.now()
  const total = 200
  for (let query = 0; query < total; query++) {
    const found = await index.search(vectorOf(first + ((query * 7919) % 5_000)), { topK: 10 })
    await corpus.get(found.map(({ id }) => id))
  }
  return (performance.now() - start) / total
}

function entryOf(first, perDocument, vectorOf) {
  const id = `document ${first}`
  const parts = Array.from({ length: perDocument }, (_, at) =>
    `This is chunk number ${first + at} of a document that was made to measure how long opening takes. `.repeat(4),
  )
  const document = { id, text: parts.join('') }
  let start = 0
  const chunks = parts.map((text, at) => {
    const chunk = {
      id: `${first + at}`.padStart(32, '0'),
      documentId: id,
      documentVersion: id,
      text,
      start,
      end: start + text.length,
      metadata: {},
    }
    start += text.length
    return chunk
  })
  return { document, chunks, vectors: chunks.map((_, at) => vectorOf(first + at)) }
}

/** The Markdown of the installed packages, in a fixed order. */
async function readDocuments(limit) {
  const root = fileURLToPath(new URL('../node_modules/', import.meta.url))
  const names = (await readdir(root, { recursive: true })).filter((name) => /\.md$/i.test(name)).sort()
  const found = []
  let length = 0
  for (const id of names) {
    const text = await readFile(join(root, id), 'utf8').catch(() => '')
    if (text.trim() === '' || text.length > 200_000) continue
    found.push({ id, text })
    length += text.length
    if (length >= limit) break
  }
  return found
}

function calibrate() {
  const start = performance.now()
  let sum = 0
  for (let index = 0; index < 1e8; index++) sum = (sum + index * 7) | 0
  return performance.now() - start + (sum === 1 ? 1 : 0)
}
