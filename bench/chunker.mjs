// npm run bench:chunker [-- --check]
// Throughput of chunkers beside the peers', interleaved in one run, the linearity ratio, and what each gets wrong.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  approximateCounter,
  characterCounter,
  codeChunker,
  documentVersion,
  htmlChunker,
  jsonChunker,
  markdownChunker,
  recursiveChunker,
  sentenceChunker,
  tokenChunker,
  transcriptChunker,
} from '../dist/chunker/index.js'
import { treeSitterOutliner } from '../dist/chunker/tree-sitter-outliner.js'
import { htmlLoader } from '../dist/loader/index.js'
import { o200kBase } from '../dist/tokenizer/o200k-base.js'
import { loadPeers, locate } from './chunker-peers.mjs'

const failures = []
const o200k = o200kBase()
const chars = characterCounter()
/** Processor seconds, so that other work on the machine does not count. */
const time = async (work) => {
  const start = process.cpuUsage().user
  await work()
  return (process.cpuUsage().user - start) / 1e6
}
const calibration = await time(() => {
  let hash = 0
  for (let n = 0; n < 200_000_000; n += 1) hash = (Math.imul(hash, 31) + n) | 0
  return hash
})
console.log(
  `calibration loop of 200 M steps: ${calibration.toFixed(2)} s (0.2–0.3 s on the reference machine when idle)`,
)

const prose = textOf(1_000_000)
const drain = (chunks) => {
  let count = 0
  for (const _ of chunks) count += 1
  return count
}

const wasm = createRequire(import.meta.url)
  .resolve('@vscode/tree-sitter-wasm/package.json')
  .replace('package.json', 'wasm/')
const outliner = await treeSitterOutliner({
  language: 'javascript',
  grammar: readFileSync(`${wasm}tree-sitter-javascript.wasm`),
})
const code = sourceOf(1_000_000)
const html = htmlOf(prose)

const ours = [
  ['recursive, characters', recursiveChunker({ maxTokens: 2000, counter: chars }), 10],
  ['recursive, approximate tokens', recursiveChunker({ maxTokens: 512, counter: approximateCounter() })],
  ['recursive, o200k tokens', recursiveChunker({ maxTokens: 512, counter: o200k }), 3],
  ['token, characters', tokenChunker({ maxTokens: 2000, counter: chars }), 10],
  ['token, o200k tokens', tokenChunker({ maxTokens: 512, counter: o200k }), 3],
  ['markdown, characters', markdownChunker({ maxTokens: 2000, counter: chars }), 3],
  ['markdown, o200k tokens', markdownChunker({ maxTokens: 512, counter: o200k }), 2],
  ['sentence, characters', sentenceChunker({ maxTokens: 2000, counter: chars })],
  ['html outline, characters', htmlChunker({ maxTokens: 2000, counter: chars })],
  ['code by indentation, characters', codeChunker({ language: 'other', maxTokens: 2000, counter: chars })],
  ['transcript, characters', transcriptChunker({ maxTokens: 2000, counter: chars })],
  ['json, characters', jsonChunker({ maxTokens: 2000, counter: chars })],
  [
    'code by tree-sitter, characters',
    codeChunker({ language: 'javascript', outliner, maxTokens: 2000, counter: chars }),
    undefined,
    code,
  ],
  [
    'code by tree-sitter, o200k tokens',
    codeChunker({ language: 'javascript', outliner, maxTokens: 512, counter: o200k }),
    undefined,
    code,
  ],
  ['json records, characters', jsonChunker({ maxTokens: 2000, counter: chars }), undefined, jsonLinesOf(prose)],
  ['htmlLoader', { load: (text) => htmlLoader().load({ id: 'd', content: text }) }, undefined, html],
]
console.log('\nthroughput, MB/s, best of 3: 1 MB eight times, 8 MB once, ratio of the two (goal 0.75–1.25)')
for (const [name, chunker, goal, text = prose] of ours) {
  const eight = text.repeat(8)
  const run = async (input) => {
    if (chunker.load !== undefined) await chunker.load(input)
    else drain(chunker.chunk({ id: 'd', text: input }))
  }
  for (let n = 0; n < 8; n += 1) await run(text)
  const best = { one: 0, all: 0 }
  for (let round = 0; round < 3; round += 1) {
    const one = await time(async () => {
      for (let n = 0; n < 8; n += 1) await run(text)
    })
    const all = await time(() => run(eight))
    best.one = Math.max(best.one, (8 * text.length) / 1e6 / one)
    best.all = Math.max(best.all, eight.length / 1e6 / all)
  }
  const ratio = best.all / best.one
  if (goal !== undefined && Math.min(best.one, best.all) < goal) failures.push(`${name}: below ${goal} MB/s`)
  if (ratio < 0.75 || ratio > 1.25) failures.push(`${name}: 8 MB at ×${ratio.toFixed(2)} of the rate of 1 MB`)
  console.log(
    `${name.padEnd(34)}${best.one.toFixed(1).padStart(7)}${best.all.toFixed(1).padStart(7)}  ×${ratio.toFixed(2)}${goal === undefined ? '' : `  goal ${goal}`}`,
  )
}

