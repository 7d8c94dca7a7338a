import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { huggingFaceTokenizer, loadHuggingFaceTokenizer } from '../../../src/tokenizer/hugging-face/index.ts'
import { translateRegex } from '../../../src/tokenizer/hugging-face/regex.ts'

vi.setConfig({ testTimeout: process.env.GROUNDLINE_NIGHTLY ? 1_200_000 : 120_000 })

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8')).tokenizer
const withCode = (code: string) => expect.objectContaining({ code })

describe('a tokenizer file', () => {
  it.each([
    ['a normalizer', { normalizer: { type: 'Rot13' } }],
    ['a pre-tokenizer', { pre_tokenizer: { type: 'UnicodeScripts' } }],
    [
      'a step of a sequence',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'FixedLength', length: 3 }] } },
    ],
    ['a model', { model: { type: 'Mamba', vocab: {} } }],
    ['a decoder', { decoder: { type: 'CTC' } }],
    ['dropout', { model: { type: 'BPE', vocab: { a: 0 }, merges: [], dropout: 0.1 } }],
    ['a regular expression', { pre_tokenizer: split('[a-z&&[^aeiou]]+') }],
    ['a back reference', { pre_tokenizer: split('(a)\\1') }],
    ['a line anchor', { pre_tokenizer: split('^a') }],
    ['a property', { pre_tokenizer: split('\\p{Balinese}') }],
  ])('that asks for %s that is not implemented is UNSUPPORTED_FORMAT', (_name, change) => {
    expect(() => huggingFaceTokenizer({ ...fixture('gpt2'), ...change }, { id: 'x' })).toThrow(
      withCode('UNSUPPORTED_FORMAT'),
    )
  })

  it.each([
    ['not an object', []],
    ['null', null],
    ['without a model', {}],
    ['with a vocabulary of other things', { model: { type: 'BPE', vocab: { a: 'b' }, merges: [] } }],
    ['with ids out of range', { model: { type: 'WordLevel', vocab: { a: -1 } } }],
    ['with merges of unknown tokens', { model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b'] } }],
    ['with merges of three', { model: { type: 'BPE', vocab: { a: 0, aa: 1 }, merges: ['a a a'] } }],
    ['with scores that are no numbers', { model: { type: 'Unigram', vocab: [['a', 'b']], unk_id: 0 } }],
    ['with an unknown id out of range', { model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 7 } }],
    ['with added tokens that are no tokens', { ...fixture('gpt2'), added_tokens: [{ content: 'a' }] }],
    [
      'with a broken character map',
      { ...fixture('t5'), normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } },
    ],
    [
      'with a map that is no base64',
      { ...fixture('t5'), normalizer: { type: 'Precompiled', precompiled_charsmap: '*' } },
    ],
  ])('%s is CORRUPT_DATA', (_name, file) => {
    expect(() => huggingFaceTokenizer(file, { id: 'x' })).toThrow(withCode('CORRUPT_DATA'))
  })

  it('may hold words that objects have as members', () => {
    const file = {
      model: { type: 'WordLevel', vocab: { constructor: 0, __proto__x: 1, '[UNK]': 2 }, unk_token: '[UNK]' },
    }
    const tokenizer = huggingFaceTokenizer(file, { id: 'x' })
    expect(Array.from(tokenizer.encode('constructor'))).toEqual([0])
    expect(Array.from(tokenizer.encode('toString'))).toEqual([2])
    const parsed = JSON.parse('{"model":{"type":"WordLevel","vocab":{"__proto__":5,"[UNK]":1}}}')
    expect(Array.from(huggingFaceTokenizer(parsed, { id: 'y' }).encode('__proto__'))).toEqual([5])
  })

  it('loads from a path and a file URL', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'tokenizer-')), 'tokenizer.json')
    writeFileSync(path, JSON.stringify(fixture('bert-uncased')))
    const [one, two] = [
      await loadHuggingFaceTokenizer(path),
      await loadHuggingFaceTokenizer(pathToFileURL(path), { id: 'b' }),
    ]
    expect(one.encode('Hello')).toEqual(two.encode('Hello'))
    expect([one.id, two.id]).toEqual([path, 'b'])
  })

  it('that is cut short, or absent, is a typed error', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'tokenizer-')), 'tokenizer.json')
    writeFileSync(path, JSON.stringify(fixture('bert-uncased')).slice(0, 5000))
    await expect(loadHuggingFaceTokenizer(path)).rejects.toThrow(withCode('CORRUPT_DATA'))
    await expect(loadHuggingFaceTokenizer(`${path}.absent`)).rejects.toThrow(withCode('NOT_FOUND'))
    await expect(loadHuggingFaceTokenizer('http://127.0.0.1:9/tokenizer.json')).rejects.toThrow(withCode('NOT_FOUND'))
    const reason = new Error('stop')
    await expect(loadHuggingFaceTokenizer(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('an expression of another dialect', () => {
  it.each([
    ["(?i:'s|'ll|K)", "'S", "'S"],
    ["(?i:'s)", "'ſ", "'ſ"],
    ['\\s+', '\u0085\ufeff', '\u0085'],
    ['a?+a', 'a', undefined],
    ['(?>a+)a', 'aaa', undefined],
    ['\\p{Han}+', 'x漢字', '漢字'],
    ['[^\\s\\p{L}\\-]+', 'a-+ b', '+'],
    ['\\x{41}\\u0042', 'AB', 'AB'],
    ['\\p{^L}', 'a1', '1'],
    ['\\w+', '½²x\u200dy', '½²x'],
  ])('%s means the same', (source, text, match) => {
    expect(translateRegex(source).exec(text)?.[0]).toBe(match)
  })
})

describe('long texts', () => {
  it.each(['llama2', 'llama3', 'multilingual-e5', 'bert-uncased', 'deepseek'])('are linear for %s', (name) => {
    const tokenizer = huggingFaceTokenizer(fixture(name), { id: name })
    const time = (text: string) => {
      const before = process.cpuUsage()
      tokenizer.count(text)
      return process.cpuUsage(before).user / 1000
    }
    for (const unit of ['a', ' ', '\n', '=', '日', '👍', 'ab', "'", '<']) {
      const [once, fourfold] = [unit.repeat(50_000), unit.repeat(200_000)]
      time(once)
      let [first, last] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
      // Linear work takes 4 times as long, quadratic 16 times. A busy machine and the collector add their share: the least of some times counts.
      for (let round = 0; round < 12 && (round < 3 || last >= 9 * Math.max(first, 20)); round++) {
        first = Math.min(first, time(once))
        last = Math.min(last, time(fourfold))
      }
      expect(last / Math.max(first, 20), `${JSON.stringify(unit)}: ${first} and ${last} ms`).toBeLessThan(9)
    }
  })
})

function split(pattern: string) {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }
}
