import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bindCandidates } from '../../src/prompt-assembler/bind-candidates.ts'
import type { Candidate } from '../../src/prompt-assembler/candidates.ts'
import { chooseOptions } from '../../src/prompt-assembler/choose-options.ts'
import {
  bindings,
  type PartSettings,
  type PromptParts,
  passageCaps,
  promptAssembler,
  promptCaching,
  renditions,
} from '../../src/prompt-assembler/index.ts'
import { passage, wordCounter } from './fixtures.ts'

const fail = (problem: string): never => {
  throw new Error(problem)
}
const item = fc.record({
  cost: fc.integer({ min: 1, max: 20 }),
  utility: fc.double({ min: 0.1, max: 1, noNaN: true }),
  group: fc.constantFrom(undefined, undefined, 'g', 'h'),
  requires: fc.subarray([0, 1, 2, 3, 4, 5], { maxLength: 2 }),
})

/** Requirements only point to earlier items, so there are no cycles. */
const items = fc.array(item, { minLength: 1, maxLength: 7 }).map((list) =>
  list.map(({ requires, group, ...rest }, index) => ({
    ...rest,
    id: `i${index}`,
    settings: {
      ...(group && { group }),
      requires: requires.filter((other) => other < index).map((other) => `i${other}`),
    } as PartSettings,
  })),
)

function bind(list: readonly { id: string; cost: number; utility: number; settings: PartSettings }[]) {
  const candidates = list.map(
    ({ id, cost, utility }): Candidate => ({
      key: id,
      ids: [id],
      priority: 0,
      required: false,
      source: false,
      options: [{ cost, utility, effects: [{ type: 'form', id, form: 0 }] }],
    }),
  )
  return bindCandidates(candidates, (id) => list.find((entry) => entry.id === id)!.settings, [], new Map(), fail)
}

const assemble = (parts: Omit<PromptParts, 'question'>, contextWindow = 10_000) =>
  promptAssembler({
    counter: wordCounter,
    contextWindow,
    outputReserve: 0,
    bind: bindings(),
    cache: promptCaching(),
    renditions: renditions(),
  }).assemble({
    ...parts,
    question: 'x',
  })

describe('bindCandidates', () => {
  it('leads to the best permitted choice of every combination', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 0, max: 80 }), (list, capacity) => {
        const permitted = (chosen: readonly string[]) =>
          list.every(({ id, settings }) => {
            const has = chosen.includes(id)
            const mates = list.filter(
              (other) => settings.group !== undefined && other.settings.group === settings.group,
            )
            return (
              mates.every((mate) => chosen.includes(mate.id) === has) &&
              (!has || settings.requires!.every((need) => chosen.includes(need)))
            )
          })
        let best = 0
        for (let subset = 0; subset < 1 << list.length; subset++) {
          const taken = list.filter((_, index) => subset & (1 << index))
          const cost = taken.reduce((sum, { cost }) => sum + cost, 0)
          if (cost <= capacity && permitted(taken.map(({ id }) => id)))
            best = Math.max(
              best,
              taken.reduce((sum, { utility }) => sum + utility, 0),
            )
        }
        const { candidates } = bind(list)
        const chosen = chooseOptions(candidates, capacity).flatMap((option, index) =>
          option < 0 ? [] : [candidates[index]!.options[option]!],
        )
        expect(chosen.reduce((sum, { utility }) => sum + utility, 0)).toBeCloseTo(best, 9)
        expect(chosen.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(capacity)
        expect(
          permitted(
            chosen.flatMap(({ effects }) => effects.map((effect) => (effect.type === 'form' ? effect.id : ''))),
          ),
        ).toBe(true)
      }),
      { numRuns: 500, seed: 5 },
    )
  })

  it('takes more than twelve bound parts in an order that keeps what each needs', () => {
    const list = Array.from({ length: 20 }, (_, index) => ({
      id: `i${String(index).padStart(2, '0')}`,
      cost: 5,
      utility: 1,
      settings: { requires: index > 0 ? [`i${String(index - 1).padStart(2, '0')}`] : [] },
    }))
    const { candidates } = bind(list)
    expect(candidates).toHaveLength(1)
    expect(candidates[0]!.options.map(({ cost }) => cost)).toEqual(list.map((_, index) => 5 * (index + 1)))
  })

  it('refuses requirements that go in a circle, or name nothing', () => {
    const passages = ['a', 'b', 'c'].map((id) => passage(id, `text ${id}`))
    const requiring = (settings: Record<string, PartSettings>) => () =>
      assemble({ passages, settings, history: [{ role: 'user', content: 'q' }] })
    expect(
      requiring({
        'passage:a': { requires: ['passage:b'] },
        'passage:b': { requires: ['passage:c'] },
        'passage:c': { requires: ['passage:a'] },
      }),
    ).toThrowError(/circle: passage:a → passage:b → passage:c → passage:a/)
    expect(requiring({ 'passage:a': { requires: ['passage:z'] } })).toThrowError(/no part/)
  })
})

