import type { Candidate } from './candidates.ts'
import { chooseOptions, type OptionClass } from './choose-options.ts'

/** Which option of each candidate was chosen, by the candidate's key. */
export type Selection = ReadonlyMap<string, number>

/** The cheapest form of everything required. */
export function requiredSelection(candidates: readonly Candidate[]): Map<string, number> {
  const selection = new Map<string, number>()
  for (const candidate of candidates) if (candidate.required) selection.set(candidate.key, 0)
  return selection
}

/**
 * Fills `capacity` band by band, from the highest priority down: in each band the options of the greatest summed utility.
 * Required candidates, which `base` holds at their cheapest, come first with their better forms. `intro` is what the first
 * source costs beyond itself.
 */
export function select(
  candidates: readonly Candidate[],
  base: Selection,
  capacity: number,
  intro: number,
): Map<string, number> {
  const selection = new Map(base)
  let remaining = capacity
  let introduced = candidates.some((candidate) => candidate.source && base.has(candidate.key))
  const priorityOf = (candidate: Candidate) => (base.has(candidate.key) ? Number.POSITIVE_INFINITY : candidate.priority)
  const priorities = [...new Set(candidates.map(priorityOf))].sort((a, b) => (a < b ? 1 : -1))
  for (const priority of priorities) {
    const band = candidates.filter((candidate) => priorityOf(candidate) === priority)
    const usable = band.filter((candidate) => candidate.key !== 'history older' || wholeRecent(candidates, selection))
    let choice = fill(usable, base, introduced ? usable.length : -1, remaining)
    if (!introduced && usable.some((candidate) => candidate.source)) {
      const withSources = fill(usable, base, usable.length, remaining - intro)
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
  return recent === undefined || selection.get(recent.key) === recent.options.length - 1
}

function fill(band: readonly Candidate[], base: Selection, sources: number, capacity: number) {
  const options = new Map<string, number>()
  if (capacity < 0) return { options, cost: 0, utility: -1 }
  const offered = band.filter((candidate) => !candidate.source || sources >= 0)
  const classes: OptionClass[] = offered.map((candidate) => {
    const from = base.get(candidate.key)
    const [cost, utility] =
      from === undefined ? [0, 0] : [candidate.options[from]!.cost, candidate.options[from]!.utility]
    return {
      key: candidate.key,
      options: candidate.options.map((option) => ({ cost: option.cost - cost, utility: option.utility - utility })),
    }
  })
  let [cost, utility] = [0, 0]
  for (const [index, option] of chooseOptions(classes, capacity).entries()) {
    if (option < 0) continue
    options.set(classes[index]!.key, option)
    cost += classes[index]!.options[option]!.cost
    utility += classes[index]!.options[option]!.utility
  }
  return { options, cost, utility }
}
