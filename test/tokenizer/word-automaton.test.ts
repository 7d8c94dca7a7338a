import { describe, expect, it } from 'vitest'
import { cl100kSplitter } from '../../src/tokenizer/cl100k-splitter.ts'
import { o200kSplitter } from '../../src/tokenizer/o200k-splitter.ts'
import { splitCl100k } from '../../src/tokenizer/split-cl100k.ts'
import { splitO200k } from '../../src/tokenizer/split-o200k.ts'
import type { Splitter } from '../../src/tokenizer/splitter.ts'
import { END_OF_TEXT } from '../../src/tokenizer/word-automaton.ts'

/** One character of each class, with those that an expression names; the last is of two units. */
const characters = ['A', 's', '\u05d0', '\u0301', '1', ' ', '\t', '\n', '.', '/', "'", '\u{1f600}']

const white = String.raw`[\p{White_Space}]`
const dark = String.raw`[^\p{White_Space}]`
const sign = String.raw`[^\p{White_Space}\p{L}\p{N}]`
const lead = String.raw`[^\r\n\p{L}\p{N}]?`
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
const quoted = "(?:'(?:[sStTmMdD\u017f]|[rR][eE]|[vV][eE]|[lL][lL]))"
const space = String.raw`${white}*[\r\n]+|${white}+(?!${dark})|${white}+`
const expressions = {
  o200k_base: new RegExp(
    `${lead}${upper}*${lower}+${quoted}?|${lead}${upper}+${lower}*${quoted}?` +
      String.raw`|\p{N}{1,3}| ?${sign}+[\r\n/]*|${space}`,
    'uy',
  ),
  cl100k_base: new RegExp(String.raw`${quoted}|${lead}\p{L}+|\p{N}{1,3}| ?${sign}+[\r\n]*|${space}`, 'uy'),
}

const cases: readonly (readonly [keyof typeof expressions, Splitter, Splitter])[] = [
  ['o200k_base', o200kSplitter(), splitO200k],
  ['cl100k_base', cl100kSplitter(), splitCl100k],
]

describe.each(cases)('the first word of %s', (name, automaton, exact) => {
  it('ends where the published expression ends it, in every sequence of up to five classes', () => {
    const expression = expressions[name]
    const wrong: string[] = []
    for (const text of sequences(5)) {
      const units = Uint16Array.from(Array.from({ length: text.length }, (_, index) => text.charCodeAt(index)))
      const ended = new Uint16Array(units.length + 1)
      ended.set(units)
      ended[units.length] = END_OF_TEXT
      expression.lastIndex = 0
      expression.test(text)
      const expected = expression.lastIndex
      if (exact(units, 0, units.length) !== expected || automaton(ended, 0, units.length) !== expected) wrong.push(text)
    }
    expect(wrong).toEqual([])
  })
})

function* sequences(longest: number, prefix = ''): Generator<string> {
  for (const character of characters) {
    yield prefix + character
    if (longest > 1) yield* sequences(longest - 1, prefix + character)
  }
}