describe('part settings', () => {
  const passages = ['a', 'b', 'c'].map((id, index) => passage(id, `${id} ${'word '.repeat(30)}`, { score: 3 - index }))

  it('keeps a group together or leaves all of it out', () => {
    const settings = { 'passage:a': { group: 'g' }, 'passage:c': { group: 'g' } }
    for (let window = 60; window < 320; window += 10) {
      const shown = assemble({ passages, settings }, window).sources.map((source) => source.chunkId)
      expect(shown.includes('a')).toBe(shown.includes('c'))
    }
  })

  it('shows no part without what it requires, and requires what a required part needs', () => {
    const settings = { 'passage:a': { requires: ['passage:b'] } }
    for (let window = 60; window < 320; window += 10) {
      const shown = assemble({ passages, settings }, window).sources.map((source) => source.chunkId)
      if (shown.includes('a')) expect(shown).toContain('b')
    }
    const required = { 'passage:a': { requires: ['passage:b'], required: true } }
    expect(() => assemble({ passages, settings: required }, 160)).toThrowError(
      expect.objectContaining({ code: 'BUDGET_EXCEEDED' }),
    )
    expect(assemble({ passages, settings: required }, 210).sources.map((source) => source.chunkId)).toEqual(['a', 'b'])
  })

  it('keeps to a cap with what a passage requires, and takes a twin for a requirement', () => {
    const capped = promptAssembler({
      counter: wordCounter,
      contextWindow: 1000,
      outputReserve: 0,
      caps: passageCaps({ total: 2 }),
      bind: bindings(),
    })
    const { omitted } = capped.assemble({
      passages,
      settings: { 'passage:a': { requires: ['passage:c'] } },
      question: 'x',
    })
    // With what it requires, the best passage takes both places.
    expect(omitted).toMatchObject([{ id: 'passage:b', reason: 'limit' }])
    const twin = passage('twin', passages[1]!.text, { score: 0.5 })
    const { sources } = assemble({
      passages: [...passages, twin],
      settings: { 'passage:a': { requires: ['passage:twin'] } },
    })
    expect(sources.map((source) => source.chunkId)).toEqual(['a', 'b', 'c'])
  })

  it('fills bands by priority before utility', () => {
    const settings = { 'passage:c': { priority: 11 } }
    expect(assemble({ passages, settings }, 150).sources.map((source) => source.chunkId)).toEqual(['c'])
    expect(assemble({ passages }, 150).sources.map((source) => source.chunkId)).toEqual(['a'])
  })

  it('shrinks an instruction to a shorter rendition before it gives up, and the best that fits is taken', () => {
    const instructions = [
      { id: 'long', text: 'one two three four five six seven eight', renditions: ['one two three four', 'one'] },
    ]
    const text = (window: number) => assemble({ instructions }, window).messages[0]!.content
    expect([text(30), text(17), text(14)]).toEqual([instructions[0]!.text, 'one two three four', 'one'])
    expect(() => text(12)).toThrowError(expect.objectContaining({ code: 'BUDGET_EXCEEDED' }))
    expect(() => assemble({ instructions: [{ id: 'i', text: 'one', renditions: ['one two'] }] })).toThrowError(
      /cheaper/,
    )
  })

  it('puts instructions of one turn behind everything that can be cached', () => {
    const { messages } = assemble({
      instructions: [
        { id: 'now', text: 'It is noon.', stability: 'turn' },
        { id: 'who', text: 'The user is Ann.', stability: 'session' },
        { id: 'rules', text: 'Be brief.' },
      ],
    })
    expect(messages).toEqual([
      { role: 'system', content: 'Be brief.\n\nThe user is Ann.' },
      { role: 'user', content: 'It is noon.\n\nQuestion:\nx' },
    ])
  })

  it('warns of a date in a static instruction', () => {
    const { warnings } = assemble({ instructions: 'Be brief. Today is 2026-11-22.' })
    expect(warnings).toEqual([{ id: 'instructions', kind: 'volatile', at: 19, found: '2026-11-22' }])
    expect(
      assemble({ instructions: [{ id: 'now', text: 'Today is 2026-11-22.', stability: 'turn' }] }).warnings,
    ).toEqual([])
  })
})
