import type { Span } from '../document.ts'
import type { LedgerPart, PieceOrigin } from './prompt-assembler.ts'

/** A stretch of a segment and where it came from. */
export interface SegmentPiece extends Span {
  /** Where it came from. */
  readonly origin: PieceOrigin
}

/** A text that is counted by itself and joined to others only at additive boundaries. */
export interface Segment {
  /** What its tokens are booked on. */
  readonly part: LedgerPart
  /** The text. */
  readonly text: string
  /** Covers the text without gaps. */
  readonly pieces: readonly SegmentPiece[]
  /** Its tokens, once they were counted, for segments that are met again. */
  readonly memo?: { tokens: number | undefined }
}

const TEMPLATE: PieceOrigin = { type: 'template' }

/** Collects text with its origins. Adjacent template text becomes one piece. */
export interface SegmentWriter {
  /** Adds text; without an origin it is the assembler's own. */
  write(text: string, origin?: PieceOrigin): void
  /** The segment written so far. */
  finish(part: LedgerPart): Segment
}

/** Tokens of a segment, counted where nothing is remembered. */
export function segmentTokens(segment: Segment, count: (text: string) => number): number {
  if (segment.memo === undefined) return count(segment.text)
  segment.memo.tokens ??= count(segment.text)
  return segment.memo.tokens
}

/** An empty writer. */
export function segmentWriter(): SegmentWriter {
  let text = ''
  const pieces: { start: number; end: number; origin: PieceOrigin }[] = []
  return {
    write(added, origin = TEMPLATE) {
      if (added === '') return
      const last = pieces.at(-1)
      const start = text.length
      text += added
      if (last !== undefined && last.origin.type === 'template' && origin.type === 'template') last.end = text.length
      else pieces.push({ start, end: text.length, origin })
    },
    finish(part) {
      return { part, text, pieces }
    },
  }
}
