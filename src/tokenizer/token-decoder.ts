import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'

/** Turns a stream of tokens into text as it comes, whole characters only. */
export interface TokenDecoder {
  /** The text that these tokens complete. Bytes of an unfinished character wait for the next call. */
  push(tokens: ArrayLike<number>): string
  /** The text of what still waits: U+FFFD where the stream ended inside a character. The decoder starts anew. */
  end(): string
}

/** A decoder over the bytes of single tokens. */
// @__NO_SIDE_EFFECTS__
export function createTokenDecoder(bytesOf: (token: number) => Uint8Array): TokenDecoder {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  return {
    push(tokens) {
      if (typeof tokens !== 'object' || tokens === null || !Number.isInteger(tokens.length)) {
        throw new GroundlineError('INVALID_ARGUMENT', `tokens must be an array of ids, got ${describe(tokens)}`)
      }
      let text = ''
      const pieces = Array.from(tokens, bytesOf)
      for (const bytes of pieces) text += utf8.decode(bytes, { stream: true })
      return text
    },
    end: () => utf8.decode(),
  }
}
