import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import type { Analyzer } from './analyzer.ts'
import { wordAnalyzer } from './word-analyzer.ts'

/** Languages with a stemmer. */
export type AnalyzerLanguage =
  | 'danish'
  | 'dutch'
  | 'english'
  | 'finnish'
  | 'french'
  | 'german'
  | 'greek'
  | 'hungarian'
  | 'italian'
  | 'norwegian'
  | 'portuguese'
  | 'romanian'
  | 'russian'
  | 'spanish'
  | 'swedish'
  | 'turkish'
  | 'ukrainian'

type StemmerModule = { readonly stemmer: (word: string) => string }

/**
 * An analyzer with the Snowball stemmer of a language, from `@orama/stemmers`, loaded when it is asked for. Words are
 * stemmed with their diacritics and folded afterwards; there is no stop list, because rarity weighs such words down.
 * `english` stems more than `englishAnalyzer` does.
 *
 * @example
 * const index = lexicalIndex({ analyzer: await languageAnalyzer('german') })
 */
export async function languageAnalyzer(language: AnalyzerLanguage): Promise<Analyzer> {
  const { stemmer } = await loadStemmer(language)
  return wordAnalyzer({ name: `${language}-snowball`, stem: stemmer, fold: 'after' })
}

function loadStemmer(language: AnalyzerLanguage): Promise<StemmerModule> {
  // Literal names, so that a bundler finds each.
  switch (language) {
    case 'danish':
      return import('@orama/stemmers/danish')
    case 'dutch':
      return import('@orama/stemmers/dutch')
    case 'english':
      return import('@orama/stemmers/english')
    case 'finnish':
      return import('@orama/stemmers/finnish')
    case 'french':
      return import('@orama/stemmers/french')
    case 'german':
      return import('@orama/stemmers/german')
    case 'greek':
      return import('@orama/stemmers/greek')
    case 'hungarian':
      return import('@orama/stemmers/hungarian')
    case 'italian':
      return import('@orama/stemmers/italian')
    case 'norwegian':
      return import('@orama/stemmers/norwegian')
    case 'portuguese':
      return import('@orama/stemmers/portuguese')
    case 'romanian':
      return import('@orama/stemmers/romanian')
    case 'russian':
      return import('@orama/stemmers/russian')
    case 'spanish':
      return import('@orama/stemmers/spanish')
    case 'swedish':
      return import('@orama/stemmers/swedish')
    case 'turkish':
      return import('@orama/stemmers/turkish')
    case 'ukrainian':
      return import('@orama/stemmers/ukrainian')
    default:
      throw new GroundlineError('INVALID_ARGUMENT', `there is no stemmer for ${describe(language)}`, {
        details: { argument: 'language', actual: describe(language) },
      })
  }
}
