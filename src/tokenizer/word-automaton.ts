import { contraction, type Splitter } from './splitter.ts'
import { ASK, KIND, unitClasses } from './unicode-class.ts'

/** The state at the start of a word. */
export const START = 0
/** The word ends before this character. */
export const END = 0xf0
/** The letters end before this apostrophe, and a contraction may follow. */
export const END_AT_APOSTROPHE = 0xf1
/** A run of white space ends before this character, and the word one character before: that one leads the next. */
export const END_OF_BLANKS = 0xf2
/** Not for the automaton: the exact splitter decides. */
export const UNSURE = 0xf3

/** What must stand behind the last unit of a text: a unit that no automaton reads over. */
export const END_OF_TEXT = 0xdc00

/**
 * `exact` made faster: an automaton finds the ends of ordinary words and leaves the others to it.
 *
 * ```text
 *   state ← table[state][class of the unit]     unit by unit, until the state is an end
 * ```
 *
 * A written-out splitter asks several `if`s a word that the processor cannot foresee, and each wrong guess costs as much as
 * reading five units; here the only one is where the word ends. `step` gives the state after a character of a class
 * (unicode-class.ts) or one of the ends above; the table holds its answers. What is rare or has to look back is `UNSURE`, as are
 * characters of two units and the end of the text, where `units[length]` must be {@link END_OF_TEXT}.
 */
// @__NO_SIDE_EFFECTS__
export function automatonSplitter(
  states: number,
  step: (state: number, found: number) => number,
  exact: Splitter,
): Splitter {
  const classes = unitClasses()
  const table = new Uint16Array(states << 8)
  for (let at = 0; at < table.length; at++) table[at] = ((at & KIND) === ASK ? UNSURE : step(at >> 8, at & 255)) << 8
  return (units, start, length) => {
    let state = START
    let index = start
    for (;;) {
      state = table[state | classes[units[index]!]!]!
      if (state >= END << 8) break
      index++
    }
    if (state === END << 8) return index
    if (state === END_AT_APOSTROPHE << 8) return index + contraction(units, index, length)
    if (state === END_OF_BLANKS << 8) return index - 1
    return exact(units, start, length)
  }
}
