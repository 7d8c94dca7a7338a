import { ABSENT, type Candidate, type CandidateOption, combined } from './candidates.ts'
import type { Omission, PartSettings } from './prompt-assembler.ts'

/** Keeps parts that are bound to each other together. Its member is the assembler's own business. */
export interface PartBinder {
  /** Makes candidates that can be chosen freely of each other. */
  readonly bind: typeof bindCandidates
}

/**
 * What an assembler needs for `group` and `requires` in part settings; a bundle without them does without it.
 *
 * @example
 * ```ts
 * const assembler = promptAssembler({ counter, contextWindow, outputReserve, bind: bindings() })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function bindings(): PartBinder {
  return { bind: bindCandidates }
}

/** Candidates that can be chosen freely of each other, and parts that cannot be there for want of another. */
export interface BoundCandidates {
  readonly candidates: readonly Candidate[]
  readonly omitted: readonly Omission[]
}

/** Options kept of parts bound to each other, by utility per token among those no other beats. */
const MOST_OPTIONS = 64
/** Bound parts up to this number are combined in every permitted way; more are taken in one order of worth. */
const MOST_UNITS = 12

/** Parts that stand or fall together, with what they need. */
interface Unit {
  readonly members: readonly Candidate[]
  readonly needs: ReadonlySet<number>
}

/**
 * Makes one candidate of parts bound by `group` or `requires`, whose options are the permitted ways to have some of them. What
 * a required part needs is required too. The candidate competes in the highest band of its members. `fail` must throw; it is
 * called for cycles, and for requirements that name no part.
 */
export function bindCandidates(
  candidates: readonly Candidate[],
  settingsOf: (id: string) => PartSettings,
  gone: readonly Omission[],
  twins: ReadonlyMap<string, string>,
  fail: (problem: string) => never,
): BoundCandidates {
  const known = new Map(candidates.flatMap((candidate) => candidate.ids.map((id) => [id, candidate] as const)))
  const absent = new Set(gone.map(({ id }) => id))
  const needs = new Map<string, string[]>()
  const missing = new Map<string, string>()
  for (const { key } of candidates) {
    for (const wanted of settingsOf(key).requires ?? []) {
      // The twin that is shown will do, unless it has bonds of its own.
      const twin = twins.get(wanted) ?? wanted
      const { group, requires } = settingsOf(twin)
      const id = group === undefined && requires === undefined ? twin : wanted
      if (id === 'question' || id === key) continue
      if (known.has(id)) needs.set(key, [...(needs.get(key) ?? []), known.get(id)!.key])
      else if (absent.has(wanted)) missing.set(key, wanted)
      else fail(`${key} requires ${wanted}, which is no part of this prompt`)
    }
  }
  rejectCycles(needs, fail)
  const groups = new Map<string, string[]>()
  for (const { key } of candidates) {
    const { group } = settingsOf(key)
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), key])
  }
  const mates = new Map<string, readonly string[]>()
  for (const members of groups.values()) for (const key of members) mates.set(key, members)

  spread(
    missing,
    (key) => [
      ...(mates.get(key) ?? []),
      ...candidates.filter((other) => needs.get(other.key)?.includes(key)).map((other) => other.key),
    ],
    (_, from) => from,
  )
  const omitted = [...missing].map(([id, instead]): Omission => ({ id, reason: 'requirement', instead }))
  for (const { key, required } of candidates)
    if (required && missing.has(key)) fail(`${key} is required, but what it needs, ${missing.get(key)}, is not there`)
  const must = new Map(candidates.filter((candidate) => candidate.required).map(({ key }) => [key, true]))
  spread(
    must,
    (key) => [...(mates.get(key) ?? []), ...(needs.get(key) ?? [])],
    () => true,
  )

  const present = candidates.filter(({ key }) => !missing.has(key))
  const free = present.filter(({ key }) => !must.has(key))
  const bound: Candidate[] = present
    .filter(({ key }) => must.has(key))
    .map((candidate) => ({ ...candidate, required: true }))
  for (const component of components(free, (key) => [...(mates.get(key) ?? []), ...(needs.get(key) ?? [])])) {
    if (component.length === 1) bound.push(component[0]!)
    else bound.push(combine(component, needs, mates, must))
  }
  return { candidates: bound, omitted }
}

function rejectCycles(needs: ReadonlyMap<string, readonly string[]>, fail: (problem: string) => never): void {
  const done = new Set<string>()
  for (const root of needs.keys()) {
    // Depth-first without recursion: a path is a stack of parts with what of their needs is still to visit.
    const path: { key: string; rest: string[] }[] = [{ key: root, rest: [...(needs.get(root) ?? [])] }]
    while (path.length > 0 && !done.has(root)) {
      const next = path.at(-1)!.rest.pop()
      if (next === undefined) done.add(path.pop()!.key)
      else if (path.some(({ key }) => key === next))
        fail(`requirements go in a circle: ${[...path.map(({ key }) => key), next].join(' → ')}`)
      else if (!done.has(next)) path.push({ key: next, rest: [...(needs.get(next) ?? [])] })
    }
  }
}

/** Carries a mark from part to part. */
function spread<T>(
  marks: Map<string, T>,
  neighbours: (key: string) => readonly string[],
  mark: (key: string, from: string) => T,
): void {
  const queue = [...marks.keys()]
  for (let at = 0; at < queue.length; at++)
    for (const next of neighbours(queue[at]!)) {
      if (marks.has(next)) continue
      marks.set(next, mark(next, queue[at]!))
      queue.push(next)
    }
}

