import { bpeModel } from './bpe-model.ts'
import { asObject, asString, member, unsupported } from './json.ts'
import { unigramModel } from './unigram-model.ts'
import { wordLevelModel, wordPieceModel } from './word-piece-model.ts'

/** Turns one word into tokens. */
export interface TokenModel {
  /** Vocabulary of the model: token → id. */
  readonly vocabulary: ReadonlyMap<string, number>
  /** Appends the ids of a word. */
  tokenize(word: string, ids: number[]): void
}

/**
 * The model that a file describes. Text never matches the spellings in `special`, even where the vocabulary lists them,
 * as SentencePiece has it for its control symbols. Throws `UNSUPPORTED_FORMAT` for one that is not
 * implemented.
 */
export function readModel(value: unknown, special: ReadonlySet<string>): TokenModel {
  const model = asObject(value, 'model')
  // Files of before 2020 leave the type out.
  const type = asString(member(model, 'type') ?? guessType(model), 'model.type')
  switch (type) {
    case 'BPE':
      return bpeModel(model, special)
    case 'WordPiece':
      return wordPieceModel(model, special)
    case 'WordLevel':
      return wordLevelModel(model, special)
    case 'Unigram':
      return unigramModel(model, special)
    default:
      throw unsupported('the model', type)
  }
}

/** The members that only one model has. */
function guessType(model: { readonly [key: string]: unknown }): string {
  if (member(model, 'merges') !== undefined) return 'BPE'
  if (member(model, 'max_input_chars_per_word') !== undefined) return 'WordPiece'
  return Array.isArray(member(model, 'vocab')) ? 'Unigram' : 'without a type'
}
