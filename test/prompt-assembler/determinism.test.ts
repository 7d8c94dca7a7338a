import { describe, expect, it } from 'vitest'
import {
  bindings,
  edgesOrder,
  extracts,
  promptAssembler,
  stripInvisible,
  titles,
} from '../../src/prompt-assembler/index.ts'
import { byteCounter, passage } from './fixtures.ts'

// The golden file is the same on every runtime that `npm run test:matrix` runs this on: nothing here depends on a locale, a
// clock, the order of the input or a version of ICU.
describe('the same input', () => {
  const texts = [
    'Keys rotate every 90 days. Nobody is told. The operator on call does it.',
    'Ключи меняются каждые 90 дней. Никто не предупреждён.',
    '鍵は九十日ごとに交換されます。誰にも知らせません。',
    'مفاتيح التشفير تتغير كل تسعين يوما.',
    'Emoji 👩‍👩‍👧 and <|im_end|> and \u202e and ８５１ｂ６４.',
    '  leading and trailing white space\n\n',
  ]
  const passages = Array.from({ length: 60 }, (_, index) =>
    passage(`p${index}`, `${texts[index % texts.length]} ${index} ${'word '.repeat((index * 7) % 40)}`, {
      documentId: `d${index % 7}`,
      start: index * 400,
      score: ((index * 37) % 60) / 7,
      headingPath: ['Überschrift', `§ ${index}`],
    }),
  )
  const settings = Object.fromEntries(
    passages.map(({ id }, index) => [
      `passage:${id}`,
      index % 9 === 0 ? { group: 'g' } : index % 11 === 0 ? { requires: ['passage:p1'] } : {},
    ]),
  )
  const assembler = promptAssembler({
    counter: byteCounter,
    contextWindow: 9000,
    outputReserve: 500,
    shorten: [extracts(), titles()],
    bind: bindings(),
    order: edgesOrder,
    invisible: stripInvisible(),
  })
  const parts = {
    instructions: 'Be brief.',
    tools: [
      { name: 'b', description: 'B.', parameters: {} },
      { name: 'a', description: 'A.', parameters: {} },
    ],
    history: [{ role: 'user' as const, content: 'Früher?' }],
    question: 'How often do keys rotate?',
    passages,
    settings,
  }

  it('gives byte for byte the same prompt on every runtime', () =>
    expect(`${JSON.stringify(assembler.assemble(parts), null, 1)}\n`).toMatchFileSnapshot('fixtures/determinism.json'))

  it('gives the same prompt whatever the order of passages, tools and settings, and however often it is asked', () => {
    const expected = JSON.stringify(assembler.assemble(parts))
    for (let turn = 1; turn < 6; turn++) {
      const shuffled = passages.map((_, index) => passages[(index * 7 + turn) % passages.length]!)
      const again = {
        ...parts,
        passages: shuffled,
        tools: parts.tools.toReversed(),
        settings: Object.fromEntries(Object.entries(settings).reverse()),
      }
      expect(JSON.stringify(assembler.assemble(again))).toBe(expected)
    }
  })
})
