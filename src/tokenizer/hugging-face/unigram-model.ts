import { asArray, asFlag, asId, asString, type JsonObject, malformed, member } from './json.ts'
import type { TokenModel } from './model.ts'

/** What an unknown character costs beyond the least likely piece. */
const UNKNOWN_PENALTY = 10

/**
 * Unigram (SentencePiece): the segmentation of a word with the greatest sum of log-probabilities, by Viterbi over the
 * pieces that start at each character; of equals the one found first. Neighbouring unknown characters are one token.
 * O(n × longest piece).
 */
export function unigramModel(model: JsonObject, special: ReadonlySet<string>): TokenModel {
  const pieces = asArray(member(model, 'vocab'), 'model.vocab')
  const vocabulary = new Map<string, number>()
  const scores = new Float64Array(pieces.length)
  /** Longest piece by its first character, in UTF-16 units. */
  const longest = new Map<number, number>()
  let least = Number.POSITIVE_INFINITY
  pieces.forEach((entry, id) => {
    const where = `model.vocab[${id}]`
    const [piece, score] = asArray(entry, where)
    const text = asString(piece, where)
    if (typeof score !== 'number') throw malformed(where, 'a piece and its score', entry)
    vocabulary.set(text, id)
    scores[id] = score
    least = Math.min(least, score)
    const first = text.codePointAt(0) ?? -1
    longest.set(first, Math.max(longest.get(first) ?? 0, text.length))
  })
  const given = member(model, 'unk_id')
  const unknown = given === undefined || given === null ? undefined : asId(given, 'model.unk_id')
  if (unknown !== undefined && unknown >= pieces.length)
    throw malformed('model.unk_id', 'an id of the vocabulary', given)
  const byteFallback = asFlag(member(model, 'byte_fallback'), 'model.byte_fallback', false)
  const utf8 = new TextEncoder()

  const unknownIds = (text: string): number[] => {
    if (byteFallback) {
      const ids = Array.from(utf8.encode(text), (byte) =>
        vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
      )
      if (ids.every((id) => id !== undefined)) return ids
    }
    if (unknown === undefined) throw malformed('model.unk_id', `an id for ${JSON.stringify(text.slice(0, 8))}`, given)
    return [unknown]
  }

  return {
    vocabulary,
    tokenize(word, ids) {
      const length = word.length
      const scoreAt = new Float64Array(length + 1)
      const startOf = new Int32Array(length + 1).fill(-1)
      const idAt = new Int32Array(length + 1)
      const offer = (start: number, end: number, id: number, score: number) => {
        if (startOf[end] !== -1 && score <= scoreAt[end]!) return
        startOf[end] = start
        scoreAt[end] = score
        idAt[end] = id
      }
      for (let start = 0; start < length; ) {
        const point = word.codePointAt(start)!
        const width = point > 0xffff ? 2 : 1
        const most = Math.min(longest.get(point) ?? 0, length - start)
        let single = false
        for (let size = width; size <= most; size++) {
          const piece = word.slice(start, start + size)
          const id = vocabulary.get(piece)
          if (id === undefined || special.has(piece)) continue
          offer(start, start + size, id, scores[id]! + scoreAt[start]!)
          if (size === width) single = true
        }
        if (!single) offer(start, start + width, -1, least - UNKNOWN_PENALTY + scoreAt[start]!)
        start += width
      }

      const found: number[][] = []
      for (let end = length; end > 0; ) {
        let start = startOf[end]!
        if (idAt[end] === -1 || idAt[end] === unknown) {
          while (start > 0 && (idAt[start] === -1 || idAt[start] === unknown)) start = startOf[start]!
          found.push(unknownIds(word.slice(start, end)))
        } else found.push([idAt[end]!])
        end = start
      }
      for (let index = found.length - 1; index >= 0; index--) for (const id of found[index]!) ids.push(id)
    },
  }
}
