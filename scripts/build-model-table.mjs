/**
 * Writes src/tokenizer/models/model-rows.ts: `npm run build:models`. Prices and context windows come from
 * @pydantic/genai-prices, output limits of OpenAI's models from gpt-tokenizer (a bench peer: `npm --prefix bench install`
 * first), vocabularies from the model names that the tiktoken package lists. What none of them has is written by hand below,
 * each with who was read; the row's `source` repeats it. What nobody says is left out.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { findProvider } from '@pydantic/genai-prices'

/** Day of publication of the pinned version; check with `npm view @pydantic/genai-prices time`. */
const AS_OF = process.argv[2]
if (!/^\d{4}-\d{2}-\d{2}$/.test(AS_OF ?? ''))
  throw new Error('usage: build-model-table.mjs YYYY-MM-DD (day of the price data)')

const root = new URL('../', import.meta.url)
const read = (path) => JSON.parse(readFileSync(new URL(path, root), 'utf8'))
const version = read('node_modules/@pydantic/genai-prices/package.json').version
const limitsVersion = read('bench/node_modules/gpt-tokenizer/package.json').version
const limits = await import(new URL('bench/node_modules/gpt-tokenizer/esm/models.gen.js', root))
const outputLimits = new Map(
  Object.entries(limits).flatMap(([id, spec]) => (spec?.max_output_tokens ? [[id, spec.max_output_tokens]] : [])),
)

const tiktokenVersion = read('node_modules/tiktoken/package.json').version
const listed = new Map(Object.entries(read('node_modules/tiktoken/model_to_encoding.json')))

/** Beginnings of names, from OpenAI's own list; the package on npm is older. */
const pythonTiktoken = 'tiktoken 0.14.0 on PyPI, model.py, MODEL_PREFIX_TO_ENCODING'
const vocabularyByPrefix = [
  [/^gpt-oss-/, 'o200k_harmony'],
  [/^(?:o1-|o3-|o4-mini-|gpt-5|gpt-4\.5-|gpt-4\.1-|chatgpt-4o-|gpt-4o-)/, 'o200k_base'],
  [/^(?:gpt-4-|gpt-3\.5-turbo-)/, 'cl100k_base'],
]

const openaiPage = 'developers.openai.com/api/docs/guides/prompt-caching (1024 tokens, gpt-4o and newer)'
const googlePage = 'ai.google.dev/gemini-api/docs/caching'
const claudePage = 'platform.claude.com/docs/en/build-with-claude/prompt-caching'
const quoted = `${claudePage} as quoted in github.com/anthropics/anthropic-sdk-python/issues/1194`
const whatsNew = "Anthropic's notes on the release of Claude Opus 5 and its migration guide (platform.claude.com/docs)"
const litellm = 'docs.litellm.ai/docs/completion/prompt_caching of 2026-10-07'
/**
 * Shortest cached prefix, and who was read. Only for models with a price for cached input. Absent where sources contradict
 * each other (Claude Sonnet 4.6 and Opus 4.7).
 */
const cacheMinimum = {
  openai: [[/^(?:gpt-4o|gpt-4\.1|gpt-5|o1|o3|o4-mini)/, 1024, openaiPage]],
  anthropic: [
    [/^claude-(?:opus-5|fable-5)$/, 512, whatsNew],
    [/^claude-opus-4-8$/, 1024, whatsNew],
    [/^claude-sonnet-5$/, 1024, litellm],
    [/^claude-(?:opus-4-6|opus-4-5|haiku-4-5)$/, 4096, quoted],
    [/^claude-(?:opus-4-1|opus-4-0|sonnet-4-5|sonnet-4-0|3-7-sonnet)/, 1024, quoted],
    [/^claude-3-(?:5-)?haiku/, 2048, quoted],
    [/^claude-3-(?:5-sonnet|opus)/, 1024, `${claudePage}, a copy of 2025`],
  ],
  google: [
    [/^gemini-3\.[5678]-flash$/, 4096, googlePage],
    [/^gemini-3\.1-pro-preview$/, 4096, googlePage],
    [/^gemini-2\.5-(?:flash|pro)$/, 2048, googlePage],
  ],
}
/** Rows of these providers, without models that they resell under another vendor's name. */
const providers = {
  openai: /./,
  anthropic: /./,
  google: /^(?:gemini|text-embedding)/,
  mistral: /./,
  deepseek: /./,
  cohere: /./,
  voyage: /./,
  'x-ai': /./,
}

