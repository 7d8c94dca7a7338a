// npm run bench:chunker [-- --check]
// Throughput of chunkers beside the peers', interleaved in one run, the linearity ratio, and what each gets wrong.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  approximateCounter,
  characterCounter,
  codeChunker,
  htmlChunker,
  jsonChunker,
  markdownChunker,
  recursiveChunker,
  sentenceChunker,
  tokenChunker,
  transcriptChunker,
} from '../dist/chunker/index.js'
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
const eight = prose.repeat(8)
const drain = (chunks) => {
  let count = 0
  for (const _ of chunks) count += 1
  return count
}

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
]
console.log('\nthroughput, MB/s, best of 3: 1 MB eight times, 8 MB once, ratio of the two (goal 0.75–1.25)')
for (const [name, chunker, goal] of ours) {
  for (let n = 0; n < 8; n += 1) drain(chunker.chunk({ id: 'warm', text: prose }))
  const best = { one: 0, all: 0 }
  for (let round = 0; round < 3; round += 1) {
    const one = await time(() => {
      for (let n = 0; n < 8; n += 1) drain(chunker.chunk({ id: 'd', text: prose }))
    })
    const all = await time(() => drain(chunker.chunk({ id: 'd', text: eight })))
    best.one = Math.max(best.one, eight.length / 1e6 / one)
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