const { peers, missing } = await loadPeers()
const sample = prose.slice(0, 200_000)
console.log('\npeers, the same 200 KB with o200k counts, limit 512, interleaved with ours')
const fastest = recursiveChunker({ maxTokens: 512, counter: o200k })
const alone = await bestOf(() => o200k.count(sample))
const chunked = await bestOf(() => drain(fastest.chunk({ id: 'd', text: sample })))
const version = await bestOf(() => documentVersion({ text: sample }))
console.log(
  `o200k counts the text once in ${ms(alone)}; ours takes ${ms(chunked)} with it, of which ${ms(2 * version)} hash the text and the chunks for ids.
A peer's tokenizer is o200k too. chonkiejs adds up the counts of pieces: no finished chunk is counted, and none has an id. LangChain.js has no ids either.`,
)
for (const peer of peers) {
  const chunker = recursiveChunker({ maxTokens: 512, counter: o200k })
  let [theirs, mine] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  const times = peer.slow === true ? 1 : 10
  for (let round = 0; round < 6; round += 1) {
    const theirTime = await time(async () => {
      for (let n = 0; n < times; n += 1) await peer.split(sample, 512, (piece) => o200k.count(piece))
    })
    const ourTime = await time(() => {
      for (let n = 0; n < 10; n += 1) drain(chunker.chunk({ id: 'd', text: sample }))
    })
    theirs = Math.min(theirs, theirTime / times)
    mine = Math.min(mine, ourTime / 10)
  }
  console.log(
    `${peer.name.padEnd(34)}${(0.2 / theirs).toFixed(2).padStart(7)} MB/s, ours ${(0.2 / mine).toFixed(1)} MB/s: ×${(theirs / mine).toFixed(1)}`,
  )
  const { pieces } = await peer.split(sample, 512, (piece) => o200k.count(piece))
  const counts = pieces.map(({ text }) => o200k.count(text))
  const claimed = pieces.filter(({ tokenCount }, index) => tokenCount !== undefined && tokenCount !== counts[index])
  console.log(
    `${''.padEnd(34)}${pieces.length} chunks, ${counts.filter((count) => count > 512).length} over the limit, ${pieces[0]?.tokenCount === undefined ? 'no counts given' : `${claimed.length} with a count that is not theirs`}`,
  )
}

