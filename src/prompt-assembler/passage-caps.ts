import { requireInteger } from '../internal/argument.ts'
import { type Candidate, type CandidateOption, sourcesOf } from './candidates.ts'
import { apartFrom, type Selection } from './select.ts'
import type { ShownSource } from './source-block.ts'

/** Options of {@link passageCaps}. */
export interface PassageCapsOptions {
  /** Passages at the most. Default: as many as fit. */
  readonly total?: number
  /** Passages of one document at the most. Default: as many as fit. */
  readonly perDocument?: number
}

/** Holds the passages shown to caps. Its members are the assembler's own business. */
export interface PassageCaps {
  /** Whether sources keep to the caps. */
  within(sources: readonly Pick<ShownSource, 'draft'>[]): boolean
  /** Whether the caps keep a passage out, beside what is shown. */
  bar(id: string, options: readonly CandidateOption[], shown: readonly ShownSource[]): boolean
  /** A choice that keeps to them; `choose` chooses freely from candidates, `fail` must throw. */
  choose(
    candidates: readonly Candidate[],
    base: Selection,
    choose: (from: readonly Candidate[]) => Selection,
    fail: (problem: string) => never,
  ): Selection
}

/** A passage as it competes for a place under the caps. */
interface Contender {
  readonly id: string
  readonly required: boolean
  readonly priority: number
  /** The ways to have it: with which passages, and a passage's share of cost and worth. */
  readonly ways: { readonly drafts: readonly ShownSource['draft'][]; readonly cost: number; readonly utility: number }[]
}

