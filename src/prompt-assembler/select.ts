import { ABSENT, type Candidate, type CandidateOption, sourcesOf } from './candidates.ts'
import { chooseOptions, type OptionClass } from './choose-options.ts'

/** The option chosen of each candidate, by the candidate's key. */
export type Selection = ReadonlyMap<string, CandidateOption>

/** The cheapest form of everything required. */
export function requiredSelection(candidates: readonly Candidate[]): Map<string, CandidateOption> {
  return new Map(candidates.filter(({ required }) => required).map(({ key, options }) => [key, options[0]!]))
}

/** The candidates without the ways that show one of some passages, unless these are required. */
export function apartFrom(candidates: readonly Candidate[], out: (id: string) => boolean): readonly Candidate[] {
  const shows = ({ effects }: CandidateOption) =>
    sourcesOf(effects).some(({ draft }) => draft.chunkIds.some((id) => out(`passage:${id}`)))
  return candidates.map((candidate) =>
    candidate.required ? candidate : { ...candidate, options: candidate.options.filter((option) => !shows(option)) },
  )
}

/**
 * Fills `capacity` band by band, from the highest priority down: in each band the options of the greatest summed utility, and
 * of several such choices one that costs least, so that what is worth nothing here leaves no less to the bands below. What the
 * bands are worth, compared from the highest down, therefore never falls when the capacity rises.
 * Required candidates, which `base` holds at their cheapest, come first with their better forms. `intro` is what the first
 * source costs beyond itself.
 */
export function select(
  candidates: readonly Candidate[],
  base: Selection,
  capacity: number,
  intro: number,
): Map<string, CandidateOption> {
  const selection = new Map(base)
  let remaining = capacity
  let introduced = candidates.some((candidate) => candidate.source && base.has(candidate.key))
  const priorityOf = (candidate: Candidate) => (base.has(candidate.key) ? Number.POSITIVE_INFINITY : candidate.priority)
  const priorities = [...new Set(candidates.map(priorityOf))].sort((a, b) => (a < b ? 1 : -1))
  for (const [index, priority] of priorities.entries()) {
    const band = candidates.filter(
      (candidate) =>
        priorityOf(candidate) === priority && (candidate.key !== 'history older' || wholeRecent(candidates, selection)),
    )
    const last = index === priorities.length - 1
    const plain = introduced ? band : band.filter((candidate) => !candidate.source)
    let choice = cheapest(plain, base, remaining, last)
    if (plain.length < band.length) {
      const withSources = cheapest(band, base, remaining - intro, last)
      if (withSources.utility > choice.utility) {
        choice = withSources
        remaining -= intro
        introduced = true
      }
    }
    remaining -= choice.cost
    for (const [key, option] of choice.options) selection.set(key, option)
  }
  return selection
}

/** Older history follows only when all of the recent history is in. */
export function wholeRecent(candidates: readonly Candidate[], selection: Selection): boolean {
  const recent = candidates.find((candidate) => candidate.key === 'history')
  return recent === undefined || selection.get(recent.key) === recent.options.at(-1)
}

/** What one band holds. */
interface BandChoice {
  readonly options: Selection
  readonly cost: number
  readonly utility: number
}

/** The best choice for a band; unless it is the `last` one, the cheapest of the best: the least capacity that is worth as much, by bisection. */
function cheapest(band: readonly Candidate[], base: Selection, capacity: number, last: boolean): BandChoice {
  let best = fill(band, base, capacity)
  if (last) return best
  const enough = best.utility - 1e-12 * Math.abs(best.utility)
  let low = -1
  // Most bands have but one best choice: look right below it first.
  for (let tried = best.cost - 1; low < best.cost - 1; tried = (low + best.cost) >> 1) {
    const other = fill(band, base, tried)
    if (other.utility >= enough) best = other
    else low = tried
  }
  return best
}

function fill(band: readonly Candidate[], base: Selection, capacity: number): BandChoice {
  const options = new Map<string, CandidateOption>()
  if (capacity < 0) return { options, cost: 0, utility: -1 }
  const classes: OptionClass[] = band.map((candidate) => {
    // What is required has its cheapest form already.
    const { cost, utility } = base.get(candidate.key) ?? ABSENT
    return {
      key: candidate.key,
      options: candidate.options.map((option) => ({ cost: option.cost - cost, utility: option.utility - utility })),
    }
  })
  let [cost, utility] = [0, 0]
  for (const [index, option] of chooseOptions(classes, capacity).entries()) {
    if (option < 0) continue
    options.set(band[index]!.key, band[index]!.options[option]!)
    cost += classes[index]!.options[option]!.cost
    utility += classes[index]!.options[option]!.utility
  }
  return { options, cost, utility }
}
