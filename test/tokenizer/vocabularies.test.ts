import fc from 'fast-check'
import { getEncoding } from 'js-tiktoken'
import { get_encoding, type TiktokenEncoding } from 'tiktoken'
import { describe, expect, it, vi } from 'vitest'
import { tokenizerConformance } from '../../src/testing/tokenizer-conformance.ts'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { p50kBase } from '../../src/tokenizer/p50k-base.ts'
import { r50kBase } from '../../src/tokenizer/r50k-base.ts'
import { anyText, mixedText, realTexts } from './support/texts.ts'

vi.setConfig({ testTimeout: process.env.GROUNDLINE_NIGHTLY ? 1_200_000 : 120_000 })

const RUNS = process.env.GROUNDLINE_NIGHTLY ? 100_000 : 4_000
const seed = 20_261_122
const vocabularies = [
  ['o200k_base', o200kBase],
  ['cl100k_base', cl100kBase],
  ['p50k_base', p50kBase],
  ['r50k_base', r50kBase],
] as const satisfies readonly (readonly [TiktokenEncoding, () => unknown])[]

describe.each(vocabularies)('%s', (name, create) => {
  const ours = create()
  const reference = get_encoding(name)
  const idsOf = (text: string) => reference.encode(text, [], [])

  for (const law of tokenizerConformance({ create })) it(law.name, () => law.run())

  it('gives the ids of tiktoken on real text', () => {
    for (const text of realTexts().values()) expect(ours.encode(text)).toEqual(idsOf(text))
  })

  it('gives the ids of tiktoken on random text', () => {
    const same = (text: string) => sameIds(ours.encode(text), idsOf(text))
    fc.assert(fc.property(mixedText, same), { numRuns: RUNS, seed })
    fc.assert(fc.property(anyText, same), { numRuns: RUNS / 4, seed })
  })

  it('gives the ids of js-tiktoken on text without U+FEFF and U+0085', () => {
    const peer = getEncoding(name)
    const same = (text: string) =>
      /[\ufeff\u0085ſ]/.test(text) || sameIds(ours.encode(text), Uint32Array.from(peer.encode(text, [], [])))
    fc.assert(fc.property(mixedText, same), { numRuns: RUNS / 10, seed })
  })

  it('gives every code point the tokens of tiktoken, beside letters, digits, blanks and signs', () => {
    const step = process.env.GROUNDLINE_NIGHTLY ? 1 : 37
    let text = ''
    for (let codePoint = 0; codePoint < 0x110000; codePoint += codePoint < 0x3000 ? 1 : step) {
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue
      const character = String.fromCodePoint(codePoint)
      text = `a${character}b ${character}A${character}1${character} ${character}.${character}\n ${character}`
      if (!sameIds(ours.encode(text), idsOf(text))) {
        expect.fail(`U+${codePoint.toString(16)}: ${ours.encode(text)} and not ${idsOf(text)}`)
      }
    }
  })
})

function sameIds(left: Uint32Array, right: Uint32Array): boolean {
  return left.length === right.length && left.every((id, index) => id === right[index])
}