function components(
  candidates: readonly Candidate[],
  bonds: (key: string) => readonly string[],
): readonly (readonly Candidate[])[] {
  const byKey = new Map(candidates.map((candidate) => [candidate.key, candidate]))
  const edges = new Map<string, string[]>()
  for (const { key } of candidates)
    for (const other of bonds(key)) {
      edges.set(key, [...(edges.get(key) ?? []), other])
      edges.set(other, [...(edges.get(other) ?? []), key])
    }
  const seen = new Set<string>()
  const found: Candidate[][] = []
  for (const { key } of candidates) {
    if (seen.has(key)) continue
    const reached = new Map([[key, true]])
    spread(
      reached,
      (at) => edges.get(at) ?? [],
      () => true,
    )
    for (const member of reached.keys()) seen.add(member)
    found.push([...reached.keys()].flatMap((member) => byKey.get(member) ?? []))
  }
  return found
}

function combine(
  component: readonly Candidate[],
  needs: ReadonlyMap<string, readonly string[]>,
  mates: ReadonlyMap<string, readonly string[]>,
  must: ReadonlyMap<string, boolean>,
): Candidate {
  const sorted = [...component].sort((a, b) => (a.key < b.key ? -1 : 1))
  const unitOf = new Map<string, number>()
  const members: Candidate[][] = []
  for (const candidate of sorted) {
    const mate = mates.get(candidate.key)?.find((key) => unitOf.has(key))
    const unit = mate === undefined ? members.push([]) - 1 : unitOf.get(mate)!
    unitOf.set(candidate.key, unit)
    members[unit]!.push(candidate)
  }
  const units = members.map((list, index): Unit => {
    const wanted = list.flatMap(({ key }) => needs.get(key) ?? []).filter((key) => !must.has(key))
    return { members: list, needs: new Set(wanted.map((key) => unitOf.get(key)!).filter((unit) => unit !== index)) }
  })
  const ladders = units.map((unit) => together(unit.members.map((member) => member.options)))
  return {
    key: sorted[0]!.key,
    ids: sorted.flatMap((candidate) => candidate.ids),
    priority: sorted.reduce((highest, candidate) => Math.max(highest, candidate.priority), sorted[0]!.priority),
    source: sorted.some((candidate) => candidate.source),
    required: false,
    options: undominated(units.length <= MOST_UNITS ? everyWay(units, ladders) : oneOrder(units, ladders)),
    more: (than) => {
      const held = new Set(than.effects)
      const taken = new Set(
        [...units.keys()].filter((unit) =>
          ladders[unit]!.some(({ effects }) => effects.some((effect) => held.has(effect))),
        ),
      )
      return [...units.keys()].flatMap((unit) =>
        taken.has(unit) ? [] : together([[than], ...withNeeds(unit, units, taken).map((index) => ladders[index]!)]),
      )
    },
  }
}

function everyWay(
  units: readonly Unit[],
  ladders: readonly (readonly CandidateOption[])[],
): readonly CandidateOption[] {
  const options: CandidateOption[] = []
  for (let subset = 1; subset < 1 << units.length; subset++) {
    const chosen = units.map((_, index) => index).filter((index) => subset & (1 << index))
    if (chosen.every((index) => [...units[index]!.needs].every((need) => subset & (1 << need))))
      options.push(...together(chosen.map((index) => ladders[index]!)))
  }
  return options
}

/** Adds, again and again, the unit that with all it still needs is worth most a token. */
function oneOrder(
  units: readonly Unit[],
  ladders: readonly (readonly CandidateOption[])[],
): readonly CandidateOption[] {
  const taken = new Set<number>()
  const options: CandidateOption[] = []
  let sum: readonly CandidateOption[] = [ABSENT]
  while (taken.size < units.length) {
    let best: { units: number[]; worth: number } | undefined
    for (const index of units.keys()) {
      if (taken.has(index)) continue
      const added = withNeeds(index, units, taken)
      const cost = added.reduce((total, unit) => total + ladders[unit]!.at(-1)!.cost, 0)
      const utility = added.reduce((total, unit) => total + ladders[unit]!.at(-1)!.utility, 0)
      const worth = utility / Math.max(cost, 1)
      if (best === undefined || worth > best.worth) best = { units: added, worth }
    }
    for (const unit of best!.units) taken.add(unit)
    sum = together([sum, ...best!.units.map((unit) => ladders[unit]!)])
    options.push(...sum)
  }
  return options
}

/** A unit with all it needs beyond those taken. */
function withNeeds(unit: number, units: readonly Unit[], taken: ReadonlySet<number>): number[] {
  const wanted = new Set([unit])
  for (const one of wanted) for (const need of units[one]!.needs) if (!taken.has(need)) wanted.add(need)
  return [...wanted]
}

/** Every way to take one option of each ladder, without those that another beats. */
function together(ladders: readonly (readonly CandidateOption[])[]): readonly CandidateOption[] {
  let sum: readonly CandidateOption[] = [ABSENT]
  for (const ladder of ladders) sum = undominated(combined(sum, ladder))
  return sum
}

function undominated(options: readonly CandidateOption[]): readonly CandidateOption[] {
  const kept: CandidateOption[] = []
  for (const option of [...options].sort((a, b) => a.cost - b.cost || b.utility - a.utility))
    if (kept.length === 0 || option.utility > kept.at(-1)!.utility) kept.push(option)
  if (kept.length <= MOST_OPTIONS) return kept
  // The cheapest and the dearest stay; between them, evenly many.
  const step = (kept.length - 1) / (MOST_OPTIONS - 1)
  return Array.from({ length: MOST_OPTIONS }, (_, index) => kept[Math.round(index * step)]!)
}
