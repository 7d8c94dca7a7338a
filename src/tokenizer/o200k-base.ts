import type { BytePairTokenizer } from './byte-pair-tokenizer.ts'
import { o200kSplitter } from './o200k-splitter.ts'
import {
  type LoadVocabularyOptions,
  loadVocabulary,
  openVocabulary,
  type VocabularyDefinition,
  type VocabularyOptions,
} from './vocabulary.ts'

/**
 * The vocabulary of OpenAI's GPT-4o, GPT-4.1, GPT-5 and o-series models.
 *
 * Exact, synchronous, and one shared instance: the table is read when first asked for. Where files cannot be read
 * (browsers), await {@link loadO200kBase} before, or pass `bytes`. Throws `NOT_FOUND` when there is no table and `CORRUPT_DATA`
 * when it is damaged.
 *
 * @example
 * ```ts
 * import { o200kBase } from 'groundline/tokenizer/o200k-base'
 *
 * const tokenizer = o200kBase()
 * console.log(tokenizer.count('How many tokens is this?'))
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function o200kBase(options: VocabularyOptions = {}): BytePairTokenizer {
  return openVocabulary(definition(), options)
}

/**
 * {@link o200kBase}, fetching the table where files cannot be read.
 *
 * @example
 * ```ts
 * import { loadO200kBase } from 'groundline/tokenizer/o200k-base'
 *
 * const tokenizer = await loadO200kBase()
 * console.log(tokenizer.encode('hello world'))
 * ```
 */
export function loadO200kBase(options: LoadVocabularyOptions = {}): Promise<BytePairTokenizer> {
  return loadVocabulary(definition(), options)
}

function definition(): VocabularyDefinition {
  return {
    id: 'o200k_base',
    url: new URL('../../vocabularies/o200k_base.bin', import.meta.url),
    split: o200kSplitter(),
    additiveAtLines: true,
    specialTokens: new Map([
      ['<|endoftext|>', 199_999],
      ['<|endofprompt|>', 200_018],
    ]),
  }
}
