import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Passage } from '../../src/document.ts'
import { isGroundlineError } from '../../src/errors.ts'
import {
  bindings,
  type PartSettings,
  type Prompt,
  type PromptAssemblerOptions,
  passageCaps,
  promptAssembler,
  titles,
} from '../../src/prompt-assembler/index.ts'
import { byteCounter, passage, wordCounter } from './fixtures.ts'

const RUNS = process.env.GROUNDLINE_NIGHTLY === '1' ? 10_000 : 600
const QUESTION = 'x'
const TEXT = Array.from({ length: 60 }, (_, index) => `w${index}`)

interface Case {
  readonly passages: readonly Passage[]
  readonly settings: Readonly<Record<string, PartSettings>>
  readonly caps: { readonly total?: number; readonly perDocument?: number }
}

const item = fc.record({
  // Few texts and places, so that twins and overlaps are common.
  document: fc.integer({ min: 0, max: 2 }),
  start: fc.integer({ min: 0, max: 12 }),
  words: fc.integer({ min: 1, max: 14 }),
  score: fc.integer({ min: 1, max: 6 }),
  title: fc.integer({ min: 1, max: 4 }),
  twin: fc.option(fc.integer({ min: 0, max: 5 }), { freq: 3 }),
  group: fc.option(fc.constantFrom('g', 'h'), { freq: 3 }),
  requires: fc.option(fc.integer({ min: 0, max: 5 }), { freq: 3 }),
  required: fc.option(fc.constant(true as const), { freq: 6 }),
})
const cap = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })
const cases = fc
  .record({ items: fc.array(item, { minLength: 1, maxLength: 7 }), total: cap, perDocument: cap, bound: fc.boolean() })
  .map(({ items, total, perDocument, bound }): Case => {
    const passages: Passage[] = []
    const settings: Record<string, PartSettings> = {}
    for (const [index, { document, start, words, score, title, twin, group, requires, required }] of items.entries()) {
      const source = { title: 'title '.repeat(title).trim() }
      const other = twin === null ? undefined : passages[twin]
      const from = TEXT.slice(0, start).join(' ').length
      passages.push(
        other
          ? passage(`p${index}`, other.text, { score, source, documentId: `copy${index}` })
          : passage(`p${index}`, TEXT.slice(start, start + words).join(' '), {
              score,
              source,
              documentId: `d${document}`,
              start: start === 0 ? 0 : from + 1,
            }),
      )
      if (!bound) continue
      settings[`passage:p${index}`] = {
        ...(group && { group }),
        ...(requires !== null && requires < index && { requires: [`passage:p${requires}`] }),
        ...(required && { required }),
      }
    }
    return { passages, settings, caps: { ...(total && { total }), ...(perDocument && { perDocument }) } }
  })

function assemble(given: Case, contextWindow: number, more: Partial<PromptAssemblerOptions> = {}): Prompt | undefined {
  const options = { counter: wordCounter, contextWindow, outputReserve: 0, bind: bindings(), ...more }
  try {
    return promptAssembler({ ...options, caps: passageCaps(given.caps) }).assemble({ ...given, question: QUESTION })
  } catch (error) {
    if (
      isGroundlineError(error) &&
      (error.code === 'BUDGET_EXCEEDED' || /than passageCaps permits/.test(error.message))
    )
      return undefined
    throw error
  }
}

/** What a prompt costs that shows just these passages, joined where they overlap. */
function costOf(shown: readonly Passage[], counter = wordCounter): number {
  const settings = Object.fromEntries(shown.map(({ id }) => [`passage:${id}`, { required: true }]))
  return promptAssembler({ counter, contextWindow: 100_000, outputReserve: 0 }).assemble({
    passages: shown,
    settings,
    question: QUESTION,
  }).ledger.total
}

/** Whether a prompt may show just these passages. */
function permitted({ passages, settings, caps }: Case, shown: readonly Passage[]): boolean {
  const has = (wanted: Passage) => shown.some(({ text, id }) => id === wanted.id || text === wanted.text)
  const of = (id: string) => settings[`passage:${id}`] ?? {}
  const perDocument = (documentId: string) => shown.filter((other) => other.documentId === documentId).length
  return (
    new Set(shown.map(({ text }) => text)).size === shown.length &&
    shown.length <= (caps.total ?? 99) &&
    shown.every(({ documentId }) => perDocument(documentId) <= (caps.perDocument ?? 99)) &&
    shown.every(({ id }) =>
      (of(id).requires ?? []).every((need) => has(passages.find((other) => `passage:${other.id}` === need)!)),
    ) &&
    shown.every(({ id }) =>
      passages.every((other) => of(id).group === undefined || of(other.id).group !== of(id).group || has(other)),
    )
  )
}

/** Whether a passage's text, as it is or as that of a twin, stands within a source shown in full. */
function within(wanted: Passage, { passages }: Case, { sources }: Prompt): boolean {
  return passages.some(
    (twin) =>
      twin.text === wanted.text &&
      sources.some(
        ({ documentId, start, end, form }) =>
          form === 'full' && documentId === twin.documentId && start <= twin.start && end >= twin.end,
      ),
  )
}

