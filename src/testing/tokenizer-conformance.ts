import type { SpanTokenizer, Tokenizer } from '../tokenizer/tokenizer.ts'
import { type ConformanceCase, check, checkEqual, checkThrows } from './conformance.ts'

/** What a tokenizer under test promises beyond the interface. */
export interface TokenizerConformanceOptions {
  /** Makes the tokenizer; called once a case. */
  readonly create: () => Tokenizer | Promise<Tokenizer>
  /**
   * `lossless`: every well-formed text decodes to itself (byte-level vocabularies). `normalizing`: texts may change or
   * hold unknown words (WordPiece, SentencePiece). Default `lossless`.
   */
  readonly fidelity?: 'lossless' | 'normalizing'
}

const ordinary = [
  '',
  'Hello, world!',
  '  two leading spaces, a tab\tand a trailing one ',
  'line\nline\r\nline\n\n\n  line',
  'hasOwnProperty __proto__ constructor toString',
  "don't I'll THEY'RE we've 'tis",
  '3.14159 1234567890 ½ ٣٤٥',
  'naïve café Ελλάδα привет',
  '日本語のテキスト、你好世界。안녕하세요',
  'नमस्ते दुनिया مرحبا بالعالم שלום',
  '👩‍👩‍👧‍👦 🇩🇪🇫🇷 e\u0301 👍🏽',
  '\u0000\u0007\u001b[0m',
  '\uFEFFbyte order mark\uFEFF and next line\u0085here',
  '<|endoftext|> [CLS] </s> <|im_start|>',
  '{"a": [1, 2, {"b": null}]}',
]

/** Laws of every {@link Tokenizer}; {@link SpanTokenizer} has more where it is one. */
export function tokenizerConformance(options: TokenizerConformanceOptions): readonly ConformanceCase[] {
  const lossless = (options.fidelity ?? 'lossless') === 'lossless'
  const law = (name: string, run: (tokenizer: Tokenizer) => void | Promise<void>): ConformanceCase => ({
    name,
    run: async () => run(await options.create()),
  })
  return [
    law('has an id', (tokenizer) => check(tokenizer.id.length > 0, 'the id is empty')),
    law('gives no tokens for the empty text but those it always adds', (tokenizer) => {
      checkEqual(tokenizer.count(''), tokenizer.encode('').length, 'count of the empty text')
    }),
    law('counts as many tokens as it encodes', (tokenizer) => {
      for (const text of ordinary) checkEqual(tokenizer.count(text), tokenizer.encode(text).length, text)
    }),
    law('gives the same tokens each time', (tokenizer) => {
      for (const text of [...ordinary, ...ordinary]) {
        checkEqual(tokenizer.encode(text), tokenizer.encode(text), text)
      }
    }),
    law(
      lossless ? 'decodes what it encodes to the same text' : 'decodes what it encodes to well-formed text',
      (tokenizer) => {
        for (const text of ordinary) {
          const decoded = tokenizer.decode(tokenizer.encode(text))
          if (lossless) checkEqual(decoded, text, 'round trip')
          else check(decoded.isWellFormed(), `a lone surrogate in what ${JSON.stringify(text)} decodes to`)
        }
      },
    ),
    law('takes lone surrogates for U+FFFD', (tokenizer) => {
      for (const [broken, repaired] of [
        ['\ud800', '\ufffd'],
        ['a\udc00b', 'a\ufffdb'],
        ['\ud83d\ud83d\ude00', '\ufffd\u{1f600}'],
      ] as const) {
        checkEqual(tokenizer.encode(broken), tokenizer.encode(repaired), JSON.stringify(broken))
      }
    }),
    law('takes tokens in plain arrays', (tokenizer) => {
      const tokens = tokenizer.encode('plain arrays')
      checkEqual(tokenizer.decode(Array.from(tokens)), tokenizer.decode(tokens), 'decode of an array')
    }),
    law('refuses ids out of range with INVALID_TOKEN', async (tokenizer) => {
      for (const id of [-1, 1e9, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await checkThrows(() => tokenizer.decode([id]), 'INVALID_TOKEN', `decode([${id}])`)
      }
    }),
    law('refuses what is not text with INVALID_ARGUMENT', async (tokenizer) => {
      for (const value of [undefined, null, 1, {}, ['text']]) {
        await checkThrows(() => Reflect.apply(tokenizer.encode, tokenizer, [value]), 'INVALID_ARGUMENT', 'encode')
        await checkThrows(() => Reflect.apply(tokenizer.count, tokenizer, [value]), 'INVALID_ARGUMENT', 'count')
      }
      await checkThrows(() => Reflect.apply(tokenizer.decode, tokenizer, [undefined]), 'INVALID_ARGUMENT', 'decode')
    }),
    law('gives offsets that cut the text at its tokens, if it gives any', (tokenizer) => {
      if (!isSpanTokenizer(tokenizer)) return
      for (const text of ordinary) {
        const offsets = tokenizer.offsets(text)
        checkEqual(offsets.length, tokenizer.count(text), 'one offset a token')
        let previous = 0
        for (const offset of offsets) {
          check(offset >= previous, `offsets decrease in ${JSON.stringify(text)}`)
          check(!splitsPair(text, offset), `an offset splits a surrogate pair of ${JSON.stringify(text)}`)
          previous = offset
        }
        checkEqual(previous, text.length, 'the last offset')
      }
    }),
    law('counts up to a limit as it counts, if it can', (tokenizer) => {
      if (!isSpanTokenizer(tokenizer)) return
      for (const text of ordinary) {
        const count = tokenizer.count(text)
        for (const limit of [0, 1, count - 1, count, count + 1].filter((value) => value >= 0)) {
          checkEqual(tokenizer.countUpTo(text, limit), Math.min(count, limit + 1), `countUpTo ${limit}`)
        }
      }
    }),
  ]
}

function isSpanTokenizer(tokenizer: Tokenizer): tokenizer is SpanTokenizer {
  return 'offsets' in tokenizer && 'countUpTo' in tokenizer
}

function splitsPair(text: string, offset: number): boolean {
  return text.codePointAt(offset - 1)! > 0xffff && offset < text.length
}
