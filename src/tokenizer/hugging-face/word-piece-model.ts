import { asString, asVocabulary, type JsonObject, malformed, member } from './json.ts'
import type { TokenModel } from './model.ts'

/**
 * WordPiece: from the left the longest piece of the vocabulary, pieces inside a word under a prefix (`##`). A word with a
 * stretch that has no piece, or of more than `max_input_chars_per_word` characters, is one unknown token.
 */
export function wordPieceModel(model: JsonObject, special: ReadonlySet<string>): TokenModel {
  const vocabulary = asVocabulary(member(model, 'vocab'), 'model.vocab')
  const prefix = asString(member(model, 'continuing_subword_prefix') ?? '##', 'model.continuing_subword_prefix')
  const limit = member(model, 'max_input_chars_per_word') ?? 100
  if (typeof limit !== 'number') throw malformed('model.max_input_chars_per_word', 'a number', limit)
  const unknown = unknownOf(model, vocabulary)

  return {
    vocabulary,
    tokenize(word, ids) {
      const characters = Array.from(word)
      if (characters.length > limit) {
        ids.push(unknown())
        return
      }
      const first = ids.length
      for (let start = 0; start < characters.length; ) {
        let end = characters.length
        let id: number | undefined
        for (; end > start && id === undefined; end--) {
          const piece = (start > 0 ? prefix : '') + characters.slice(start, end).join('')
          id = special.has(piece) ? undefined : vocabulary.get(piece)
        }
        if (id === undefined) {
          ids.length = first
          ids.push(unknown())
          return
        }
        ids.push(id)
        start = end + 1
      }
    },
  }
}

/** One token a word. */
export function wordLevelModel(model: JsonObject, special: ReadonlySet<string>): TokenModel {
  const vocabulary = asVocabulary(member(model, 'vocab'), 'model.vocab')
  const unknown = unknownOf(model, vocabulary)
  return {
    vocabulary,
    tokenize: (word, ids) => void ids.push((special.has(word) ? undefined : vocabulary.get(word)) ?? unknown()),
  }
}

/** The unknown token's id. That the vocabulary lacks it shows only when it is needed, as in the reference. */
function unknownOf(model: JsonObject, vocabulary: ReadonlyMap<string, number>): () => number {
  const token = asString(member(model, 'unk_token') ?? '[UNK]', 'model.unk_token')
  return () => {
    const id = vocabulary.get(token)
    if (id === undefined) throw malformed('model.vocab', `the unknown token ${token}`, undefined)
    return id
  }
}
