import { describe, expect, it } from 'vitest'
import { fitPrompt, promptAssembler } from '../../src/prompt-assembler/index.ts'
import { passage, wordCounter } from './fixtures.ts'

const assembler = promptAssembler({
  counter: { ...wordCounter, kind: 'estimate' },
  contextWindow: 1000,
  outputReserve: 100,
})
const passages = Array.from({ length: 60 }, (_, index) =>
  passage(`p${index}`, `Passage ${index} ${'word '.repeat(20)}`, { score: 60 - index }),
)
const parts = { passages, question: 'What?' }

/** Counts `factor` times what the words are, and remembers how often it was asked for a whole prompt. */
function remote(factor: number) {
  const counter = {
    id: 'remote:test',
    kind: 'remote-prompt' as const,
    asked: 0,
    countPrompt: async (prompt: { ledger: { total: number } }) => {
      counter.asked++
      return Math.round(prompt.ledger.total * factor)
    },
  }
  return counter
}

describe('fitPrompt', () => {
  it.each([0.5, 0.8, 1, 1.3, 2, 4])(
    'fits a provider that counts %d times as much, in at most three rounds',
    async (factor) => {
      const counter = remote(factor)
      const prompt = await fitPrompt(assembler, parts, counter)
      expect(prompt.ledger.total).toBeLessThanOrEqual(900)
      expect(prompt.ledger.total).toBeGreaterThan(700)
      expect(prompt.guarantee).toBe('exact')
      expect(counter.asked).toBeLessThanOrEqual(3)
      expect(prompt.ledger.entries.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(prompt.ledger.total)
    },
  )

  it('asks a counter of texts once a message and adds the overhead', async () => {
    const texts: string[] = []
    const counter = {
      id: 'remote:text',
      kind: 'remote' as const,
      count: async (text: string) => texts.push(text) && 2 * wordCounter.count(text),
    }
    const prompt = await fitPrompt(assembler, { ...parts, instructions: 'Be brief.' }, counter)
    expect(prompt.ledger.total).toBeLessThanOrEqual(900)
    expect(texts[0]).toBe('Be brief.')
  })

  it('throws BUDGET_EXCEEDED with the ledger when nothing fits', async () => {
    await expect(fitPrompt(assembler, parts, remote(1000))).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      details: { ledger: { budget: 900 } },
    })
  })

  it('rethrows the reason of an abort and what the counter throws, and refuses what is no number', async () => {
    const reason = new Error('stop')
    await expect(fitPrompt(assembler, parts, remote(1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const failing = { ...remote(1), countPrompt: () => Promise.reject(reason) }
    await expect(fitPrompt(assembler, parts, failing)).rejects.toBe(reason)
    await expect(
      fitPrompt(assembler, parts, { ...remote(1), countPrompt: async () => Number.NaN }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