const rows = []
const sources = []
for (const [provider, own] of Object.entries(providers)) {
  const known = findProvider({ providerId: provider })
  for (const model of known.models) {
    if (!own.test(model.id) || /:|^ft/.test(model.id)) continue
    const pricing = (Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }]).map(pricingOf)
    if (pricing.some((entry) => entry.input === undefined)) continue
    const vocabulary = provider === 'openai' ? vocabularyOf(model.id) : undefined
    const cached = pricing.some((entry) => entry.cacheRead !== undefined)
    const minimum = cached ? first(cacheMinimum[provider] ?? [], model.id) : undefined
    const row = {
      provider,
      id: model.id,
      vocabulary: vocabulary?.name,
      contextWindow: model.context_window,
      maxOutputTokens: provider === 'openai' ? outputLimits.get(model.id) : undefined,
      cacheMinimumTokens: minimum?.[1],
      pricing,
    }
    const source = [
      `prices${row.contextWindow ? ', context window' : ''}: @pydantic/genai-prices@${version}`,
      row.maxOutputTokens && `output limit: gpt-tokenizer@${limitsVersion}`,
      vocabulary?.source,
      minimum && `cache minimum: ${minimum[2]}`,
    ]
      .filter(Boolean)
      .join('; ')
    if (!sources.includes(source)) sources.push(source)
    rows.push(
      `    ${JSON.stringify(row)
        .replace(/"([a-zA-Z]+)":/g, '$1: ')
        .replaceAll('"', "'")
        .replaceAll(',', ', ')
        .replace(/}$/, `, source: sources[${sources.indexOf(source)}]!}`)},`,
    )
  }
}

writeFileSync(
  new URL('src/tokenizer/models/model-rows.ts', root),
  `// biome-ignore-all format: generated, one model a line
import type { ModelInfo } from './model-info.ts'

/** The rows that ship. Written by scripts/build-model-table.mjs; change that, or pass overrides. */
// @__NO_SIDE_EFFECTS__
export function modelRows(): readonly ModelInfo[] {
  const sources = [
${sources.map((source) => `    ${JSON.stringify(source)},`).join('\n')}
  ]
  const rows: readonly Omit<ModelInfo, 'asOf' | 'currency'>[] = [
${rows.join('\n')}
  ]
  return rows.map((row) => ({ ...row, currency: 'USD', asOf: '${AS_OF}' }))
}
`,
)
console.log(`${rows.length} models`)

function first(table, id) {
  return table.find(([pattern]) => pattern.test(id))
}

function vocabularyOf(id) {
  if (listed.has(id)) return { name: listed.get(id), source: `vocabulary: tiktoken@${tiktokenVersion}` }
  const name = first(vocabularyByPrefix, id)?.[1]
  return name && { name, source: `vocabulary: ${pythonTiktoken}` }
}

function pricingOf({ prices, constraint }) {
  const named = {
    input: prices.input_mtok,
    cacheRead: prices.cache_read_mtok,
    cacheWrite: prices.cache_write_mtok,
    cacheWriteLong: prices.cache_write_1h_mtok,
    output: prices.output_mtok,
  }
  const starts = new Set(Object.values(named).flatMap((price) => price?.tiers?.map((tier) => tier.start) ?? []))
  const at = (start) =>
    Object.fromEntries(
      Object.entries(named)
        .filter(([, price]) => price !== undefined)
        .map(([name, price]) => [name, micro(priceAbove(price, start))]),
    )
  const tiers = Array.from(starts).sort((a, b) => a - b)
  return {
    ...(constraint?.type === 'start_date' && { from: constraint.start_date }),
    ...(constraint?.type === 'time_of_date' && { between: [clock(constraint.start_time), clock(constraint.end_time)] }),
    ...at(-1),
    ...(tiers.length > 0 && { tiers: tiers.map((start) => ({ above: start, ...at(start) })) }),
  }
}

function priceAbove(price, start) {
  if (typeof price === 'number') return price
  return price.tiers.filter((tier) => tier.start <= start).sort((a, b) => b.start - a.start)[0]?.price ?? price.base
}

function micro(price) {
  const scaled = Math.round(price * 1e6)
  if (Math.abs(scaled - price * 1e6) > 1e-6) throw new Error(`price ${price} is no whole number of micro-units`)
  return scaled
}

function clock(time) {
  const match = /^(\d\d:\d\d)(?::00)?Z$/.exec(time)
  if (!match) throw new Error(`time of day ${time}`)
  return match[1]
}