/**
 * Caps on the passages that a prompt shows, for `caps` of an assembler. They hold for what is shown: where a passage does not fit,
 * the next one takes its place. Overlapping passages shown as one source count one by one.
 *
 * Where the caps do not bind, the choice is the best there is. Where they do, the budget gets a price: the passages of the greatest
 * worth beyond their cost at that price, as many as the caps permit, compete for the room, at the price at which they fill it
 * and at none; the better of the choices is taken (Lagrangian relaxation of the budget; what the caps alone permit is a matroid, of
 * which the greedy choice is the best).
 *
 * @example
 * ```ts
 * const assembler = promptAssembler({ counter, contextWindow, outputReserve, caps: passageCaps({ total: 8, perDocument: 2 }) })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function passageCaps(options: PassageCapsOptions = {}): PassageCaps {
  const { total = Number.MAX_SAFE_INTEGER, perDocument = Number.MAX_SAFE_INTEGER } = options
  requireInteger('total', total, 0)
  requireInteger('perDocument', perDocument, 0)

  const within = (sources: readonly Pick<ShownSource, 'draft'>[]) => {
    let all = 0
    const byDocument = new Map<string, number>()
    for (const { draft } of sources) {
      const { documentId } = draft.best
      all += draft.chunkIds.length
      byDocument.set(documentId, (byDocument.get(documentId) ?? 0) + draft.chunkIds.length)
    }
    return all <= total && [...byDocument.values()].every((count) => count <= perDocument)
  }

  /** The passages of the greatest worth at a price of a token, as many as the caps permit, and what they cost. */
  const pool = (contenders: readonly Contender[], price: number) => {
    const ranked = contenders.map((contender) => {
      let worth = Number.NEGATIVE_INFINITY
      let [best] = contender.ways
      for (const way of contender.ways)
        if (way.utility - price * way.cost > worth) [worth, best] = [way.utility - price * way.cost, way]
      return { ...contender, worth, drafts: best!.drafts, cost: worth > 0 ? best!.cost : 0 }
    })
    ranked.sort(
      (a, b) =>
        Number(b.required) - Number(a.required) ||
        b.priority - a.priority ||
        b.worth - a.worth ||
        (a.id < b.id ? -1 : 1),
    )
    const ids = new Set<string>()
    const byDocument = new Map<string, number>()
    let cost = 0
    for (const { id, drafts, cost: share } of ranked) {
      if (ids.has(id)) continue
      const [added, counts] = [new Set(ids), new Map(byDocument)]
      for (const { chunkIds, best } of drafts)
        for (const chunk of chunkIds) {
          if (added.has(`passage:${chunk}`)) continue
          added.add(`passage:${chunk}`)
          counts.set(best.documentId, (counts.get(best.documentId) ?? 0) + 1)
        }
      if (added.size > total || drafts.some(({ best }) => counts.get(best.documentId)! > perDocument)) continue
      cost += share * (added.size - ids.size)
      for (const one of added) ids.add(one)
      for (const [document, count] of counts) byDocument.set(document, count)
    }
    return { ids, cost }
  }

  return {
    within,
    bar(id, options, shown) {
      const ids = new Set(shown.flatMap(({ draft }) => draft.chunkIds))
      const cheapest = options.find(({ effects }) => sourcesOf(effects).some(({ draft }) => has(draft, id)))
      const added = sourcesOf(cheapest?.effects ?? []).filter(
        ({ draft }) => !draft.chunkIds.some((one) => ids.has(one)),
      )
      return added.length > 0 && !within([...shown, ...added])
    },
    choose(candidates, base, choose, fail) {
      if (!within([...base.values()].flatMap(({ effects }) => sourcesOf(effects))))
        fail('more passages are required than passageCaps permits: raise the caps or require less')
      const sourcesIn = (selection: Selection) => [...selection.values()].flatMap(({ effects }) => sourcesOf(effects))
      const free = choose(candidates)
      if (within(sourcesIn(free))) return free
      const contenders = contendersOf(candidates)
      let room = 0
      for (const { key, source } of candidates) if (source) room += free.get(key)?.cost ?? 0
      const pools = [pool(contenders, 0)]
      if (pools[0]!.cost > room) {
        let [low, high] = [0, 1]
        while (pool(contenders, high).cost > room) high *= 2
        for (let step = 0; step < 40; step++) {
          const middle = (low + high) / 2
          if (pool(contenders, middle).cost > room) low = middle
          else high = middle
        }
        pools.push(pool(contenders, low), pool(contenders, high))
      }
      const choices = pools.map(({ ids }) => choose(apartFrom(candidates, (id) => !ids.has(id))))
      return choices.reduce((best, choice) => (worthMore(candidates, choice, best) ? choice : best))
    },
  }
}

function has({ chunkIds }: ShownSource['draft'], id: string): boolean {
  return chunkIds.some((chunk) => `passage:${chunk}` === id)
}

function contendersOf(candidates: readonly Candidate[]): readonly Contender[] {
  const contenders = new Map<string, Contender>()
  for (const { options, required, priority } of candidates)
    for (const { effects, cost, utility } of options) {
      const drafts = sourcesOf(effects).map(({ draft }) => draft)
      const passages = drafts.reduce((sum, { chunkIds }) => sum + chunkIds.length, 0)
      for (const { chunkIds } of drafts)
        for (const chunk of chunkIds) {
          const id = `passage:${chunk}`
          const contender = contenders.get(id) ?? { id, required, priority, ways: [] }
          contenders.set(id, contender)
          contender.ways.push({ drafts, cost: cost / passages, utility: utility / passages })
        }
    }
  return [...contenders.values()]
}

/** Whether the bands of one choice, compared from the highest priority down, are worth more than those of another. */
function worthMore(candidates: readonly Candidate[], one: Selection, other: Selection): boolean {
  const gains = new Map<number, number>()
  for (const { key, priority } of candidates)
    gains.set(priority, (gains.get(priority) ?? 0) + (one.get(key)?.utility ?? 0) - (other.get(key)?.utility ?? 0))
  const first = [...gains].sort(([a], [b]) => b - a).find(([, gain]) => Math.abs(gain) > 1e-9)
  return first !== undefined && first[1] > 0
}
