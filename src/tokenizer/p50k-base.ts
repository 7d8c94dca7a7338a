import type { BytePairTokenizer } from './byte-pair-tokenizer.ts'
import { splitGpt2 } from './split-gpt2.ts'
import {
  type LoadVocabularyOptions,
  loadVocabulary,
  openVocabulary,
  type VocabularyDefinition,
  type VocabularyOptions,
} from './vocabulary.ts'

/**
 * The vocabulary of OpenAI's text-davinci-002 and -003 and its code models.
 *
 * Exact, synchronous, and one shared instance: the table is read when first asked for. Where files cannot be read
 * (browsers), await {@link loadP50kBase} before, or pass `bytes`. Throws `NOT_FOUND` when there is no table and `CORRUPT_DATA`
 * when it is damaged.
 *
 * @example
 * ```ts
 * import { p50kBase } from 'groundline/tokenizer/p50k-base'
 *
 * const tokenizer = p50kBase()
 * console.log(tokenizer.count('How many tokens is this?'))
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function p50kBase(options: VocabularyOptions = {}): BytePairTokenizer {
  return openVocabulary(definition(), options)
}

/**
 * {@link p50kBase}, fetching the table where files cannot be read.
 *
 * @example
 * ```ts
 * import { loadP50kBase } from 'groundline/tokenizer/p50k-base'
 *
 * const tokenizer = await loadP50kBase()
 * console.log(tokenizer.encode('hello world'))
 * ```
 */
export function loadP50kBase(options: LoadVocabularyOptions = {}): Promise<BytePairTokenizer> {
  return loadVocabulary(definition(), options)
}

function definition(): VocabularyDefinition {
  return {
    id: 'p50k_base',
    url: new URL('../../vocabularies/p50k_base.bin', import.meta.url),
    split: splitGpt2,
    specialTokens: new Map([['<|endoftext|>', 50_256]]),
  }
}
