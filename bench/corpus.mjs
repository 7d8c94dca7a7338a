/**
 * `npm run bench:corpus`: ingest (cut, embed with the shipped static model, index, commit durably) beside LangChain.js
 * with hnswlib-node and beside Vectra on the same documents, chunk size and embedder, in turn round by round; opening a
 * preset of 100,000 chunks until the first right answer; rollback; what encryption costs, measured in turn.
 *
 * Ours ends when every chunk is durable in the corpus (files and folders synchronised) and searchable; LangChain.js when
 * `save` has written its files, which nothing synchronises. Below 20,000 chunks, as in the preset, ours is searched by an
 * exact scan and no graph is built; the rate is printed again with a graph that is built and waited for. The embedder
 * runs its large batches in a worker for every candidate. Our chunks are smaller, so documents/s are printed beside chunks/s.
 * BM25 is no work of the peers.
 * A graph of 100,000 vectors of 256 dimensions is built again from the corpus that holds them, while a timer runs.
 * `--only ingest|reopen|rebuild|encryption` runs a part, `--check` fails below the goals.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { HNSWLib } from '@langchain/community/vectorstores/hnswlib'
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters'
import { LocalDocumentIndex } from 'vectra'
import { characterCounter, recursiveChunker } from '../dist/chunker/index.js'
import { iterableSource, openCorpus, openKeyring, syncCorpus } from '../dist/corpus/index.js'
import { embedAll, staticEmbedder } from '../dist/embedder/index.js'
import { lexicalIndex } from '../dist/lexical-index/index.js'
import { fileStorage, localKey, nodeCipher, workerEmbedder } from '../dist/node/index.js'
import { createGroundline } from '../dist/preset/index.js'
import { usearchIndex } from '../dist/providers/usearch/index.js'
import { madeEmbedder, vectorOf } from './made-embedder.mjs'
import { createRandom } from './search-data.mjs'
import { watchLoop } from './search-lab.mjs'

const checking = process.argv.includes('--check')
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined
const CHUNK_UNITS = 1000
const failures = []
const floor = (holds, message) => {
  if (!holds) failures.push(message)
}
const embedder = await staticEmbedder({ dimensions: 256 })
const inWorker = workerEmbedder(embedder, {
  module: new URL('../dist/embedder/index.js', import.meta.url).href,
  factory: 'staticEmbedder',
  options: { dimensions: embedder.dimensions },
})
const embedTexts = async (texts) => (await embedAll(inWorker, texts)).vectors
const documents = await readDocuments(3_000_000)
const units = documents.reduce((sum, { text }) => sum + text.length, 0)
console.log(`Node ${process.version}; calibration loop ${calibrate().toFixed(0)} ms`)
console.log(
  `${documents.length} Markdown documents, ${(units / 1e6).toFixed(1)} M characters, chunks of ${CHUNK_UNITS}\n`,
)

const plain = {}
const sealed = { keyProvider: localKey(new Uint8Array(32).fill(1)), cipher: nodeCipher() }
if (only === undefined || only === 'ingest') await ingesting()
if (only === undefined || only === 'encryption') await encrypting()
if (only === undefined || only === 'reopen') await reopening()
if (only === undefined || only === 'rebuild') await rebuilding()
if (checking) {
  for (const failure of failures) console.log(`FAIL ${failure}`)
  console.log(failures.length === 0 ? 'All floors hold.' : `${failures.length} floors missed.`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

async function inFolder(run) {
  const folder = await mkdtemp(join(tmpdir(), 'groundline-bench-'))
  try {
    return await run(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function ingesting() {
  await comparing(documents, 9)
  await comparing(await readDocuments(Number.POSITIVE_INFINITY, ['../node_modules/', './node_modules/']), 3)
  // Vectra writes its whole index after each document: a fifth of the documents favours it.
  const few = documents.slice(0, Math.ceil(documents.length / 5))
  const { rate } = await measured((folder) => ingestVectra(folder, few))
  const ours = await measured((folder) => ingest(folder, few, plain, 'vectors'))
  console.log(
    `Vectra, once, ${few.length} documents: ${rate.toFixed(0)} chunks/s; ours ${(ours.rate / rate).toFixed(0)} ×\n`,
  )
  floor(ours.rate >= 5 * rate, `ingest is ${(ours.rate / rate).toFixed(2)} × Vectra, not ≥ 5 ×`)
}

/** All candidates round by round; the middle of the rounds' ratios. */
async function comparing(texts, rounds) {
  const candidates = {
    'LangChain.js + hnswlib': (folder) => ingestLangChain(folder, texts),
    'vectors only': (folder) => ingest(folder, texts, plain, 'vectors'),
    'vectors and BM25': (folder) => ingest(folder, texts, plain),
  }
  const [peer, like] = Object.keys(candidates)
  const made = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]))
  // The first round warms up.
  for (let round = 0; round <= rounds; round++)
    for (const [name, run] of Object.entries(candidates)) made[name].push(await measured(run))
  const [ours, theirs] = [made[like][0].chunks, made[peer][0].chunks]
  console.log(
    `Ingest of ${texts.length} documents: ${ours} chunks, ${theirs} of ${peer}; ${rounds} rounds.\nBest chunks/s; least CPU µs a chunk; chunks/s and documents/s ÷ ${peer}, middle of the rounds (worst–best)`,
  )
  const row = (name, results) => {
    const rate = Math.max(...results.map((result) => result.rate))
    const cpu = Math.min(...results.map((result) => result.cpu))
    const ratios = results.map((result, round) => result.rate / made[peer][round + 1].rate)
    const range = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2)).join('–')
    const ratio = middle(ratios)
    const byDocument = (ratio * theirs) / results[0].chunks
    console.log(
      `  ${name.padEnd(26)} ${rate.toFixed(0).padStart(7)} ${cpu.toFixed(0).padStart(6)}   ${ratio.toFixed(2)} and ${byDocument.toFixed(2)} × (${range})`,
    )
    return ratio
  }
  for (const [name, results] of Object.entries(made)) {
    const ratio = row(name, results.slice(1))
    if (name === like)
      floor(ratio >= 5, `ingest of ${texts.length} documents is ${ratio.toFixed(2)} × ${peer}, not ≥ 5 ×`)
  }
  row('vectors, graph waited for', [await measured((folder) => ingest(folder, texts, plain, 'vectors', 'graph'))])
  console.log()
}

