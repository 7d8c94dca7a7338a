import type { Span } from '../document.ts'
import type { Prompt, PromptPiece } from './prompt-assembler.ts'

/** A place in a prompt. */
export interface LocatedPiece extends Span {
  /** Index of the message; `start`–`end` is a span of its content. */
  readonly message: number
  /** The piece it lies in. */
  readonly piece: PromptPiece
}

/** The piece that a unit of a message lies in; undefined beyond its end. Logarithmic in the number of pieces. */
export function locatePiece(prompt: Prompt, message: number, offset: number): PromptPiece | undefined {
  const { pieces } = prompt
  let [low, high] = [0, pieces.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const piece = pieces[middle]!
    if (piece.message < message || (piece.message === message && piece.end <= offset)) low = middle + 1
    else high = middle
  }
  const piece = pieces[low]
  return piece !== undefined && piece.message === message && piece.start <= offset ? piece : undefined
}

/**
 * Where the prompt shows a span of a document: the way back from source to output. A part for each verbatim piece that
 * meets the span, cut to it; an escaped piece whole.
 */
export function locateSource(prompt: Prompt, documentId: string, span: Span): readonly LocatedPiece[] {
  const found: LocatedPiece[] = []
  for (const piece of prompt.pieces) {
    const { origin, message } = piece
    if (origin.type !== 'source' || origin.documentId !== documentId) continue
    if (origin.start >= span.end || origin.end <= span.start) continue
    const verbatim = origin.form === 'verbatim'
    const start = verbatim ? piece.start + Math.max(span.start - origin.start, 0) : piece.start
    const end = verbatim ? piece.end - Math.max(origin.end - span.end, 0) : piece.end
    found.push({ message, start, end, piece })
  }
  return found
}
