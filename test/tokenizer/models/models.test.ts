import fc from 'fast-check'
import { getEncodingNameForModel, type TiktokenModel } from 'js-tiktoken/lite'
import { describe, expect, it } from 'vitest'
import { cost, type ModelInfo, modelTable } from '../../../src/tokenizer/models/index.ts'

const at = new Date('2026-11-01T12:00:00Z')
const unknown = expect.objectContaining({ code: 'UNKNOWN_MODEL' })
const own: ModelInfo = {
  provider: 'acme',
  id: 'tiny',
  contextWindow: 1000,
  pricing: [
    { input: 1_000_000, output: 3_000_000 },
    { from: '2027-01-01', input: 2_000_000, output: 3_000_000 },
    { from: '2027-01-01', between: ['22:00', '06:00'], input: 500_000, output: 3_000_000 },
  ],
  currency: 'EUR',
  asOf: '2026-11-01',
  source: 'the contract',
}

/** What js-tiktoken's own list of models says; it throws for other names. */
function vocabularyOf(id: string): string | undefined {
  try {
    return getEncodingNameForModel(id as TiktokenModel)
  } catch {
    return undefined
  }
}

describe('the table of models', () => {
  const table = modelTable()

  it('says of every row what it is, since when, and from where', () => {
    const rows = table.list()
    expect(rows.length).toBeGreaterThan(150)
    expect(new Set(rows.map((row) => `${row.provider}:${row.id}`)).size).toBe(rows.length)
    for (const row of rows) {
      expect(row.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/)
      expect(row.source).toContain('@')
      expect(row.pricing.length).toBeGreaterThan(0)
      for (const prices of row.pricing.flatMap((one) => [one, ...(one.tiers ?? [])])) {
        for (const price of [prices.input, prices.output ?? 0, prices.cacheRead ?? 0, prices.cacheWrite ?? 0]) {
          expect(Number.isSafeInteger(price) && price >= 0).toBe(true)
        }
      }
    }
  })

  it('finds models by id, by provider and id, and dated snapshots', () => {
    expect(table.get('gpt-4o')).toMatchObject({ provider: 'openai', vocabulary: 'o200k_base', contextWindow: 128_000 })
    expect(table.get('openai:gpt-4o')).toBe(table.get('gpt-4o'))
    expect(table.get('gpt-4o-2024-08-06')).toBe(table.get('gpt-4o'))
    expect(table.get('claude-opus-4-1-20250805').id).toBe('claude-opus-4-1')
    expect(table.get('text-embedding-3-small').vocabulary).toBe('cl100k_base')
    expect(table.get('claude-opus-4-5').vocabulary).toBeUndefined()
  })

  it("has the vocabulary that js-tiktoken names, and OpenAI's newer list for those that it does not know", () => {
    let compared = 0
    for (const { id, vocabulary, source } of table.list().filter((row) => row.provider === 'openai')) {
      const theirs = vocabularyOf(id)
      if (theirs !== undefined) {
        expect([id, vocabulary]).toEqual([id, theirs])
        compared += 1
      }
      const isNewer = source.includes('vocabulary: tiktoken 0.14.0 on PyPI')
      expect([id, isNewer]).toEqual([id, vocabulary !== undefined && theirs === undefined])
    }
    expect(compared).toBeGreaterThan(30)
    expect(table.get('gpt-5.6-sol').vocabulary).toBe('o200k_base')
    expect(table.get('gpt-oss-120b').vocabulary).toBe('o200k_harmony')
  })

  it('names what was read for every value that is not in the price data', () => {
    for (const row of table.list()) {
      expect(row.source).toMatch(/^prices(?:, context window)?: @pydantic\/genai-prices@\d/)
      expect(row.source.includes('context window')).toBe(row.contextWindow !== undefined)
      expect(row.source.includes('output limit: gpt-tokenizer@')).toBe(row.maxOutputTokens !== undefined)
      expect(row.source.includes('vocabulary')).toBe(row.vocabulary !== undefined)
      expect(/cache minimum: \w/.test(row.source)).toBe(row.cacheMinimumTokens !== undefined)
      expect(row.source).not.toContain('unverified')
    }
  })

  it('answers UNKNOWN_MODEL for any other name, never a default', () => {
    for (const name of ['', 'gpt', 'gpt-4o-', 'gpt-4o-mini-2', 'toString', '__proto__', 'openai:', 'acme:tiny']) {
      expect(() => table.get(name)).toThrow(unknown)
    }
  })

  it('takes rows of the caller, and names both when providers share an id', () => {
    const mine = modelTable({ overrides: [own, { ...own, id: 'gpt-4o' }] })
    expect(mine.get('tiny')).toEqual(own)
    expect(() => mine.get('gpt-4o')).toThrow(/openai:gpt-4o, acme:gpt-4o/)
    expect(mine.get('acme:gpt-4o').currency).toBe('EUR')
  })
})

