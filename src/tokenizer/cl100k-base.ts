import type { BytePairTokenizer } from './byte-pair-tokenizer.ts'
import { cl100kSplitter } from './cl100k-splitter.ts'
import {
  type LoadVocabularyOptions,
  loadVocabulary,
  openVocabulary,
  type VocabularyDefinition,
  type VocabularyOptions,
} from './vocabulary.ts'

/**
 * The vocabulary of OpenAI's GPT-4 and GPT-3.5 Turbo and of its text-embedding-3 and ada-002 models.
 *
 * Exact, synchronous, and one shared instance: the table is read when first asked for. Where files cannot be read
 * (browsers), await {@link loadCl100kBase} before, or pass `bytes`. Throws `NOT_FOUND` when there is no table and `CORRUPT_DATA`
 * when it is damaged.
 *
 * @example
 * ```ts
 * import { cl100kBase } from 'groundline/tokenizer/cl100k-base'
 *
 * const tokenizer = cl100kBase()
 * console.log(tokenizer.count('How many tokens is this?'))
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function cl100kBase(options: VocabularyOptions = {}): BytePairTokenizer {
  return openVocabulary(definition(), options)
}

/**
 * {@link cl100kBase}, fetching the table where files cannot be read.
 *
 * @example
 * ```ts
 * import { loadCl100kBase } from 'groundline/tokenizer/cl100k-base'
 *
 * const tokenizer = await loadCl100kBase()
 * console.log(tokenizer.encode('hello world'))
 * ```
 */
export function loadCl100kBase(options: LoadVocabularyOptions = {}): Promise<BytePairTokenizer> {
  return loadVocabulary(definition(), options)
}

function definition(): VocabularyDefinition {
  return {
    id: 'cl100k_base',
    url: new URL('../../vocabularies/cl100k_base.bin', import.meta.url),
    split: cl100kSplitter(),
    additiveAtLines: true,
    specialTokens: new Map([
      ['<|endoftext|>', 100_257],
      ['<|fim_prefix|>', 100_258],
      ['<|fim_middle|>', 100_259],
      ['<|fim_suffix|>', 100_260],
      ['<|endofprompt|>', 100_276],
    ]),
  }
}
