import type { Analyzer } from './analyzer.ts'
import { stemEnglish } from './english-stemmer.ts'
import { wordAnalyzer } from './word-analyzer.ts'

/** Articles, prepositions, conjunctions, pronouns, auxiliaries and question words: in any text, about nothing. */
const STOP_WORDS =
  'a about am an and any are as at be been being but by can could did do does for from had has have he her his how i if in into is it its me my no not of on or our she should so some such than that the their them then there these they this those to us was we were what when where which who whom whose why will with would you your'

/**
 * Words folded, split and lightly stemmed for English text and source code; other languages pass through unstemmed.
 *
 * @example
 * englishAnalyzer().analyze('The indexes were rebuilt') // ['index', 'rebuilt']
 */
// @__NO_SIDE_EFFECTS__
export function englishAnalyzer(): Analyzer {
  return wordAnalyzer({ name: 'english-light', stem: stemEnglish, stopWords: new Set(STOP_WORDS.split(' ')) })
}