console.log(
  '\ncorrectness on hostile texts at 40 tokens (o200k): wrong or missing offsets / over the limit / cut surrogates, of chunks',
)
const hostile = [
  'The same paragraph, word for word, and once more for good measure.\n\n'.repeat(60),
  '👩‍👩‍👧‍👦👍🏽🇩🇪🇫🇷'.repeat(120),
  'naïve café résumé 日本語の文章です。'.repeat(60),
  'x'.repeat(4000),
  sample.slice(0, 30_000),
]
const report = (name, pieces) => {
  const faults = { offsets: 0, limit: 0, surrogates: 0 }
  let total = 0
  for (const [index, list] of pieces.entries()) {
    for (const { text, start, end } of list) {
      total += 1
      if (start === undefined || hostile[index].slice(start, end) !== text) faults.offsets += 1
      if (o200k.count(text) > 40) faults.limit += 1
      if (!text.isWellFormed()) faults.surrogates += 1
    }
  }
  if (name === 'recursive' && faults.offsets + faults.limit + faults.surrogates > 0) failures.push('recursive: faults')
  console.log(`${name.padEnd(34)}${faults.offsets} / ${faults.limit} / ${faults.surrogates} of ${total}`)
}
report(
  'recursive',
  hostile.map((text) => [...recursiveChunker({ maxTokens: 40, counter: o200k }).chunk({ id: 'd', text })]),
)
for (const peer of peers) {
  const lists = []
  for (const text of hostile) lists.push((await peer.split(text, 40, (piece) => o200k.count(piece))).pieces)
  report(peer.name, lists)
  if (lists.flat().every(({ start }) => start === undefined)) {
    const lost = lists.flat().length - lists.flatMap((list, index) => locate(hostile[index], list)).length
    console.log(`${''.padEnd(34)}no offsets given; searching in order loses ${lost} pieces`)
  }
}
for (const line of missing) console.log(`not compared: ${line}`)
for (const line of failures) console.log(`missed: ${line}`)
if (process.argv.includes('--check') && failures.length > 0) process.exit(1)

/** Least processor time of one run among some, in seconds. */
async function bestOf(work) {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 8; round += 1) {
    const taken = await time(() => {
      for (let n = 0; n < 50; n += 1) work()
    })
    best = Math.min(best, taken / 50)
  }
  return best
}

function ms(seconds) {
  return `${(seconds * 1000).toFixed(2)} ms`
}

/** Our own modules as they are built, one after another, to the length asked for. */
function sourceOf(length) {
  const folder = fileURLToPath(new URL('../dist/', import.meta.url))
  const text = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .toSorted()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  return text.repeat(Math.ceil(length / text.length)).slice(0, length)
}

/** The prose as paragraphs, headings and list items of a page. */
function htmlOf(text) {
  const escaped = (part) => part.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const blocks = text.split(/\n{2,}/).map((block) => {
    if (block.startsWith('#')) return `<h2>${escaped(block.replace(/^#+ /, ''))}</h2>`
    if (block.startsWith('- '))
      return `<ul>${block
        .split(/^- /m)
        .map((item) => `<li>${escaped(item)}`)
        .join('')}</ul>`
    return `<p class="text">${escaped(block)}</p>`
  })
  return `<div>\n${blocks.join('\n')}\n</div>\n`
}

function jsonLinesOf(text) {
  return text
    .split(/\n{2,}/)
    .map((body, id) => `${JSON.stringify({ id, body, tags: ['a', 'b'] })}\n`)
    .join('')
}

/** Real prose and Markdown: the documentation of installed packages, repeated to the length asked for. */
function textOf(length) {
  const require = createRequire(import.meta.url)
  const files = ['markdown-it', 'typescript', 'tiktoken', 'js-tiktoken', 'gpt-tokenizer', '@langchain/core']
  let text = ''
  for (const name of files) {
    try {
      text += readFileSync(join(dirname(require.resolve(`${name}/package.json`)), 'README.md'), 'utf8')
    } catch {
      // Not installed: the others suffice.
    }
  }
  if (text === '') throw new Error('no package with a README is installed')
  return text
    .repeat(Math.ceil(length / text.length))
    .slice(0, length)
    .toWellFormed()
}
