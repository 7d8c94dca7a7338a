/**
 * `npm run bench:tokenizer`: count-only throughput of every tokenizer on the same texts in one process, in turn round by
 * round: fresh (slices of a text never seen before, the code being warm) and warm (the best of several rounds); cold starts and pathological inputs in processes of their own. Ids are compared with tiktoken (WASM).
 * `--check` leaves out what peers do on pathological inputs and fails when a floor is missed.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { open, peerNames } from './tokenizer-peers.mjs'
import { corpora, pathological } from './tokenizer-texts.mjs'

const checking = process.argv.includes('--check')
const vocabularies = ['cl100k_base', 'o200k_base']
const failures = []
const expectThat = (holds, message) => {
  if (!holds) failures.push(message)
}
const now = () => performance.now()
const inOwnProcess = (peer, vocabulary, kind, length, seconds) => {
  const program = fileURLToPath(new URL('./tokenizer-peers.mjs', import.meta.url))
  const run = spawnSync(process.execPath, [program, peer, vocabulary, kind, String(length)], {
    timeout: seconds * 1000,
  })
  return run.status === 0 ? Number(run.stdout.toString()) : undefined
}

console.log(`Node ${process.version}; calibration loop ${calibrate().toFixed(0)} ms\n`)
for (const vocabulary of vocabularies) await throughput(vocabulary)
coldStart()
pathologicalTable()
if (checking) {
  for (const failure of failures) console.log(`FAIL ${failure}`)
  console.log(failures.length === 0 ? 'All floors hold.' : `${failures.length} floors missed.`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

async function throughput(vocabulary) {
  const tokenizers = new Map()
  for (const peer of peerNames) tokenizers.set(peer, await open(peer, vocabulary))
  const texts = Object.entries(corpora())
  const table = {}
  const ratios = { fresh: [], warm: [] }
  const slices = (text) => Array.from({ length: 6 }, (_, index) => sliceOf(text, index, 6))
  for (const [, text] of texts) {
    for (const tokenizer of tokenizers.values())
      for (let round = 0; round < 5; round++) tokenizer.count(slices(text)[0])
  }

  for (const [corpus, text] of texts) {
    const reference = tokenizers.get('tiktoken').encode(text)
    const bytes = Buffer.byteLength(text)
    const unseen = slices(text).slice(1)
    const best = new Map(peerNames.map((peer) => [peer, { fresh: 0, warm: Number.POSITIVE_INFINITY }]))
    for (const slice of unseen) {
      for (const [peer, tokenizer] of tokenizers) {
        const start = now()
        tokenizer.count(slice)
        best.get(peer).fresh += ((now() - start) * text.length) / (text.length - slices(text)[0].length)
      }
    }
    for (let round = 0; round < (checking ? 10 : 20); round++) {
      for (const [peer, tokenizer] of tokenizers) {
        if (peer === 'js-tiktoken' && round > 1) continue
        const start = now()
        const count = tokenizer.count(text)
        best.get(peer).warm = Math.min(best.get(peer).warm, now() - start)
        if (round === 0 && count !== reference.length) {
          console.log(`${peer} counts ${count} and not ${reference.length} (${vocabulary}, ${corpus})`)
        }
      }
    }
    const ids = tokenizers.get('groundline').encode(text)
    const same = ids.length === reference.length && ids.every((id, index) => id === reference[index])
    expectThat(same, `${vocabulary} ${corpus}: ids differ from tiktoken's`)
    for (const state of ['fresh', 'warm']) {
      const speeds = new Map(Array.from(best, ([peer, times]) => [peer, bytes / 1000 / times[state]]))
      const ours = speeds.get('groundline')
      const fastest = Math.max(...peerNames.filter((peer) => /^(gpt|ai)-/.test(peer)).map((peer) => speeds.get(peer)))
      const row = Object.fromEntries(Array.from(speeds, ([peer, speed]) => [peer, Number(speed.toFixed(1))]))
      row['÷ fastest JS'] = Number((ours / fastest).toFixed(2))
      row['÷ js-tiktoken'] = Number((ours / speeds.get('js-tiktoken')).toFixed(1))
      row.ids = same ? 'same' : 'DIFFER'
      table[`${corpus} ${state}`] = row
      ratios[state].push(ours / fastest)
      if (state === 'warm') {
        expectThat(
          ours >= 1.5 * fastest,
          `${vocabulary} ${corpus} ${state}: ${(ours / fastest).toFixed(2)} × the fastest JS peer, floor 1.5`,
        )
        const classic = ['markdown', 'typescript', 'json'].includes(corpus)
        const ratio = ours / speeds.get('js-tiktoken')
        expectThat(!classic || ratio >= 15, `${vocabulary} ${corpus}: ${ratio.toFixed(1)} × js-tiktoken, floor 15`)
      }
    }
  }
  console.log(`${vocabulary}: count only, MB/s`)
  console.table(table)
  for (const state of ['fresh', 'warm']) {
    const mean = Math.exp(ratios[state].reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios[state].length)
    console.log(`geometric mean over the fastest JS peer, ${state}: ${mean.toFixed(2)}`)
    if (state === 'warm') expectThat(mean >= 2.5, `${vocabulary}: geometric mean ${mean.toFixed(2)}, floor 2.5`)
  }
  console.log()
}

/** One of `parts` slices of whole lines. */
function sliceOf(text, index, parts) {
  const border = (part) =>
    part === 0 ? 0 : part === parts ? text.length : text.indexOf('\n', (text.length * part) / parts)
  return text.slice(border(index), border(index + 1))
}

