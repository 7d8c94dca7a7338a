import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitSentences } from '../../src/prompt-assembler/compress-source.ts'
import { extracts, promptAssembler, titles } from '../../src/prompt-assembler/index.ts'
import { passage, wordCounter } from './fixtures.ts'

const TEXT =
  'Keys are secrets of the service. They rotate every ninety days without fail. The weather is fine today in the north. Nobody minds the rain very much. Rotation is done by the operator on call. Lunch is at noon for everyone.'

describe('compression', () => {
  const assembler = (contextWindow: number) =>
    promptAssembler({ counter: wordCounter, contextWindow, outputReserve: 0, shorten: [extracts(), titles()] })

  it('shrinks a source to the sentences that carry the question, then to its title, before it drops it', () => {
    const forms = new Map<string, number>()
    for (let window = 200; window > 20; window--) {
      const prompt = assembler(window).assemble({
        passages: [passage('a', TEXT, { start: 1000 })],
        question: 'How often do keys rotate?',
      })
      const source = prompt.sources[0]
      const form = source === undefined ? 'none' : source.form
      forms.set(form, window)
      if (source?.form !== 'extract') continue
      const shown = source.shown.map(({ start, end }) => TEXT.slice(start - 1000, end - 1000))
      for (const part of shown) expect(prompt.messages.at(-1)!.content).toContain(part)
      expect(shown.join(' ')).toMatch(/Keys|rotate/)
      expect(shown.join(' ')).not.toContain('Lunch')
    }
    expect([...forms.keys()]).toEqual(['full', 'extract', 'title', 'none'])
  })

  it('shows every sentence of an extract verbatim, attributed to its span', () => {
    const { pieces, messages } = assembler(130).assemble({
      passages: [passage('a', TEXT, { start: 1000 })],
      question: 'How often do keys rotate?',
    })
    const shown = pieces.filter(({ origin }) => origin.type === 'source')
    expect(shown.length).toBeGreaterThan(0)
    for (const { message, start, end, origin } of shown)
      if (origin.type === 'source')
        expect(messages[message]!.content.slice(start, end)).toBe(TEXT.slice(origin.start - 1000, origin.end - 1000))
  })

  it('splits text into sentences that lie in order and leave out white space only', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'Bc', '. ', '! ', '。', '？', '\n', '\n\n', '- ', ' ', '"', '3. ', '…'), {
          maxLength: 40,
        }),
        (parts) => {
          const text = parts.join('')
          let at = 0
          for (const { start, end } of splitSentences(text)) {
            expect(text.slice(at, start).trim()).toBe('')
            expect(text.slice(start, end)).toBe(text.slice(start, end).trim())
            expect(end).toBeGreaterThan(start)
            at = end
          }
          expect(text.slice(at).trim()).toBe('')
        },
      ),
      { numRuns: 500, seed: 31 },
    )
    expect(splitSentences('One is here. Two! 三つ。四つ。\n\nFive\n- six').length).toBe(6)
  })
})
