import type { Analyzer } from './analyzer.ts'
import { stemEnglish } from './english-stemmer.ts'
import { wordAnalyzer } from './word-analyzer.ts'

/** The stop words of Lucene's English analyzer: few, so that questions about "the who" keep most of their words. */
const STOP_WORDS =
  'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with'

/**
 * Words folded, split and lightly stemmed for English text and source code; other languages pass through unstemmed.
 *
 * @example
 * englishAnalyzer().analyze('The indexes were rebuilt') // ['index', 'were', 'rebuilt']
 */
// @__NO_SIDE_EFFECTS__
export function englishAnalyzer(): Analyzer {
  return wordAnalyzer({ name: 'english-light', stem: stemEnglish, stopWords: new Set(STOP_WORDS.split(' ')) })
}
