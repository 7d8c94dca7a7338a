import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isGroundlineError } from '../../src/errors.ts'
import type { Candidate } from '../../src/prompt-assembler/candidates.ts'
import { type PromptParts, promptAssembler } from '../../src/prompt-assembler/index.ts'
import { select } from '../../src/prompt-assembler/select.ts'
import { passage, wordCounter } from './fixtures.ts'

const RUNS = process.env.GROUNDLINE_NIGHTLY === '1' ? 5_000 : 400

/** Compares what bands are worth, from the highest down. */
function compareWorth(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((worth, index) => Math.abs(worth - other[index]!) > 1e-9)
  return at < 0 ? 0 : one[at]! - other[at]!
}

const INTRO = 4
const candidates = fc
  .array(
    fc.record({
      priority: fc.integer({ min: 1, max: 3 }),
      // Small numbers, so that bands have several best choices of different cost.
      options: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 })), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((list) =>
    list.map(
      ({ priority, options }, index): Candidate => ({
        key: `c${index}`,
        ids: [`c${index}`],
        priority,
        required: false,
        source: priority === 2,
        options: options.map(([cost, utility]) => ({ cost, utility, effects: [] })),
      }),
    ),
  )

/** The worth of the best of all selections, by trying every one. */
function bruteForce(list: readonly Candidate[], capacity: number, bands: readonly number[]): readonly number[] {
  let best = bands.map(() => 0)
  const visit = (at: number, cost: number, worth: readonly number[], sources: boolean): void => {
    if (cost + (sources ? INTRO : 0) > capacity) return
    if (at === list.length) {
      if (compareWorth(worth, best) > 0) best = [...worth]
      return
    }
    visit(at + 1, cost, worth, sources)
    const { priority, options, source } = list[at]!
    for (const option of options)
      visit(
        at + 1,
        cost + option.cost,
        worth.map((value, band) => (bands[band] === priority ? value + option.utility : value)),
        sources || source,
      )
  }
  visit(0, 0, best, false)
  return best
}

describe('what a prompt is worth', () => {
  it('is the best there is, compared band by band from the highest priority down', () => {
    const bands = [3, 2, 1]
    fc.assert(
      fc.property(candidates, fc.integer({ min: 0, max: 40 }), (list, capacity) => {
        const selection = select(list, new Map(), capacity, INTRO)
        const worth = bands.map((band) =>
          list.reduce(
            (sum, { key, priority }) =>
              priority === band && selection.has(key) ? sum + selection.get(key)!.utility : sum,
            0,
          ),
        )
        expect(compareWorth(worth, bruteForce(list, capacity, bands))).toBe(0)
      }),
      { numRuns: RUNS, seed: 21 },
    )
  })

  it('never falls when the budget rises, and is one sum where all that competes has one priority', () => {
    const given = fc.record({
      passages: fc.array(fc.record({ words: fc.integer({ min: 1, max: 30 }), score: fc.integer({ min: 1, max: 5 }) }), {
        maxLength: 9,
      }),
      examples: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
      turns: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 5 }),
      one: fc.boolean(),
    })
    fc.assert(
      fc.property(given, fc.integer({ min: 20, max: 400 }), fc.integer({ min: 1, max: 60 }), (list, budget, more) => {
        const parts: PromptParts = {
          question: 'x',
          passages: list.passages.map(({ words, score }, index) =>
            passage(`p${index}`, `p${index} ${'word '.repeat(words)}`, { score }),
          ),
          examples: list.examples.map((words, index) => ({
            role: 'user' as const,
            content: `e${index} ${'word '.repeat(words)}`,
          })),
          history: list.turns.map((words, index) => ({
            role: 'user' as const,
            content: `h${index} ${'word '.repeat(words)}`,
          })),
          settings: list.one
            ? Object.fromEntries(
                [...list.examples.map((_, at) => `example:${at}`), ...list.turns.map((_, at) => `history:${at}`)].map(
                  (id) => [id, { priority: 10 }] as const,
                ),
              )
            : {},
        }
        const top = Math.max(...list.passages.map(({ score }) => score), 1)
        const worthAt = (contextWindow: number): readonly number[] | undefined => {
          try {
            const prompt = promptAssembler({ counter: wordCounter, contextWindow, outputReserve: 0 }).assemble(parts)
            const said = (letter: string) => prompt.messages.filter(({ content }) => content.startsWith(letter)).length
            const passages = prompt.sources.reduce((sum, { score }) => sum + score / top, 0)
            const [examples, turns] = [said('e'), said('h')]
            if (list.one) return [examples + turns + passages]
            const share = Math.floor(contextWindow * 0.3)
            let [recent, cost] = [0, 0]
            for (const words of list.turns.toReversed()) {
              cost += words + 5
              if (cost <= share) recent++
            }
            return [examples, Math.min(turns, recent), passages, turns]
          } catch (error) {
            if (isGroundlineError(error) && error.code === 'BUDGET_EXCEEDED') return undefined
            throw error
          }
        }
        const [less, larger] = [worthAt(budget), worthAt(budget + more)]
        if (less !== undefined) expect(compareWorth(larger!, less)).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: RUNS, seed: 22 },
    )
  })
})
