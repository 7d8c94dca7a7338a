/**
 * `npm run bench:query`: how long each step of answering a question takes with 100,000 chunks on one core, as p50 and p95
 * of single calls: the query's embedding, BM25, vector search, fusion, assembly, and the whole way from question to prompt.
 * Texts are generated (words by Zipf's law with English function words at the head, topics that make words cluster), or cut
 * from a folder of test collections with `-- --data FOLDER`; questions have 2 to 40 words, function words among them. BM25
 * answers are compared with a plain scan of all chunks. With `--check` the bounds of GOALS.md F5 decide the exit code.
 * `--size 20000` makes it shorter, `--only bm25` leaves vectors and prompts out, `--only path` the check of BM25 and its run
 * with stop words, `--graph FOLDER` keeps the graph there and uses one that an earlier run with the same texts left.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { staticEmbedder } from '../dist/embedder/index.js'
import { englishAnalyzer, lexicalIndex, wordAnalyzer } from '../dist/lexical-index/index.js'
import { promptAssembler } from '../dist/prompt-assembler/index.js'
import { usearchIndex } from '../dist/providers/usearch/index.js'
import { denseRetriever, hybridRetriever, lexicalRetriever, memoryChunkStore } from '../dist/retriever/index.js'
import { exactCounter } from '../dist/tokenizer/index.js'
import { o200kBase } from '../dist/tokenizer/o200k-base.js'
import { createRandom } from './search-data.mjs'

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    size: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '400' },
    only: { type: 'string' },
    graph: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})
const size = Number(options.size)
/** What the hybrid asks each leg for. */
const CANDIDATES = 100
const failures = []
const random = createRandom(20261125)

console.log(`Node ${process.version}; calibration loop ${calibrate().toFixed(0)} ms; ${size} chunks`)
const { texts, questions } = options.data === undefined ? generated() : collected(options.data)
const lengths = questions.map((question) => question.split(/\s+/).length).sort((a, b) => a - b)
const words = texts.reduce((sum, text) => sum + text.split(/\s+/).length, 0)
console.log(
  `${questions.length} questions of ${lengths[0]} to ${lengths.at(-1)} words, median ${lengths[lengths.length >> 1]}; chunks of ${(words / size).toFixed(0)} words on average\n`,
)
/** Sixteen in a row are a document. */
let end = 0
const chunks = texts.map((text, i) => {
  const start = i % 16 === 0 ? 0 : end
  end = start + text.length
  return { id: `c${i}`, documentId: `d${i >> 4}`, documentVersion: '1', text, start, end, metadata: {} }
})

