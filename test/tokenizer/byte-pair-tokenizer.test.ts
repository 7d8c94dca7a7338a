import fc from 'fast-check'
import { get_encoding } from 'tiktoken'
import { describe, expect, it } from 'vitest'
import { tokenizerConformance } from '../../src/testing/tokenizer-conformance.ts'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { o200kHarmony } from '../../src/tokenizer/o200k-harmony.ts'
import { mixedText, realTexts } from './support/texts.ts'

const tokenizer = o200kBase()
const seed = 20_261_122
const graphemesOf = (text: string): string[] =>
  Array.from(new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text), ({ segment }) => segment)

describe('offsets', () => {
  it('cut the text where the tokens do', () => {
    fc.assert(
      fc.property(mixedText, (text) => {
        const tokens = tokenizer.encode(text)
        const offsets = tokenizer.offsets(text)
        expect(offsets.length).toBe(tokens.length)
        const wellFormed = text.toWellFormed()
        let bytes = 0
        tokens.forEach((token, index) => {
          bytes += tokenizer.tokenBytes(token).length
          const whole = Buffer.from(wellFormed)
            .subarray(0, bytes)
            .toString()
            .replace(/\ufffd+$/, '')
          expect(wellFormed.slice(0, offsets[index]).startsWith(whole)).toBe(true)
          expect(Buffer.byteLength(wellFormed.slice(0, offsets[index]))).toBeLessThanOrEqual(bytes)
          const next = wellFormed.codePointAt(offsets[index]!)
          if (next !== undefined) {
            const more = wellFormed.slice(0, offsets[index]! + (next > 0xffff ? 2 : 1))
            expect(Buffer.byteLength(more)).toBeGreaterThan(bytes)
          }
        })
      }),
      { numRuns: 800, seed },
    )
  })

  it('stop at a limit', () => {
    const text = 'one two three four five'
    expect(tokenizer.offsets(text, { limit: 2 })).toEqual(tokenizer.offsets(text).slice(0, 2))
    expect(tokenizer.offsets(text, { limit: 0 }).length).toBe(0)
  })
})

describe('countUpTo', () => {
  it('reads no more of a long text than the limit needs', () => {
    const text = 'word '.repeat(4_000_000)
    const start = performance.now()
    expect(tokenizer.countUpTo(text, 100)).toBe(101)
    expect(performance.now() - start).toBeLessThan(200)
  })

  it('refuses limits that are no counts', () => {
    for (const limit of [-1, 1.5, Number.NaN]) expect(() => tokenizer.countUpTo('a', limit)).toThrow(/limit/)
  })
})

describe('truncate', () => {
  const sides = fc.constantFrom('start', 'end', 'middle')
  const limits = fc.integer({ min: 0, max: 40 })

  it('never exceeds the limit, never cuts a grapheme, and keeps the sides it promises', () => {
    fc.assert(
      fc.property(mixedText, limits, sides, (text, limit, from) => {
        const kept = tokenizer.truncate(text, limit, { from })
        expect(tokenizer.count(kept)).toBeLessThanOrEqual(limit)
        const [head = '', tail = ''] = from === 'middle' && kept !== text ? splitAtOmission(text, kept) : []
        if (tokenizer.count(text) <= limit) expect(kept).toBe(text)
        else if (from === 'end') expect(isGraphemePrefix(text, kept)).toBe(true)
        else if (from === 'start') expect(isGraphemeSuffix(text, kept)).toBe(true)
        else expect(isGraphemePrefix(text, head) && isGraphemeSuffix(text, tail)).toBe(true)
      }),
      { numRuns: 2_000, seed },
    )
  })

  it('keeps as much as fits of ordinary text', () => {
    const text = realTexts().get('markdown')!.slice(0, 20_000)
    for (const from of ['start', 'end', 'middle'] as const) {
      for (const limit of [10, 100, 1000]) {
        expect(tokenizer.count(tokenizer.truncate(text, limit, { from }))).toBeGreaterThanOrEqual(limit - 3)
      }
    }
  })

  it('puts the omission where text is missing', () => {
    expect(tokenizer.truncate('one two three four five six', 4, { from: 'end', omission: ' …' })).toMatch(/^one.* …$/)
    expect(tokenizer.truncate('one two three four five six', 4, { from: 'middle' })).toMatch(/^one.*….*six$/)
  })

  it('gives nothing where one grapheme is too long', () => {
    expect(tokenizer.truncate(`e${'\u0301'.repeat(50)}`, 5)).toBe('')
    expect(tokenizer.truncate('text', 0)).toBe('')
  })

  it('takes a long text in little time, from either side', () => {
    const text = 'The quick brown fox. '.repeat(50_000)
    for (const from of ['start', 'end', 'middle'] as const) {
      expect(tokenizer.count(tokenizer.truncate(text, 500, { from }))).toBeGreaterThan(490)
    }
  })
})

