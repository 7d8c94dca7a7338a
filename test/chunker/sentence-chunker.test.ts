import { expect, test } from 'vitest'
import { characterCounter, chunkNotes, sentenceChunker, sentenceWindowChunker } from '../../src/chunker/index.ts'

const sentences = (text: string, locale = 'en') =>
  [...sentenceWindowChunker({ locale }).chunk({ id: 'doc', text })].map((chunk) => chunk.text.trim())

test('abbreviations, initials and decimals do not end a sentence', () => {
  expect(
    sentences('Dr. Smith met J. R. Doe at 3.5 p.m. in St. Louis. They spoke, e.g. about cats. It rained.'),
  ).toEqual(['Dr. Smith met J. R. Doe at 3.5 p.m. in St. Louis.', 'They spoke, e.g. about cats.', 'It rained.'])
  expect(sentences('Das gilt z. B. für Hunde, bzw. Katzen. Vgl. Abs. 3 unten. Ende.', 'de')).toEqual([
    'Das gilt z. B. für Hunde, bzw. Katzen.',
    'Vgl. Abs. 3 unten.',
    'Ende.',
  ])
})

test.each([
  ['en', ['See cities, e.g. Paris, i.e. France.', 'The U.S. Army came to Mt. Everest.', 'See No. 3, pp. 5–7.']],
  ['en', ['No.', 'That is wrong.', 'Is it A or B?', 'I am I.', 'Am I?']],
  ['de', ['Am 3. Mai im 19. Jahrhundert kam er, z.B. Äpfel in der Hand.', 'Er war 25.', 'Die Fa. Meier zahlt.']],
  ['es', ['En EE. UU. viven muchos.', '¿Qué?', '¡Hola!', 'El Sr. López llegó.']],
  ['fr', ['M. Dupont est là.', 'Mme. Durand aussi.', 'Voir art. 3.']],
])('abbreviations and ordinals in %s: %j', (locale, expected) => {
  expect(sentences(expected.join(' '), locale)).toEqual(expected)
})

test.each([
  [
    'en',
    ' ',
    ['He said "Stop!" and left.', '“Go?” he cried.', 'He (really!) came.', '"One!"', '"Two."', 'Yes!', 'No.'],
  ],
  ['fr', ' ', ['« Oui ! » dit-il.', 'Il a dit : « Non. »', 'Puis il partit.', '« Et vous ? »', '« Moi ! »']],
  ['de', ' ', ['„Halt!“, rief er.', '„Geh!“', 'Er ging.', '»Ja!« sagte sie.', 'Er rief: »Nein.«', '»Doch.«']],
  [
    'ja',
    '',
    ['「行く。」と言った。', '「はい！」って答えた。', '「早い。」', 'とても早い。', '（笑）終わり。', '次。'],
  ],
  ['zh', '', ['他说：“好。”', '“走吧！”', '《书》很好。', '（笑）再见！']],
  ['ko', ' ', ['"가자."', '그가 말했다.', '네!']],
])('quotations in %s stay in the sentence that they are a part of', (locale, between, expected) => {
  expect(sentences(expected.join(between), locale)).toEqual(expected)
})

test('closing quotes stay with their sentence', () => {
  expect(sentences('He said, "Go." Then he left. (She stayed.) Why?')).toEqual([
    'He said, "Go."',
    'Then he left.',
    '(She stayed.)',
    'Why?',
  ])
})

test('Chinese and Japanese sentences end without spaces', () => {
  expect(sentences('今日は晴れです。明日は雨です。彼は「行く。」', 'ja')).toEqual([
    '今日は晴れです。',
    '明日は雨です。',
    '彼は「行く。」',
  ])
  expect(sentences('今天天气很好。我们去公园吧！你觉得呢？', 'zh')).toHaveLength(3)
})

test('a line end inside a paragraph does not end a sentence', () => {
  expect(sentences('This sentence goes on\nover two lines. And ends.')).toHaveLength(2)
})

test('sentences of a paragraph longer than the window are the same as of short ones', () => {
  const one = 'The committee met in the morning and agreed on everything, at last. '
  expect(sentences(one.repeat(500))).toHaveLength(500)
})

test('a text without sentence ends has none where a window of the finder ends', () => {
  const text = 'word '.repeat(4000)
  for (const chunk of sentenceWindowChunker({ around: 0 }).chunk({ id: 'd', text })) {
    const { windowStart, windowEnd } = chunkNotes(chunk)
    expect([windowStart, windowEnd]).toEqual([0, text.length])
  }
  expect(sentences(`${'word '.repeat(4000)}End. Another one.`).at(-1)).toBe('Another one.')
})

test('only sentences over the limit are cut inside', () => {
  const text =
    'Short one. Another short one. This is a rather long sentence that goes on and on, with no end in sight. Done.'
  const chunks = [...sentenceChunker({ maxTokens: 60, counter: characterCounter() }).chunk({ id: 'd', text })]
  expect(chunks[0]!.text).toBe('Short one. Another short one. ')
  expect(chunks.at(-1)!.text.endsWith('Done.')).toBe(true)
})

test('the window spans the sentences around', () => {
  const text = 'One. Two. Three. Four. Five.'
  const third = [...sentenceWindowChunker({ around: 1 }).chunk({ id: 'd', text })][2]!
  const { windowStart, windowEnd } = chunkNotes(third)
  expect(text.slice(windowStart, windowEnd)).toBe('Two. Three. Four. ')
})

test.each(['klingon-language', '', 'xx'])('the locale %j is refused by name', (locale) => {
  expect(() => sentenceChunker({ locale })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ argument: 'locale' }) }),
  )
})