describe('cost', () => {
  it('adds up to the total, part by part, in integers', () => {
    const tokens = fc.nat({ max: 2 ** 40 })
    const models = fc.constantFrom(
      ...modelTable()
        .list()
        .filter((row) => row.pricing.every((one) => one.output !== undefined)),
    )
    fc.assert(
      fc.property(models, tokens, tokens, tokens, tokens, tokens, (model, plain, cached, written, long, output) => {
        const bill = cost(
          {
            inputTokens: plain + cached + written + long,
            cachedInputTokens: cached,
            cacheWriteTokens: written,
            cacheWriteLongTokens: long,
            outputTokens: output,
          },
          model,
          { at },
        )
        expect(bill.input + bill.cacheRead + bill.cacheWrite + bill.output).toBe(bill.total)
        expect(Number.isSafeInteger(bill.total) && bill.total >= 0).toBe(true)
      }),
      { numRuns: 2_000, seed: 4 },
    )
  })

  it('is what the price page says', () => {
    const table = modelTable()
    expect(cost({ inputTokens: 1_000_000, outputTokens: 100_000 }, table.get('gpt-4o'), { at }).total).toBe(3_500_000)
    const cached = { inputTokens: 100_000, cachedInputTokens: 80_000, cacheWriteTokens: 10_000, outputTokens: 1_000 }
    expect(cost(cached, table.get('claude-opus-4-5'), { at })).toEqual({
      input: 50_000,
      cacheRead: 40_000,
      cacheWrite: 62_500,
      output: 25_000,
      total: 177_500,
      currency: 'USD',
    })
  })

  it('charges the whole request at the tier that its size reaches', () => {
    const model = modelTable().get('claude-sonnet-4-5')
    const [below, above] = [200_000, 200_001].map((inputTokens) => cost({ inputTokens }, model, { at }).total)
    expect(below).toBe(600_000)
    expect(above).toBe(1_200_006)
  })

  it('takes the prices of the day and hour', () => {
    const price = (time: string) => cost({ inputTokens: 100 }, own, { at: new Date(time) }).total
    expect(price('2026-12-31T23:00:00Z')).toBe(100)
    expect(price('2027-01-01T12:00:00Z')).toBe(200)
    expect(price('2027-01-01T23:00:00Z')).toBe(50)
    expect(price('2027-01-02T05:59:00Z')).toBe(50)
  })

  it('refuses usage that does not add up, and parts without a price', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    for (const value of [undefined, null, 7, 'text']) {
      expect(() => Reflect.apply(cost, undefined, [value, own])).toThrow(invalid)
      expect(() => Reflect.apply(cost, undefined, [{ inputTokens: 1 }, value])).toThrow(invalid)
    }
    for (const value of [7, 'today', new Date(Number.NaN)]) {
      expect(() => Reflect.apply(cost, undefined, [{ inputTokens: 1 }, own, { at: value }])).toThrow(invalid)
    }
    for (const overrides of [7, 'text', {}, [null], [{ id: 'tiny' }]]) {
      expect(() => Reflect.apply(modelTable, undefined, [{ overrides }])).toThrow(invalid)
    }
    expect(() => cost({ inputTokens: 1, cachedInputTokens: 2 }, own)).toThrow(invalid)
    for (const inputTokens of [-1, 0.5, Number.NaN]) expect(() => cost({ inputTokens }, own)).toThrow(invalid)
    const embedding = { ...own, pricing: [{ input: 1 }] }
    expect(() => cost({ inputTokens: 1, outputTokens: 1 }, embedding)).toThrow(unknown)
    expect(() => cost({ inputTokens: 1 }, { ...own, pricing: [] })).toThrow(unknown)
  })
})