describe('decoder', () => {
  it('emits whole characters only, and all of them', () => {
    fc.assert(
      fc.property(mixedText, (text) => {
        const decoder = tokenizer.decoder()
        let joined = ''
        for (const token of tokenizer.encode(text)) {
          const part = decoder.push([token])
          expect(part.isWellFormed() && !part.includes('\ufffd')).toBe(true)
          joined += part
        }
        expect(joined + decoder.end()).toBe(text)
      }),
      { numRuns: 1_000, seed },
    )
  })

  it('refuses what are no tokens', () => {
    for (const value of [undefined, null, 7, 'text', {}]) {
      expect(() => Reflect.apply(tokenizer.decoder().push, undefined, [value])).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
    }
    expect(() => tokenizer.decoder().push([1e9])).toThrow(expect.objectContaining({ code: 'INVALID_TOKEN' }))
  })

  it('ends an unfinished character with U+FFFD and starts anew', () => {
    const [first] = cl100kBase().encode('\u{1f9ff}')
    const decoder = cl100kBase().decoder()
    expect(decoder.push([first!])).toBe('')
    expect(decoder.end()).toBe('\ufffd')
    expect(decoder.push(cl100kBase().encode('again'))).toBe('again')
  })
})

describe('decode', () => {
  it('puts U+FFFD for bytes that are not UTF-8, or throws when asked to', () => {
    const tokens = cl100kBase().encode('\u{1f9ff}')
    const half = tokens.slice(0, 1)
    expect(cl100kBase().decode(half)).toBe('\ufffd')
    expect(() => cl100kBase().decode(half, { invalid: 'throw' })).toThrow(
      expect.objectContaining({ code: 'INVALID_TOKEN' }),
    )
    expect(cl100kBase().decode(tokens, { invalid: 'throw' })).toBe('\u{1f9ff}')
  })

  it('keeps a byte order mark', () => {
    expect(tokenizer.decode(tokenizer.encode('\ufefftext'))).toBe('\ufefftext')
  })

  it('takes any sequence of ids of the vocabulary', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 199_997 })), (ids) => {
        expect(tokenizer.decode(ids).isWellFormed()).toBe(true)
      }),
      { numRuns: 500, seed },
    )
  })
})

describe('special tokens', () => {
  it('are ordinary text unless allowed', () => {
    const text = 'a<|endoftext|>b'
    expect(Array.from(tokenizer.encode(text))).not.toContain(199_999)
    expect(Array.from(tokenizer.encode(text, { allowedSpecial: ['<|endoftext|>'] }))).toEqual([64, 199_999, 65])
    expect(tokenizer.count(text, { allowedSpecial: 'all' })).toBe(3)
    expect(Array.from(tokenizer.offsets(text, { allowedSpecial: 'all' }))).toEqual([1, 14, 15])
  })

  it('are recognised at any position, as tiktoken does', () => {
    const reference = get_encoding('cl100k_base')
    const part = fc.constantFrom('<|endoftext|>', '<|fim_prefix|>', '<|', '|>', '<|endoftext', 'text', ' ', '\n', '<')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        expect(Array.from(cl100kBase().encode(text, { allowedSpecial: 'all' }))).toEqual(
          Array.from(reference.encode(text, 'all')),
        )
        const some = ['<|fim_prefix|>']
        const ours = cl100kBase().encode(text, { allowedSpecial: some })
        expect(Array.from(ours)).toEqual(Array.from(reference.encode(text, some, [])))
        expect(cl100kBase().decode(ours)).toBe(text)
      }),
      { numRuns: 1_000, seed },
    )
  })

  it('have to be of the vocabulary', () => {
    expect(() => tokenizer.encode('a', { allowedSpecial: ['<|im_start|>'] })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })

  it('of the harmony format have the ids that OpenAI published', () => {
    const harmony = o200kHarmony()
    const text = '<|start|>assistant<|channel|>final<|message|>Hello<|return|>'
    const tokens = Array.from(harmony.encode(text, { allowedSpecial: 'all' }))
    expect([tokens[0], tokens[2], tokens[4], tokens.at(-1)]).toEqual([200_006, 200_005, 200_008, 200_002])
    expect(harmony.specialTokens.get('<|reserved_201087|>')).toBe(201_087)
    expect(harmony.decode(tokens)).toBe(text)
    expect(harmony.encode('plain text')).toEqual(tokenizer.encode('plain text'))
  })

  for (const law of tokenizerConformance({ create: o200kHarmony })) it(`o200k_harmony ${law.name}`, () => law.run())
})

function isGraphemePrefix(text: string, part: string): boolean {
  return text.startsWith(part) && boundaries(text).has(part.length)
}

function isGraphemeSuffix(text: string, part: string): boolean {
  return text.endsWith(part) && boundaries(text).has(text.length - part.length)
}

function boundaries(text: string): ReadonlySet<number> {
  const found = new Set([0])
  let at = 0
  for (const grapheme of graphemesOf(text)) {
    at += grapheme.length
    found.add(at)
  }
  return found
}

function splitAtOmission(text: string, kept: string): readonly [string, string] | readonly [] {
  if (kept === '') return []
  for (let at = kept.indexOf('…'); at >= 0; at = kept.indexOf('…', at + 1)) {
    if (text.startsWith(kept.slice(0, at)) && text.endsWith(kept.slice(at + 1)))
      return [kept.slice(0, at), kept.slice(at + 1)]
  }
  throw new Error(`no omission in ${JSON.stringify(kept)}`)
}