/** Chunks a second, and the CPU time a chunk took in all threads. */
async function measured(run) {
  const before = process.cpuUsage()
  const { chunks, milliseconds } = await inFolder(run)
  const { user, system } = process.cpuUsage(before)
  return { chunks, rate: (chunks / milliseconds) * 1000, cpu: (user + system) / chunks }
}

/** Plain and encrypted in turn; the middle of the rounds' ratios. */
async function encrypting() {
  const ratios = []
  for (let round = 0; round < 9; round++) {
    const order = round % 2 === 0 ? [plain, sealed] : [sealed, plain]
    const times = new Map()
    for (const encryption of order) {
      const { milliseconds } = await inFolder((folder) => ingest(folder, documents, encryption))
      times.set(encryption, milliseconds)
    }
    if (round > 0) ratios.push(times.get(sealed) / times.get(plain) - 1)
  }
  const ingestCost = middle(ratios)
  const queryCost = await inFolder((first) => inFolder((second) => queryRatio(first, second)))
  floor(ingestCost <= 0.15, `encryption costs ${(100 * ingestCost).toFixed(1)} % on ingest, not ≤ 15 %`)
  floor(queryCost <= 0.1, `encryption costs ${(100 * queryCost).toFixed(1)} % on queries, not ≤ 10 %`)
  console.log(
    `Encryption: ${(100 * ingestCost).toFixed(1)} % on ingest (8 pairs), ${(100 * queryCost).toFixed(1)} % on queries (30 pairs of 100)\n`,
  )
}

/** A query is a preset's: embedding, BM25, vectors, fusion, and reading ten passages. */
async function queryRatio(first, second) {
  const systems = []
  for (const [path, encryption] of [
    [first, undefined],
    [second, { keyProvider: sealed.keyProvider }],
  ]) {
    const ground = await createGroundline({ path, embedder, ...(encryption && { encryption }) })
    await ground.add(documents.map(({ id, text }) => ({ id, text })))
    systems.push(ground)
  }
  const questions = documents.slice(0, 100).map(({ text }) => text.slice(20, 80).trim() || 'how')
  const ratios = []
  for (let round = 0; round < 32; round++) {
    const times = []
    for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const start = performance.now()
      for (const question of questions) await systems[at].retrieve(question, { topK: 10 })
      times[at] = performance.now() - start
    }
    if (round > 1) ratios.push(times[1] / times[0] - 1)
  }
  for (const ground of systems) await ground.close()
  return middle(ratios)
}