describe('a prompt', () => {
  it.each([
    ['words', wordCounter],
    ['bytes', byteCounter],
  ])(
    'leaves out nothing that may be shown and still fits: caps, twins, overlaps, groups and requirements (%s)',
    (_, counter) => {
      const seen = new Map<string, number>()
      fc.assert(
        fc.property(cases, fc.integer({ min: 10, max: 170 }), (given, window) => {
          const budget = counter === wordCounter ? window : window * 6
          const prompt = assemble(given, budget, { counter })
          if (prompt === undefined) return
          expect(prompt.ledger.total).toBeLessThanOrEqual(budget)
          const ids = prompt.sources.flatMap(({ chunkIds }) => chunkIds)
          const shown = given.passages.filter(({ id }) => ids.includes(id))
          expect(permitted(given, shown), 'what is shown is permitted').toBe(true)
          for (const { id } of given.passages)
            if (given.settings[`passage:${id}`]?.required)
              expect(within(given.passages.find((one) => one.id === id)!, given, prompt), `${id} is there`).toBe(true)
          expect(costOf(shown, counter)).toBe(prompt.ledger.total)
          for (const { reason } of prompt.omitted) seen.set(reason, (seen.get(reason) ?? 0) + 1)
          // Every way to show more: what stands within a source is there already.
          const out = given.passages.filter((one) => !ids.includes(one.id) && !within(one, given, prompt))
          for (let subset = 1; subset < 1 << out.length; subset++) {
            const more = [...shown, ...out.filter((_, index) => subset & (1 << index))]
            if (permitted(given, more))
              expect(costOf(more, counter), `${more.map(({ id }) => id)} in ${budget}`).toBeGreaterThan(budget)
          }
          for (const { id, reason, instead } of prompt.omitted) {
            const passage = given.passages.find((one) => `passage:${one.id}` === id)!
            // What is said to stand for a passage is shown.
            if (reason === 'duplicate' || reason === 'overlap') {
              expect(ids).toContain(instead!.slice(8))
              expect(within(passage, given, prompt)).toBe(true)
            }
          }
        }),
        { numRuns: RUNS, seed: 31 },
      )
      for (const reason of ['budget', 'limit', 'duplicate', 'overlap'])
        expect(seen.get(reason), reason).toBeGreaterThan(10)
    },
  )

  it('leaves out nothing that fits by a digit of its number', () => {
    // Passages of one length or two, so that what fits is told by the digits, and a budget that some of them just fill.
    const many = fc
      .tuple(fc.integer({ min: 90, max: 130 }), fc.constantFrom(0, 3))
      .map(([count, longer]) => Array.from({ length: count }, (_, index) => (index < longer ? 160 : 100)))
    let filled = 0
    fc.assert(
      fc.property(many, fc.integer({ min: 5, max: 129 }), fc.nat(2), (sizes, fitting, spare) => {
        const passages = sizes.map((size, index) =>
          passage(`p${index}`, `${index} `.padEnd(size, 'x'), { score: 1 + (index % 5), source: { title: 't' } }),
        )
        const budget = costOf(passages.slice(0, fitting), byteCounter) + spare
        const prompt = assemble({ passages, settings: {}, caps: {} }, budget, { counter: byteCounter })!
        expect(prompt.ledger.total).toBeLessThanOrEqual(budget)
        filled += Number(budget - prompt.ledger.total < 3)
        const ids = new Set(prompt.sources.map(({ chunkId }) => chunkId))
        const shown = passages.filter(({ id }) => ids.has(id))
        const out = new Map(passages.filter(({ id }) => !ids.has(id)).map((one) => [one.text.length, one]))
        for (const one of out.values())
          expect(costOf([...shown, one], byteCounter), `${one.id} in ${budget}`).toBeGreaterThan(budget)
      }),
      { numRuns: RUNS / 5, seed: 33 },
    )
    expect(filled).toBeGreaterThan(RUNS / 10)
  })

  it('shows the next passage where a cap is kept by one that is too large', () => {
    const passages = [9, 8, 7].map((score, index) =>
      passage(`p${index}`, `p${index} ${'word '.repeat(index === 0 ? 500 : 20)}`, {
        score,
        documentId: 'd',
        start: 5000 * index,
      }),
    )
    for (const caps of [{ total: 1 }, { perDocument: 1 }]) {
      const prompt = assemble({ passages, settings: {}, caps }, 200)!
      expect(prompt.sources.map(({ chunkId }) => chunkId)).toEqual(['p1'])
      expect(prompt.omitted.map(({ id, reason }) => [id, reason])).toEqual([
        ['passage:p0', 'limit'],
        ['passage:p2', 'limit'],
      ])
    }
  })

  it('shows the title at least of whatever a cap and the room permit', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 40, max: 200 }), (given, budget) => {
        const apart = given.passages.map((one, index) => ({ ...one, documentId: `own${index}` }))
        const texts = new Set<string>()
        const passages = apart.filter(({ text }) => !texts.has(text) && texts.add(text))
        const prompt = assemble({ passages, settings: {}, caps: given.caps }, budget, { shorten: [titles()] })!
        const { sources, fence, ledger } = prompt
        for (const { id, reason } of prompt.omitted) {
          expect(['budget', 'limit']).toContain(reason)
          expect(reason === 'limit').toBe(sources.length >= (given.caps.total ?? 99))
          const { title } = passages.find((one) => `passage:${one.id}` === id)!.source
          const tag = wordCounter.count(`<source-${fence} number="1" title="${title}" />`)
          if (reason === 'budget' && sources.length > 0) expect(tag).toBeGreaterThan(budget - ledger.total)
        }
      }),
      { numRuns: RUNS, seed: 32 },
    )
  })
})
