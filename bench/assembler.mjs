/**
 * `npm run bench:assembler`: how full prompts get and how much of the attainable worth they hold, against the exact optimum
 * and two ways of pruning that other libraries use; how long assembling takes; how much of a session's prefix stays. With
 * `--check`, an exit code that says whether the floors hold.
 */
import { quoteFinder } from '../dist/language-model/find-quote.js'
import { cachedTokens, promptAssembler, promptCaching } from '../dist/prompt-assembler/index.js'
import { exactCounter } from '../dist/tokenizer/index.js'
import { o200kBase } from '../dist/tokenizer/o200k-base.js'

const checking = process.argv.includes('--check')
const counter = exactCounter(o200kBase())
const failures = []
const floor = (name, value, least) => {
  if (value < least) failures.push(`${name} is ${value.toFixed(4)}, floor ${least}`)
}
const random = mulberry(20261122)

console.log(`Node ${process.version}; calibration loop ${calibrate().toFixed(0)} ms\n`)
selection(1000)
speed()
session()
quotations()
for (const failure of failures) console.log(`FAIL ${failure}`)
if (checking) {
  console.log(failures.length === 0 ? 'All floors hold.' : `${failures.length} floors missed.`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

/** Instances of up to 200 passages with a budget of 10–80 % of what they cost; every choice is valued by the same scores. */
function selection(instances) {
  const pool = Array.from({ length: 600 }, (_, index) => text(20 + Math.floor(random() ** 2 * 400), index))
  const methods = { groundline: choose, 'lowest priority dropped first': pruneLowest, 'priority cutoff': cutOff }
  const results = Object.fromEntries(Object.keys(methods).map((name) => [name, { share: [], full: [], ms: [] }]))
  for (let instance = 0; instance < instances; instance++) {
    const size = 5 + Math.floor(random() * 196)
    const passages = Array.from({ length: size }, (_, index) =>
      passage(index, pool[Math.floor(random() * pool.length)]),
    )
    const wide = promptAssembler({ counter, contextWindow: 10_000_000, outputReserve: 0 })
    const all = wide.assemble({ passages, question: 'What is asked?' })
    const bare = wide.assemble({ question: 'What is asked?' }).ledger.total
    const best = Math.max(...passages.map(({ score }) => score))
    const items = all.sources.map((source) => {
      const only = passages.filter(({ id }) => id === source.chunkId)
      return {
        id: source.chunkId,
        one: wide.assemble({ passages: only, question: 'What is asked?' }).ledger.total,
        utility: source.score / best,
      }
    })
    const twice = items.slice(0, 2).map(({ id }) => passages.find((candidate) => candidate.id === id))
    const pair = wide.assemble({ passages: twice, question: 'What is asked?' }).ledger.total
    // One passage costs the words before the sources too; two cost them once.
    const intro = items[0].one + items[1].one - pair - bare
    for (const item of items) item.cost = item.one - bare - intro
    const total = items.reduce((sum, { cost }) => sum + cost, 0)
    const budget = bare + intro + Math.floor(total * (0.1 + 0.7 * random()))
    const optimum = table(items, budget - bare - intro)
    for (const [name, method] of Object.entries(methods)) {
      const started = performance.now()
      const chosen = method({ passages, items, budget, room: budget - bare - intro })
      const { share, full, ms } = results[name]
      ms.push(performance.now() - started)
      const spent = chosen.reduce((sum, { cost }) => sum + cost, 0)
      if (spent > budget - bare - intro) failures.push(`${name} went over the budget in instance ${instance}`)
      share.push(chosen.reduce((sum, { utility }) => sum + utility, 0) / optimum)
      full.push((bare + intro + spent) / budget)
    }
  }
  console.log(`${instances} instances of 5–200 passages, o200k_base, budget 10–80 % of all`)
  console.table(
    Object.fromEntries(
      Object.entries(results).map(([name, { share, full, ms }]) => [
        name,
        {
          'utility/optimum mean': mean(share).toFixed(4),
          worst: Math.min(...share).toFixed(4),
          'utilisation median': median(full).toFixed(4),
          lowest: Math.min(...full).toFixed(4),
          'ms median': median(ms).toFixed(2),
        },
      ]),
    ),
  )
  const { share, full } = results.groundline
  floor('mean utility against the optimum', mean(share), 0.99)
  floor('worst utility against the optimum', Math.min(...share), 0.97)
  floor('median utilisation', median(full), 0.97)
}

function choose({ passages, items, budget }) {
  const prompt = promptAssembler({ counter, contextWindow: budget, outputReserve: 0 }).assemble({
    passages,
    question: 'What is asked?',
  })
  if (prompt.ledger.total > budget) failures.push(`${prompt.ledger.total} tokens in a budget of ${budget}`)
  const shown = new Set(prompt.sources.map((source) => source.chunkId))
  return items.filter(({ id }) => shown.has(id))
}

/** As vscode-prompt-tsx prunes: the piece of the lowest priority goes, one at a time, until the rest fits. */
function pruneLowest({ items, room }) {
  const kept = [...items].sort((a, b) => b.utility - a.utility)
  let cost = kept.reduce((sum, item) => sum + item.cost, 0)
  while (cost > room) cost -= kept.pop().cost
  return kept
}

/** As priompt cuts: everything of at least a priority, the lowest such that it fits; here priorities are tenths. */
function cutOff({ items, room }) {
  for (let level = 0; level <= 10; level++) {
    const kept = items.filter(({ utility }) => Math.floor(utility * 10) >= level)
    if (kept.reduce((sum, { cost }) => sum + cost, 0) <= room) return kept
  }
  return []
}

/** The exact optimum, by a table over every capacity. */
function table(items, capacity) {
  const best = new Float64Array(capacity + 1)
  for (const { cost, utility } of items)
    for (let room = capacity; room >= cost; room--) best[room] = Math.max(best[room], best[room - cost] + utility)
  return best[capacity]
}

function speed() {
  const passages = Array.from({ length: 1000 }, (_, index) => passage(index, text(150, 10_000 + index)))
  const rows = {}
  for (const window of [60_000, 128_000, 1_000_000]) {
    const assembler = promptAssembler({ counter, contextWindow: window, outputReserve: 4000 })
    const started = performance.now()
    const first = assembler.assemble({ passages, question: 'Question 0?' })
    const cold = performance.now() - started
    const warm = Array.from({ length: 9 }, (_, index) => {
      const at = performance.now()
      assembler.assemble({ passages, question: `Question ${index + 1}?` })
      return performance.now() - at
    })
    const same = Array.from({ length: 9 }, () => {
      const at = performance.now()
      assembler.assemble({ passages, question: 'Question 0?' })
      return performance.now() - at
    })
    rows[window] = {
      'tokens shown': first.ledger.total,
      sources: first.sources.length,
      'cold ms': cold.toFixed(1),
      'new question, median ms': median(warm).toFixed(1),
      worst: Math.max(...warm).toFixed(1),
      'same question, median ms': median(same).toFixed(1),
    }
    floor(`speed at ${window}, in 50 ms`, 50 / median(warm), 1)
  }
  console.log(
    '\n1,000 passages of about 200 tokens, by context window, with the counts of the passages cached; nine questions each',
  )
  console.table(rows)
}

/**
 * Twenty turns of a session. A prompt's static and session tokens that stood in the one before too are what a cache could serve;
 * how many of them are in the prefix with which both begin?
 */
function session() {
  const rows = {}
  for (const [name, window, continued] of [
    ['all history fits', 60_000, true],
    ['trimmed, historyFrom passed on', 3000, true],
    ['trimmed, historyFrom passed on', 3500, true],
    ['trimmed, historyFrom passed on', 4500, true],
    ['trimmed, historyFrom passed on', 6000, true],
    ['trimmed, each prompt by itself', 3500, false],
  ]) {
    const assembler = promptAssembler({ counter, contextWindow: window, outputReserve: 1000, cache: promptCaching() })
    const history = []
    const cuts = new Set()
    let [shared, cached, both, former, turns, before] = [0, 0, 0, 0, 0, undefined]
    for (let turn = 0; turn < 20; turn++) {
      const passages = Array.from({ length: 8 }, (_, index) => passage(index, text(120, 50_000 + turn * 10 + index)))
      const prompt = assembler.assemble({
        instructions: text(600, 7),
        history,
        passages,
        question: `Question ${turn}?`,
        ...(continued && { historyFrom: before?.historyFrom ?? 0 }),
      })
      if (before !== undefined) {
        shared += cachedTokens(before, prompt)
        cached += cachedTokens(before, prompt, { breakpoints: true })
        const known = new Set(before.messages.map((message) => JSON.stringify(message)))
        for (const [index, tokens] of prompt.messageTokens.slice(0, -1).entries())
          if (known.has(JSON.stringify(prompt.messages[index]))) both += tokens
        former += before.messageTokens.slice(0, -1).reduce((sum, tokens) => sum + tokens, 0)
      }
      turns += (prompt.messages.length - 2) / 2
      cuts.add(prompt.historyFrom)
      before = prompt
      history.push(
        { role: 'user', content: `Question ${turn}?` },
        { role: 'assistant', content: text(150, 90_000 + turn) },
      )
    }
    rows[`${name}, window ${window}`] = {
      'shared prefix': (shared / both).toFixed(4),
      'up to breakpoints': (cached / both).toFixed(4),
      'of all the prompt before held': (shared / former).toFixed(4),
      'turns shown, mean': (turns / 20).toFixed(1),
      cuts: cuts.size - 1,
    }
    if (continued) floor(`shared prefix of a session, window ${window}`, shared / both, 0.95)
  }
  console.log(
    '\nTwenty turns with 8 passages each: the prefix that two prompts in a row share, of the static and session tokens in both',
  )
  console.table(rows)
}

/** Looking up quotations in a source of 100 KB: as they are, with slips, and made up. */
function quotations() {
  const source = text(17_000, 31)
  const finder = quoteFinder(source)
  const random = mulberry(5)
  const cut = () => {
    const start = Math.floor(random() * (source.length - 400))
    return source.slice(start, start + 60 + Math.floor(random() * 240))
  }
  const kinds = {
    'as they are': cut,
    'with 2 % of letters changed': () => [...cut()].map((letter) => (random() < 0.02 ? 'x' : letter)).join(''),
    'made up': () => text(30, Math.floor(random() * 1e9)),
  }
  const rows = {}
  for (const [name, make] of Object.entries(kinds)) {
    const quotes = Array.from({ length: 200 }, make)
    for (const quote of quotes.slice(0, 20)) finder.find(quote)
    const ms = quotes.map((quote) => {
      const started = performance.now()
      finder.find(quote)
      return performance.now() - started
    })
    rows[name] = { 'ms median': median(ms).toFixed(3), 'ms mean': mean(ms).toFixed(3) }
    floor(`5 ms for quotations ${name}`, 5 / median(ms), 1)
  }
  console.log(`\nQuotations of 60–300 characters in a source of ${(source.length / 1000).toFixed(0)} KB`)
  console.table(rows)
}

function passage(index, content) {
  const id = `p${String(index).padStart(4, '0')}`
  const unique = `${content} ${index}`
  return {
    id,
    documentId: `d${index}`,
    documentVersion: 'v',
    text: unique,
    start: 0,
    end: unique.length,
    metadata: {},
    score: 0.01 + random(),
    stages: [],
    source: { uri: `docs/${id}.md`, title: `Page ${index}` },
  }
}

/** Words of three to nine letters in sentences; the same seed gives the same text. */
function text(words, seed) {
  const next = mulberry(seed)
  const stems = [
    'token',
    'index',
    'rotate',
    'key',
    'window',
    'budget',
    'source',
    'chunk',
    'vector',
    'prompt',
    'cache',
    'the',
    'of',
    'and',
    'never',
    'always',
    'model',
    'answer',
  ]
  return Array.from(
    { length: words },
    (_, at) => `${stems[Math.floor(next() * stems.length)]}${at % 12 === 11 ? '.' : ''}`,
  ).join(' ')
}

function mulberry(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function calibrate() {
  const started = performance.now()
  let sum = 0
  for (let index = 0; index < 50_000_000; index++) sum = (sum + index * 31) | 0
  return sum === 1 ? 0 : performance.now() - started
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}
