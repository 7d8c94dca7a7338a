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
 * The vocabulary of OpenAI's open-weight gpt-oss models: o200k_base with the special tokens of the harmony format.
 *
 * Exact, synchronous, and one shared instance: the table is read when first asked for. Where files cannot be read
 * (browsers), await {@link loadO200kHarmony} before, or pass `bytes`. Throws `NOT_FOUND` when there is no table and `CORRUPT_DATA`
 * when it is damaged.
 *
 * @example
 * ```ts
 * import { o200kHarmony } from 'groundline/tokenizer/o200k-harmony'
 *
 * const tokenizer = o200kHarmony()
 * console.log(tokenizer.count('How many tokens is this?'))
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function o200kHarmony(options: VocabularyOptions = {}): BytePairTokenizer {
  return openVocabulary(definition(), options)
}

/**
 * {@link o200kHarmony}, fetching the table where files cannot be read.
 *
 * @example
 * ```ts
 * import { loadO200kHarmony } from 'groundline/tokenizer/o200k-harmony'
 *
 * const tokenizer = await loadO200kHarmony()
 * console.log(tokenizer.encode('hello world'))
 * ```
 */
export function loadO200kHarmony(options: LoadVocabularyOptions = {}): Promise<BytePairTokenizer> {
  return loadVocabulary(definition(), options)
}

function definition(): VocabularyDefinition {
  return {
    id: 'o200k_harmony',
    url: new URL('../../vocabularies/o200k_base.bin', import.meta.url),
    split: o200kSplitter(),
    additiveAtLines: true,
    specialTokens: harmonyTokens(),
  }
}

/** In order of id from 199998; ids without a name up to 201087 are reserved, and 200018 has two names. */
function harmonyTokens(): ReadonlyMap<string, number> {
  const named = new Map([
    ['<|startoftext|>', 199_998],
    ['<|endoftext|>', 199_999],
    ['<|return|>', 200_002],
    ['<|constrain|>', 200_003],
    ['<|channel|>', 200_005],
    ['<|start|>', 200_006],
    ['<|end|>', 200_007],
    ['<|message|>', 200_008],
    ['<|call|>', 200_012],
    ['<|endofprompt|>', 200_018],
  ])
  const taken = new Set(named.values())
  for (let id = 200_000; id < 201_088; id++) if (!taken.has(id) || id === 200_018) named.set(`<|reserved_${id}|>`, id)
  return named
}