const lexical = await bm25('BM25, default analyzer', englishAnalyzer())
// No stop list, as the analyzers of the other languages: "the" has a list of nearly every chunk.
if (options.only !== 'path') await bm25('BM25, stop words kept', wordAnalyzer())
if (options.only !== 'bm25') await path()
for (const failure of failures) console.log(`FAIL ${failure}`)
if (options.check) {
  console.log(failures.length === 0 ? 'bench:query: every bound holds' : `bench:query: ${failures.length} bounds fail`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

async function bm25(name, analyzer) {
  const index = lexicalIndex({ analyzer })
  for (let from = 0; from < size; from += 1024) await index.upsert(chunks.slice(from, from + 1024))
  if (options.only !== 'path') await verified(index, analyzer)
  for (const topK of [10, CANDIDATES])
    await timed(`${name}, top ${topK}`, 5, (question) => index.search(question, { topK }))
  return index
}

/** Compares a few answers with the formula computed over every chunk. */
async function verified(index, analyzer) {
  const sample = questions.slice(0, 5)
  const wanted = sample.map((question) => analyzer.analyze(question))
  const known = new Set(wanted.flat())
  const frequency = new Map([...known].map((term) => [term, 0]))
  const counts = []
  let total = 0
  for (const { text } of chunks) {
    const terms = analyzer.analyze(text)
    const own = new Map()
    for (const term of terms) if (known.has(term)) own.set(term, (own.get(term) ?? 0) + 1)
    for (const term of own.keys()) frequency.set(term, frequency.get(term) + 1)
    counts.push({ own, length: terms.length })
    total += terms.length
  }
  const average = total / chunks.length
  for (const [at, terms] of wanted.entries()) {
    const scores = counts.map(({ own, length }) => {
      let score = 0
      for (const term of terms) {
        const tf = own.get(term)
        if (tf === undefined) continue
        const df = frequency.get(term)
        score += (Math.log(1 + (size - df + 0.5) / (df + 0.5)) * tf) / (tf + 1.2 * (0.25 + (0.75 * length) / average))
      }
      return score
    })
    const expected = scores.filter((score) => score > 0).sort((a, b) => b - a)
    const found = await index.search(sample[at], { topK: CANDIDATES })
    found.forEach(({ id, score }, rank) => {
      const own = scores[Number(id.slice(1))]
      if (Math.abs(score - expected[rank]) > 1e-6 || Math.abs(score - own) > 1e-6)
        throw new Error(`"${sample[at]}": rank ${rank + 1} is ${id} with ${score}, expected ${expected[rank]}`)
    })
  }
}

async function path() {
  // The default of the preset.
  const embedder = await staticEmbedder({ dimensions: 256 })
  const index = await usearchIndex({
    dimensions: embedder.dimensions,
    space: embedder.space,
    ...(options.graph && { directory: options.graph }),
  })
  if ((await index.count()) !== size) {
    for (let from = 0; from < size; from += 1024) {
      const part = chunks.slice(from, from + 1024)
      const { vectors } = await embedder.embed(part.map(({ text }) => text))
      await index.upsert(part.map(({ id }, i) => ({ id, vector: vectors[i] })))
    }
    await index.settled()
    await index.build()
    if (options.graph) await index.save()
  }
  await index.settled()
  const { graphNodes, recall, recallQueries } = index.stats()
  const measured = recall.map(
    ({ topK, recall, candidates }) => `${recall.toFixed(3)} at ${topK} (${candidates} candidates)`,
  )
  console.log(
    `graph of ${graphNodes} nodes, recall ${measured.join(', ') || 'unknown'} by its own ${recallQueries} queries`,
  )
  if (recallQueries < 500 || recall.some((point) => point.recall < 0.99 || point.candidates === 0))
    failures.push('the index did not measure a recall of .99 of itself with 500 queries')
  const store = memoryChunkStore()
  store.put(chunks)
  const embed = async (question) => (await embedder.embed([question], { role: 'query' })).vectors[0]
  await timed('query embedding', 0.2, embed)
  const vectors = new Map()
  for (const question of questions) vectors.set(question, await embed(question))
  let scans = 0
  const explain = (note) => {
    if (!note.startsWith('graph')) scans++
  }
  for (const question of questions) await index.search(vectors.get(question), { topK: CANDIDATES, explain })
  console.log(`vector search: ${questions.length - scans} of ${questions.length} questions asked the graph`)
  // Where the recall takes a graph search of thousands of candidates, as with these generated texts at 100,000, the scan of
  // everything costs less, and the planner is right to scan.
  const needed = recall.find(({ topK }) => topK === CANDIDATES)?.candidates ?? 0
  if (scans > 0 && needed < size / 100)
    failures.push(`${scans} of ${questions.length} vector searches scanned, for want of ${needed} candidates`)
  await timed(`vector search, top ${CANDIDATES}`, 10, (question) =>
    index.search(vectors.get(question), { topK: CANDIDATES }),
  )

  const words = lexicalRetriever({ index: lexical, store })
  const dense = denseRetriever({ index, embedder, store })
  const found = new Map()
  for (const question of questions)
    found.set(question, [
      await words.retrieve(question, { topK: CANDIDATES }),
      await dense.retrieve(question, { topK: CANDIDATES }),
    ])
  // The retriever itself, over legs whose answers are known.
  const known = (leg) => ({ retrieve: async (question) => found.get(question)[leg] })
  const fusion = hybridRetriever({ lexical: known(0), dense: known(1) })
  await timed('fusion of 100 and 100', 1, (question) => fusion.retrieve(question, { topK: 10 }))

  const counter = exactCounter(o200kBase())
  const assembler = promptAssembler({ counter, contextWindow: 16_000, outputReserve: 1_000 })
  const instructions = 'Answer from the sources and cite them.'
  const passages = new Map()
  for (const question of questions) passages.set(question, (await fusion.retrieve(question, { topK: 10 })).passages)
  const prompt = (question, own) => assembler.assemble({ instructions, passages: own, question })
  await timed('assembly of 10 passages', 20, (question) => prompt(question, passages.get(question)))
  const hybrid = hybridRetriever({ lexical: words, dense })
  await timed('the whole path', 50, async (question) =>
    prompt(question, (await hybrid.retrieve(question, { topK: 10 })).passages),
  )
  await index.close()
}

/**
 * Times every question once, after a quarter of them to warm up. The bound is for the time by the clock; the processor's own
 * time stands beside it, because on a machine with other work the clock counts that too.
 */
async function timed(name, bound, call) {
  for (const question of questions.slice(0, questions.length >> 2)) await call(question)
  const times = []
  const busy = []
  for (const question of questions) {
    const before = process.cpuUsage()
    const start = performance.now()
    await call(question)
    times.push(performance.now() - start)
    const { user, system } = process.cpuUsage(before)
    busy.push((user + system) / 1_000)
  }
  for (const list of [times, busy]) list.sort((a, b) => a - b)
  const at = (share, list = times) => list[Math.min(list.length - 1, Math.floor(share * list.length))]
  console.log(
    `${name.padEnd(36)} p50 ${at(0.5).toFixed(3)} ms  p95 ${at(0.95).toFixed(3)} ms  max ${times.at(-1).toFixed(3)} ms  (bound ${bound})  processor p95 ${at(0.95, busy).toFixed(3)} ms`,
  )
  if (at(0.95) > bound) failures.push(`${name}: p95 ${at(0.95).toFixed(3)} ms, bound ${bound} ms`)
}

/** Windows of 80 words over the documents of collections in BEIR form, and their questions. */
function collected(folder) {
  const documents = []
  const asked = []
  for (const name of readdirSync(folder)) {
    const place = join(folder, name)
    const corpus = ['corpus.jsonl', 'corpus.jsonl.gz'].map((file) => join(place, file)).find(existsSync)
    if (corpus === undefined) continue
    const raw = readFileSync(corpus)
    const lines = (bytes) => bytes.toString('utf8').trim().split('\n').map(JSON.parse)
    for (const { title = '', text } of lines(corpus.endsWith('.gz') ? gunzipSync(raw) : raw))
      documents.push(`${title} ${text}`.trim().split(/\s+/))
    for (const { text } of lines(readFileSync(join(place, 'queries.jsonl')))) asked.push(text)
  }
  const total = documents.reduce((sum, { length }) => sum + length, 0)
  const step = Math.max(1, total / size)
  const texts = []
  let due = 0
  for (const document of documents) {
    for (; due < document.length; due += step)
      texts.push(document.slice(Math.floor(due), Math.floor(due) + 80).join(' '))
    due -= document.length
  }
  while (texts.length < size) texts.push(texts[texts.length % 1000])
  shuffle(asked)
  return { texts: texts.slice(0, size), questions: asked.slice(0, Number(options.queries)) }
}

/** Zipf's law over 60,000 words, the first of them function words; each chunk draws half its other words from one of 500 topics. */
function generated() {
  const functionWords =
    'the of and to a in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many'.split(
      ' ',
    )
  const rare = Array.from({ length: 60_000 }, (_, i) => spelled(i))
  const topics = Array.from({ length: 500 }, () => Array.from({ length: 120 }, () => rare[zipf(rare.length)]))
  const sentence = (count, topic, share) =>
    Array.from({ length: count }, () => {
      if (random.next() < share) return functionWords[zipf(functionWords.length)]
      return random.next() < 0.5 ? topic[random.below(topic.length)] : rare[zipf(rare.length)]
    }).join(' ')
  const texts = Array.from({ length: size }, () =>
    sentence(40 + random.below(80), topics[random.below(topics.length)], 0.45),
  )
  const questions = Array.from({ length: Number(options.queries) }, (_, i) => {
    const topic = topics[random.below(topics.length)]
    return sentence(i % 4 === 0 ? 20 + random.below(21) : 2 + random.below(13), topic, 0.45)
  })
  return { texts, questions }
}

/** Rank from 0 with probability about 1 / rank. */
function zipf(count) {
  return Math.min(count - 1, Math.floor(count ** random.next()) - 1)
}

function spelled(number) {
  const letters = 'etaoinshrdlucmfwypvbgk'
  let word = ''
  for (let rest = number + 30; rest > 0; rest = Math.floor(rest / letters.length))
    word += letters[rest % letters.length]
  return `${word}x`
}

function shuffle(list) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[list[i], list[j]] = [list[j], list[i]]
  }
}

function calibrate() {
  const started = performance.now()
  let sum = 0
  for (let index = 0; index < 50_000_000; index++) sum = (sum + index * 31) | 0
  return sum === 1 ? 0 : performance.now() - started
}
