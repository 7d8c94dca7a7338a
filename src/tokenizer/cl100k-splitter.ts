import { splitCl100k } from './split-cl100k.ts'
import type { Splitter } from './splitter.ts'
import { KIND, LETTER, MARKED, NEWLINE, NUMBER, OTHER, SPACE } from './unicode-class.ts'
import { automatonSplitter, END, END_OF_BLANKS, START, UNSURE } from './word-automaton.ts'

// What was read of a word.
const BLANK_READ = 1
const SPACE_READ = 2
const SIGN_READ = 3
const LETTERS = 4
const DIGIT = 5
const TWO_DIGITS = 6
const THREE_DIGITS = 7
const SIGNS = 8
const SIGNS_AND_NEWLINES = 9
const BLANKS = 10
const NEWLINES = 11
const STATES = 12

/** The words of cl100k_base: {@link splitCl100k} behind an automaton for the ordinary ones. */
// @__NO_SIDE_EFFECTS__
export function cl100kSplitter(): Splitter {
  return automatonSplitter(STATES, step, splitCl100k)
}

function step(state: number, found: number): number {
  const kind = found & KIND
  switch (state) {
    case START:
      if (kind === OTHER) return (found & MARKED) !== 0 ? UNSURE : SIGN_READ
      if (kind === SPACE) return (found & MARKED) !== 0 ? BLANK_READ : SPACE_READ
      return kind === LETTER ? LETTERS : kind === NUMBER ? DIGIT : NEWLINES
    case BLANK_READ:
    case SPACE_READ:
      if (kind === LETTER) return LETTERS
      if (kind === SPACE) return BLANKS
      if (kind === NEWLINE) return UNSURE
      return kind === OTHER && state === BLANK_READ ? SIGNS : END
    case SIGN_READ:
      if (kind === LETTER) return LETTERS
      return kind === OTHER ? SIGNS : kind === NEWLINE ? SIGNS_AND_NEWLINES : END
    case LETTERS:
      return kind === LETTER ? LETTERS : END
    case DIGIT:
      return kind === NUMBER ? TWO_DIGITS : END
    case TWO_DIGITS:
      return kind === NUMBER ? THREE_DIGITS : END
    case SIGNS:
      return kind === OTHER ? SIGNS : kind === NEWLINE ? SIGNS_AND_NEWLINES : END
    case SIGNS_AND_NEWLINES:
      return kind === NEWLINE ? SIGNS_AND_NEWLINES : END
    case BLANKS:
      return kind === SPACE ? BLANKS : kind === NEWLINE ? UNSURE : END_OF_BLANKS
    case NEWLINES:
      return kind === NEWLINE ? NEWLINES : kind === SPACE ? UNSURE : END
    default:
      return END
  }
}
