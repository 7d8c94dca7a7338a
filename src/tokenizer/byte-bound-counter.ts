import { requireString } from '../internal/argument.ts'
import type { LocalTokenCounter } from './tokenizer.ts'

/**
 * Counts UTF-8 bytes: for a byte-level vocabulary, where a token is one byte at least, never less than the tokens. About
 * four times too many for English. It says nothing of tokens that a provider adds, nor of vocabularies that add
 * characters before they tokenize (SentencePiece's leading space).
 *
 * @example
 * ```ts
 * import { byteBoundCounter } from 'groundline/tokenizer'
 *
 * console.log(byteBoundCounter().count('naïve')) // 6
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function byteBoundCounter(): LocalTokenCounter {
  return {
    id: 'utf8-bytes',
    kind: 'bound',
    additiveAtLines: true,
    count(text) {
      requireString('text', text)
      let bytes = text.length
      for (let index = 0; index < text.length; index++) {
        const unit = text.charCodeAt(index)
        if (unit >= 0x80) bytes++
        if (unit < 0x800) continue
        bytes++
        // A pair of surrogates is 4 bytes for 2 units; a lone one counts as the 3 bytes of U+FFFD.
        if (isPair(text, index)) index++
      }
      return bytes
    },
  }
}

function isPair(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00
}
