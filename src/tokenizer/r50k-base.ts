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
 * The vocabulary of GPT-2 and of OpenAI's GPT-3 base models.
 *
 * Exact, synchronous, and one shared instance: the table is read when first asked for. Where files cannot be read
 * (browsers), await {@link loadR50kBase} before, or pass `bytes`. Throws `NOT_FOUND` when there is no table and `CORRUPT_DATA`
 * when it is damaged.
 *
 * @example
 * ```ts
 * import { r50kBase } from 'groundline/tokenizer/r50k-base'
 *
 * const tokenizer = r50kBase()
 * console.log(tokenizer.count('How many tokens is this?'))
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function r50kBase(options: VocabularyOptions = {}): BytePairTokenizer {
  return openVocabulary(definition(), options)
}

/**
 * {@link r50kBase}, fetching the table where files cannot be read.
 *
 * @example
 * ```ts
 * import { loadR50kBase } from 'groundline/tokenizer/r50k-base'
 *
 * const tokenizer = await loadR50kBase()
 * console.log(tokenizer.encode('hello world'))
 * ```
 */
export function loadR50kBase(options: LoadVocabularyOptions = {}): Promise<BytePairTokenizer> {
  return loadVocabulary(definition(), options)
}

function definition(): VocabularyDefinition {
  return {
    id: 'r50k_base',
    url: new URL('../../vocabularies/r50k_base.bin', import.meta.url),
    split: splitGpt2,
    specialTokens: new Map([['<|endoftext|>', 50_256]]),
  }
}
