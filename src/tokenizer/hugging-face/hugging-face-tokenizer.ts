import { GroundlineError } from '../../errors.ts'
import { describe, requireString } from '../../internal/argument.ts'
import type { SpecialTokenOptions } from '../special-tokens.ts'
import type { Tokenizer } from '../tokenizer.ts'
import { type AddedToken, addedTokenCutter, readAddedTokens } from './added-tokens.ts'
import { readDecoder } from './decoders.ts'
import { asObject, member } from './json.ts'
import { readModel } from './model.ts'
import { readNormalizer } from './normalizers.ts'
import { readPostProcessor } from './post-processor.ts'
import { readPreTokenizer } from './pre-tokenizers.ts'

/** A tokenizer made from a Hugging Face `tokenizer.json`. */
export interface HuggingFaceTokenizer extends Tokenizer {
  /** Special tokens and their ids. Ordinary text never yields one, unless allowed or as the frame. */
  readonly specialTokens: ReadonlyMap<string, number>
  /** The token ids of a text, in the file's frame where that was asked for. */
  encode(text: string, options?: SpecialTokenOptions): Uint32Array
  /** The text of token ids, without special tokens. Throws `INVALID_TOKEN` for an id that is not in the vocabulary. */
  decode(tokens: ArrayLike<number>): string
  /** `encode(text, options).length`. */
  count(text: string, options?: SpecialTokenOptions): number
}

/** How a {@link huggingFaceTokenizer} behaves. */
export interface HuggingFaceTokenizerOptions {
  /** Names the vocabulary. Two files of one id should be the same file. */
  readonly id: string
  /**
   * `template` puts the special tokens of the file's post-processor around each text (`[CLS]` … `[SEP]`), as the model sees
   * it; `none` (default) gives the text's own tokens.
   */
  readonly frame?: 'none' | 'template' | undefined
}

/**
 * A tokenizer from the content of a `tokenizer.json`: added tokens, normalizer, pre-tokenizer, model (BPE, WordPiece,
 * Unigram, WordLevel) and decoder as the file says. Truncation and padding that a file asks for are left to the caller.
 * Throws `UNSUPPORTED_FORMAT` for a step that is not implemented and `CORRUPT_DATA` for what is no such file.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { huggingFaceTokenizer } from 'groundline/tokenizer/hugging-face'
 *
 * const file = JSON.parse(await readFile('model/tokenizer.json', 'utf8'))
 * const tokenizer = huggingFaceTokenizer(file, { id: 'intfloat/multilingual-e5-small' })
 * ```
 */
export function huggingFaceTokenizer(file: unknown, options: HuggingFaceTokenizerOptions): HuggingFaceTokenizer {
  requireString('id', options?.id)
  const root = asObject(file, 'the top')
  const normalize = readNormalizer(member(root, 'normalizer'))
  const preTokenize = readPreTokenizer(member(root, 'pre_tokenizer'))
  const decodeSpellings = readDecoder(member(root, 'decoder'))
  const { before, after } =
    options.frame === 'template' ? readPostProcessor(member(root, 'post_processor')) : { before: [], after: [] }
  const added = readAddedTokens(member(root, 'added_tokens'))
  const specialTokens: ReadonlyMap<string, number> = new Map(
    added.filter((token) => token.special).map((token) => [token.content, token.id]),
  )
  const model = readModel(member(root, 'model'), new Set(specialTokens.keys()))
  const cutRaw = addedTokenCutter(added.filter((token) => !token.normalized).map((token) => [token.content, token]))
  const cutNormalized = addedTokenCutter(
    added.filter((token) => token.normalized).map((token) => [normalize(token.content), token]),
  )
  const spellings = new Map<number, string>()
  for (const [token, id] of model.vocabulary) spellings.set(id, token)
  for (const token of added) spellings.set(token.id, token.content)
  const specialIds = new Set(specialTokens.values())

  const encode = (text: string, settings: SpecialTokenOptions | undefined): number[] => {
    requireString('text', text)
    const allowed = allowance(specialTokens, settings?.allowedSpecial)
    const ids = [...before]
    for (const piece of cutRaw(text.toWellFormed(), allowed)) {
      if (piece.id !== undefined) ids.push(piece.id)
      else {
        for (const part of cutNormalized(normalize(piece.text), allowed)) {
          if (part.id !== undefined) ids.push(part.id)
          else {
            for (const word of preTokenize(part.text, piece.start === 0 && part.start === 0)) {
              if (word !== '') model.tokenize(word, ids)
            }
          }
        }
      }
    }
    for (const id of after) ids.push(id)
    return ids
  }

  return {
    id: options.id,
    specialTokens,
    encode: (text, settings) => Uint32Array.from(encode(text, settings)),
    count: (text, settings) => encode(text, settings).length,
    decode(tokens) {
      if (typeof tokens !== 'object' || tokens === null || !Number.isInteger(tokens.length)) {
        throw new GroundlineError('INVALID_ARGUMENT', `tokens must be an array of ids, got ${describe(tokens)}`)
      }
      const words: string[] = []
      for (let index = 0; index < tokens.length; index++) {
        const spelling = spellings.get(tokens[index]!)
        if (spelling === undefined) {
          throw new GroundlineError('INVALID_TOKEN', `${describe(tokens[index])} is not a token of ${options.id}`, {
            details: { token: String(tokens[index]), vocabulary: options.id },
          })
        }
        if (!specialIds.has(tokens[index]!)) words.push(spelling)
      }
      return decodeSpellings(words).join('')
    },
  }
}

function allowance(
  known: ReadonlyMap<string, number>,
  allowed: SpecialTokenOptions['allowedSpecial'],
): (token: AddedToken) => boolean {
  if (allowed === 'all') return () => true
  const unknown = allowed?.find((name) => !known.has(name))
  if (unknown === undefined) return (token) => !token.special || allowed?.includes(token.content) === true
  throw new GroundlineError(
    'INVALID_ARGUMENT',
    `allowedSpecial names ${describe(unknown)}, which this file does not have`,
    {
      details: { specialToken: unknown },
    },
  )
}
