import type { Span } from '../document.ts'
import type { PromptWarning } from './prompt-assembler.ts'

const INVISIBLE =
  /\u034f|[\u17b4\u17b5]|[\u180b-\u180d\u180f]|[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu
/** Subdivision flags (England, Scotland, Wales) are spelt with tag characters. */
const FLAG = /\u{1f3f4}[\u{e0020}-\u{e007e}]{2,6}\u{e007f}/gu

/** What an assembler does about invisible and bidirectional control characters in texts that are not instructions. */
export interface InvisibleTreatment {
  /** Spans to leave out of a text, in order. */
  removedFrom(text: string): readonly Span[]
  /** What to say of a text. */
  warnOf(id: string, text: string): readonly PromptWarning[]
}

/** Reports invisible and bidirectional control characters in `Prompt.warnings`, and leaves them where they are. */
// @__NO_SIDE_EFFECTS__
export function flagInvisible(): InvisibleTreatment {
  return {
    removedFrom: () => [],
    warnOf(id, text) {
      const first = findInvisible(text)[0]
      if (first === undefined) return []
      const found = `U+${text.codePointAt(first.start)!.toString(16).toUpperCase().padStart(4, '0')}`
      return [{ id, kind: 'invisible', at: first.start, found }]
    },
  }
}

/** Leaves invisible and bidirectional control characters out of the prompt; the piece table skips their spans. */
// @__NO_SIDE_EFFECTS__
export function stripInvisible(): InvisibleTreatment {
  return { removedFrom: findInvisible, warnOf: () => [] }
}

/**
 * Finds invisible and bidirectional control characters. ZWJ and ZWNJ, which scripts and emoji need, variation selectors
 * after emoji, and the tag characters of flags are not reported.
 */
export function findInvisible(text: string): readonly Span[] {
  if (!/[^\u0000-\u007e]/.test(text)) return []
  const flags: Span[] = []
  for (const match of text.matchAll(FLAG)) flags.push({ start: match.index, end: match.index + match[0].length })
  const found: Span[] = []
  for (const match of text.matchAll(INVISIBLE)) {
    const start = match.index
    if (!flags.some((flag) => flag.start < start && start < flag.end))
      found.push({ start, end: start + match[0].length })
  }
  return found
}
