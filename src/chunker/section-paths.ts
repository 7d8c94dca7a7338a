import type { Span } from '../document.ts'
import { lastAtMost } from '../internal/last-at-most.ts'

/** A heading: where its section begins. */
export interface SectionStart {
  /** First unit of the heading. */
  readonly start: number
  /** 1–6, outermost first. */
  readonly level: number
  /** Heading text without markup. */
  readonly label: string
}

/**
 * Looks up the headings above a span. A span that reaches over several sections gets the headings they share. Headings
 * come in text order; each look-up is a binary search and as many steps as the span has sections.
 */
export function sectionPaths(headings: readonly SectionStart[]): (span: Span) => readonly string[] {
  const paths: (readonly string[])[] = []
  const open: SectionStart[] = []
  for (const heading of headings) {
    while (open.length > 0 && open[open.length - 1]!.level >= heading.level) open.pop()
    open.push(heading)
    paths.push(open.map(({ label }) => label).filter((label) => label !== ''))
  }
  return ({ start, end }) => {
    const first = lastAtMost(headings, start, (heading) => heading.start)
    if (first < 0) return []
    let shared = paths[first]!
    for (let index = first + 1; index < headings.length && headings[index]!.start < end; index += 1) {
      const path = paths[index]!
      let same = 0
      while (same < shared.length && shared[same] === path[same]) same += 1
      shared = shared.slice(0, same)
    }
    return shared
  }
}