function coldStart() {
  const rows = {}
  for (const vocabulary of vocabularies) {
    const times = new Map(peerNames.map((peer) => [peer, []]))
    for (let round = 0; round < 3; round++) {
      for (const peer of peerNames) times.get(peer).push(inOwnProcess(peer, vocabulary, 'cold', 0, 30))
    }
    const best = new Map(Array.from(times, ([peer, all]) => [peer, Math.min(...all)]))
    const ratio = best.get('groundline') / best.get('gpt-tokenizer')
    rows[vocabulary] = Object.fromEntries(Array.from(best, ([peer, time]) => [peer, Number(time.toFixed(0))]))
    rows[vocabulary]['÷ gpt-tokenizer'] = Number(ratio.toFixed(2))
    expectThat(ratio < 1, `${vocabulary}: cold start ${ratio.toFixed(2)} × gpt-tokenizer's, ceiling 1`)
  }
  console.log('Import, load, first count: ms')
  console.table(rows)
}

function pathologicalTable() {
  const rows = {}
  const shown = checking ? ['groundline'] : peerNames
  for (const kind of Object.keys(pathological)) {
    for (const vocabulary of vocabularies) {
      const row = {}
      for (const peer of shown) {
        if (peer !== 'groundline' && vocabulary === 'o200k_base') continue
        const time = inOwnProcess(peer, vocabulary, kind, 100_000, 10)
        row[peer] = time === undefined ? '> 10,000' : Number(time.toFixed(0))
        if (peer === 'groundline')
          expectThat(time <= 500, `${vocabulary}: 100,000 units of ${kind} take ${time} ms, ceiling 500`)
      }
      const [n, m] = [1_000_000, 2_000_000].map((length) =>
        best(3, () => inOwnProcess('groundline', vocabulary, kind, length, 60)),
      )
      row['1 M'] = Number(n.toFixed(0))
      row['2 M ÷ 1 M'] = Number((m / n).toFixed(2))
      expectThat(n <= 2000 || kind !== 'one letter', `${vocabulary}: 1,000,000 letters take ${n} ms, ceiling 2000`)
      expectThat(
        m / Math.max(n, 20) <= 2.6,
        `${vocabulary}: ${kind} grows by ${(m / n).toFixed(2)} when doubled, ceiling 2.6`,
      )
      rows[`${kind} (${vocabulary})`] = row
    }
  }
  console.log('100,000 units of …: ms')
  console.table(rows)
  const ten = inOwnProcess('groundline', 'o200k_base', 'one letter', 10_000_000, 60)
  console.log(`10,000,000 × one letter: ${ten.toFixed(0)} ms`)
  expectThat(ten <= 20_000, `10,000,000 letters take ${ten} ms, ceiling 20,000`)
}

function best(rounds, measure) {
  return Math.min(...Array.from({ length: rounds }, measure))
}

function calibrate() {
  const start = now()
  let state = 1
  for (let index = 0; index < 100_000_000; index++) state = (Math.imul(state, 1103515245) + 12345) | 0
  return now() - start + (state === 0 ? 1 : 0)
}
