import { splitO200k } from './split-o200k.ts'
import type { Splitter } from './splitter.ts'
import { BOTH, CASE, KIND, LETTER, LOWER, MARKED, NEWLINE, NUMBER, OTHER, SPACE, UPPER } from './unicode-class.ts'
import { automatonSplitter, END, END_AT_APOSTROPHE, END_OF_BLANKS, START, UNSURE } from './word-automaton.ts'

// What was read of a word.
const BLANK_READ = 1
const SPACE_READ = 2
const SIGN_READ = 3
/** `U+` without a mark or caseless letter. */
const CAPITALS = 4
/** `U*L+` with a lower-case letter: nothing of it is given back. */
const SMALL = 5
/** `U*`, the last of it a mark or caseless letter, which is the `L` if the word ends here. */
const CASELESS = 6
const DIGIT = 7
const TWO_DIGITS = 8
const THREE_DIGITS = 9
const SIGNS = 10
const SIGNS_AND_NEWLINES = 11
const BLANKS = 12
const NEWLINES = 13
const STATES = 14

/** The words of o200k_base: {@link splitO200k} behind an automaton for the ordinary ones. */
// @__NO_SIDE_EFFECTS__
export function o200kSplitter(): Splitter {
  return automatonSplitter(STATES, step, splitO200k)
}

function step(state: number, found: number): number {
  const kind = found & KIND
  const letterCase = found & CASE
  const blanksEnd = kind === NEWLINE ? UNSURE : END_OF_BLANKS
  const lettersEnd = kind === OTHER && (found & MARKED) !== 0 ? END_AT_APOSTROPHE : END
  switch (state) {
    case START:
      if (kind === LETTER) return afterLead(letterCase)
      if (letterCase !== 0) return UNSURE
      if (kind === SPACE) return (found & MARKED) !== 0 ? BLANK_READ : SPACE_READ
      return kind === NUMBER ? DIGIT : kind === NEWLINE ? NEWLINES : SIGN_READ
    case BLANK_READ:
    case SPACE_READ:
      if (kind === LETTER) return afterLead(letterCase)
      if (letterCase !== 0 || kind === NEWLINE) return UNSURE
      if (kind === SPACE) return BLANKS
      return kind === OTHER && state === BLANK_READ ? SIGNS : END
    case SIGN_READ:
      if (kind === LETTER) return afterLead(letterCase)
      if (letterCase !== 0) return UNSURE
      return kind === OTHER ? SIGNS : kind === NEWLINE ? SIGNS_AND_NEWLINES : END
    case CAPITALS:
      return letterCase === 0 ? lettersEnd : afterLead(letterCase)
    case SMALL:
      return letterCase === LOWER || letterCase === BOTH ? SMALL : letterCase === UPPER ? END : lettersEnd
    case CASELESS:
      return letterCase === UPPER ? UNSURE : letterCase === 0 ? lettersEnd : afterLead(letterCase)
    case DIGIT:
      return kind === NUMBER ? TWO_DIGITS : END
    case TWO_DIGITS:
      return kind === NUMBER ? THREE_DIGITS : END
    case SIGNS:
      return kind === OTHER ? SIGNS : kind === NEWLINE ? SIGNS_AND_NEWLINES : END
    case SIGNS_AND_NEWLINES:
      // A slash may go on here; it is not told apart from other signs.
      return kind === NEWLINE ? SIGNS_AND_NEWLINES : kind === OTHER ? UNSURE : END
    case BLANKS:
      return kind === SPACE ? BLANKS : blanksEnd
    case NEWLINES:
      return kind === NEWLINE ? NEWLINES : kind === SPACE ? UNSURE : END
    default:
      return END
  }
}

function afterLead(letterCase: number): number {
  return letterCase === UPPER ? CAPITALS : letterCase === LOWER ? SMALL : CASELESS
}