function middle(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

async function openWith(folder, encryption) {
  const storage = fileStorage(folder)
  const keyring = encryption.keyProvider && (await openKeyring({ storage, ...encryption }))
  return openCorpus({ storage, ...(keyring && { sealer: keyring.sealer }) })
}

/** `both` adds the BM25 index, which the peers do not have; `graph` waits for a graph. */
async function ingest(folder, texts, encryption, indexes = 'both', waitsFor = 'scan') {
  const start = performance.now()
  const corpus = await openWith(folder, encryption)
  const vectors = await usearchIndex({
    dimensions: embedder.dimensions,
    directory: encryption.keyProvider ? null : undefined,
    exactBelow: 20_000,
  })
  const words = lexicalIndex()
  await syncCorpus({
    corpus,
    source: iterableSource('bench', () => texts.map(({ id, text }) => ({ id, content: text }))),
    load: async ({ id, content }) => ({ id, text: content }),
    chunker: recursiveChunker({ maxTokens: CHUNK_UNITS, counter: characterCounter() }),
    embed: (chunks) => embedTexts(chunks.map(({ text }) => text)),
    space: embedder.space,
    // Commits of 512 chunks.
    batchChunks: 2048,
    onCommit: async (_, { put = [] }) => {
      const entries = put.flatMap((entry) =>
        entry.chunks.map((chunk, at) => ({ id: chunk.id, vector: entry.vectors[at] })),
      )
      await vectors.upsert(entries)
      if (indexes === 'both') await words.upsert(put.flatMap(({ chunks }) => chunks))
    },
  })
  if (waitsFor === 'graph') await vectors.build()
  const milliseconds = performance.now() - start
  const { chunks } = corpus.info()
  await vectors.close()
  await corpus.close()
  return { chunks, milliseconds }
}

async function ingestLangChain(folder, texts) {
  const start = performance.now()
  const splitter = new RecursiveCharacterTextSplitter({ chunkSize: CHUNK_UNITS, chunkOverlap: 0 })
  const pieces = await splitter.createDocuments(
    texts.map(({ text }) => text),
    texts.map(({ id }) => ({ id })),
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
async function ingestVectra(folder, few) {
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
  for (const { id, text } of few) await index.upsertDocument(id, text, 'md')
  const milliseconds = performance.now() - start
  return { chunks: (await index.listItems()).length, milliseconds }
}

/** A preset of 100,000 chunks of 256 dimensions: opened, asked once, answered rightly. */
async function reopening() {
  for (const [name, encryption] of Object.entries({
    plain: undefined,
    encrypted: { keyProvider: sealed.keyProvider },
  })) {
    await inFolder(async (path) => {
      const open = () => createGroundline({ path, embedder: madeEmbedder, ...(encryption && { encryption }) })
      const first = await open()
      await fill(first.corpus, { count: 100_000, perDocument: 5, vectorOf, space: madeEmbedder.space })
      const ask = async (ground, number) => {
        const { passages } = await ground.retrieve(`chunk number${number}`, { topK: 10 })
        floor(passages[0]?.text.includes(`number${number} `), `${name}: the answer about ${number} is wrong`)
        return passages.map(({ id, score }) => `${id} ${score}`).join()
      }
      let start = performance.now()
      const before = await ask(first, 4711)
      const rebuilt = performance.now() - start
      await first.close()

      const fresh = []
      for (let round = 0; round < 5; round++) fresh.push(await reopened(path, name))
      for (const { answer } of fresh) floor(answer === before, `${name}: another process answers otherwise`)
      const opened = middle(fresh.map((one) => one.opened))
      const answered = middle(fresh.map((one) => one.answered))
      start = performance.now()
      const ground = await open()
      const again = await ask(ground, 4711)
      const answeredHere = performance.now() - start
      floor(again === before, `${name}: the answer after opening is another than before`)
      const { version } = ground.info()
      await ground.remove(['document 0'])
      await ask(ground, 99)
      start = performance.now()
      await ground.corpus.rollback(version)
      const rolledBack = performance.now() - start
      const after = await ask(ground, 4711)
      const answeredAgain = performance.now() - start
      console.log(
        `Preset of 100,000 chunks, ${name}: both indexes built from the corpus ${rebuilt.toFixed(0)} ms; opened by another process, middle of 5, ${opened.toFixed(0)} ms, first right answer ${answered.toFixed(0)} ms (${fresh.map((one) => one.answered.toFixed(0)).join(', ')}), by the process that made it, garbage included, ${answeredHere.toFixed(0)} ms; rollback ${rolledBack.toFixed(1)} ms, first answer ${answeredAgain.toFixed(1)} ms`,
      )
      floor(after === before, `${name}: the answer after a rollback is another than before`)
      floor(answered <= 1000, `${name}: opening takes ${answered.toFixed(0)} ms until the first answer, not ≤ 1000 ms`)
      floor(rebuilt <= 60_000, `${name}: building the indexes takes ${rebuilt.toFixed(0)} ms, not ≤ 60,000 ms`)
      floor(rolledBack <= 50, `${name}: rollback takes ${rolledBack.toFixed(1)} ms, not ≤ 50 ms`)
      await ground.close()
    })
  }
}

/** The graph of 100,000 stored vectors: points around 2,000 centres, by a fixed rule. */
async function rebuilding() {
  const [count, dimensions, perDocument] = [100_000, 256, 500]
  const { normal } = createRandom(7)
  const centres = Array.from({ length: 2_000 }, () => Float32Array.from({ length: dimensions }, normal))
  const around = (number) => centres[number % centres.length].map((value) => value + 0.7 * normal())
  await inFolder(async (folder) => {
    const corpus = await openWith(folder, plain)
    const space = { model: 'made', dimensions, normalized: false }
    await fill(corpus, { count, perDocument, vectorOf: around, space })
    const loop = watchLoop()
    const cpu = process.cpuUsage()
    const start = performance.now()
    const index = await usearchIndex({ dimensions, exactBelow: 20_000 })
    await index.fill(corpus.vectorBlocks(), { count })
    const filled = performance.now() - start
    await index.build()
    const built = performance.now() - start
    const { user, system } = process.cpuUsage(cpu)
    const { p99, longest } = loop.stop()
    console.log(
      `Graph of ${count} × ${dimensions} from a corpus: read ${filled.toFixed(0)} ms, built ${(built / 1000).toFixed(1)} s, CPU ${((user + system) / 1e6).toFixed(1)} s; event loop p99 ${p99.toFixed(1)} ms, longest gap ${longest.toFixed(1)} ms`,
    )
    const entries = await index.count()
    floor(entries === count, `the graph has ${entries} of ${count} vectors`)
    for await (const { idAt, vectors } of corpus.vectorBlocks()) {
      const [nearest] = await index.search(vectors.slice(0, dimensions), { topK: 1 })
      floor(nearest?.id === idAt(0), `the graph does not find ${idAt(0)}`)
    }
    floor(built <= 60_000, `building the graph again takes ${(built / 1000).toFixed(1)} s, not ≤ 60 s`)
    await index.close()
    await corpus.close()
  })
}

/** Commits `count` chunks, 10,000 at a time. */
async function fill(corpus, { count, perDocument, vectorOf, space }) {
  for (let from = 0; from < count; from += 10_000) {
    const put = []
    for (let number = from; number < from + 10_000; number += perDocument)
      put.push(entryOf(number, perDocument, vectorOf))
    await corpus.commit({ put, space })
  }
}

/** Opens a folder in a process of its own. */
async function reopened(path, kind) {
  const script = fileURLToPath(new URL('reopen.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script, path, kind])
  return JSON.parse(stdout)
}

/** Chunks of some 60 words out of 20,000, by a fixed rule: words as frequent as in language. */
function entryOf(first, perDocument, vectorOf) {
  const id = `document ${first}`
  let state = first + 1
  const word = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return `w${Math.floor(20_000 ** (state / 2 ** 32)).toString(36)}`
  }
  const parts = Array.from(
    { length: perDocument },
    (_, at) => `Chunk number${first + at} ${Array.from({ length: 60 }, word).join(' ')}. `,
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
async function readDocuments(limit, roots = ['../node_modules/']) {
  const found = []
  let length = 0
  for (const at of roots) {
    const root = fileURLToPath(new URL(at, import.meta.url))
    const names = (await readdir(root, { recursive: true })).filter((name) => /\.md$/i.test(name)).sort()
    for (const name of names) {
      const text = await readFile(join(root, name), 'utf8').catch(() => '')
      if (text.trim() === '' || text.length > 200_000) continue
      found.push({ id: at + name, text })
      length += text.length
      if (length >= limit) return found
    }
  }
  return found
}

function calibrate() {
  const start = performance.now()
  let sum = 0
  for (let index = 0; index < 1e8; index++) sum = (sum + index * 7) | 0
  return performance.now() - start + (sum === 1 ? 1 : 0)
}
