import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { tokenizerConformance } from '../../../src/testing/tokenizer-conformance.ts'
import { huggingFaceTokenizer } from '../../../src/tokenizer/hugging-face/index.ts'

vi.setConfig({ testTimeout: process.env.GROUNDLINE_NIGHTLY ? 1_200_000 : 120_000 })

/** What scripts/build-tokenizer-fixtures.py recorded of the `tokenizers` package. */
interface Fixture {
  readonly name: string
  readonly atoms: readonly string[]
  readonly tokenizer: { readonly model: { readonly type: string } }
  readonly cases: readonly {
    readonly text: string
    readonly ids: readonly number[]
    readonly framed: readonly number[]
    readonly special: readonly number[]
    readonly decoded: string
  }[]
  readonly digests: readonly number[]
}

const BLOCKS = process.env.GROUNDLINE_NIGHTLY ? 100 : 25
const folder = new URL('../fixtures/', import.meta.url)
const fixtures = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name): Fixture => JSON.parse(readFileSync(new URL(name, folder), 'utf8')))

function* randomStrings(atoms: readonly string[]): Generator<string> {
  let state = 20_261_122
  const draw = (count: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % count
  }
  for (;;) {
    let text = ''
    for (let left = 1 + draw(12); left > 0; left--) text += atoms[draw(atoms.length)]
    yield text
  }
}

describe.each(fixtures)('a $name tokenizer', (fixture) => {
  const plain = huggingFaceTokenizer(fixture.tokenizer, { id: fixture.name })
  const framed = huggingFaceTokenizer(fixture.tokenizer, { id: fixture.name, frame: 'template' })

  it('gives the ids of the tokenizers package, bare, framed, and with special tokens allowed', () => {
    for (const { text, ids, framed: inFrame, special } of fixture.cases) {
      expect([text, ...plain.encode(text)]).toEqual([text, ...ids])
      expect([text, ...framed.encode(text)]).toEqual([text, ...inFrame])
      expect([text, ...plain.encode(text, { allowedSpecial: 'all' })]).toEqual([text, ...special])
    }
  })

  it('decodes as the tokenizers package does', () => {
    for (const { ids, decoded } of fixture.cases) expect(plain.decode(ids)).toBe(decoded)
  })

  it(`gives its ids on ${BLOCKS * 100} random strings`, () => {
    const strings = randomStrings(fixture.atoms)
    fixture.digests.slice(0, BLOCKS).forEach((expected, block) => {
      let digest = 0x811c9dc5
      const texts: string[] = []
      for (let index = 0; index < 100; index++) {
        const text = strings.next().value
        texts.push(text)
        for (const id of plain.encode(text)) digest = Math.imul(digest ^ id, 0x01000193)
        digest = Math.imul(digest ^ 0xffffff, 0x01000193)
      }
      if (digest >>> 0 !== expected) expect.fail(`block ${block} differs: ${JSON.stringify(texts).slice(0, 2000)}`)
    })
  })

  for (const law of tokenizerConformance({ create: () => plain, fidelity: 'normalizing' })) {
    it(law.name, () => law.run())
  }
})
