import type { Document, Mark } from '../document.ts'
import { isPlainBoundary } from '../internal/grapheme.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { looksLikeSubtitles, subtitleCues } from '../internal/subtitle-cues.ts'
import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { BreakList, breakLevel } from './break-list.ts'
import type { ChunkNotes } from './chunk-notes.ts'
import { type ChunkLimits, resolveLimits } from './limits.ts'
import { addTextBreaks } from './text-breaks.ts'

/** A silence this long, in seconds, is as good as a paragraph. */
const PAUSE = 2
const insideCue = { line: breakLevel.word, paragraph: breakLevel.clause, words: true }

/**
 * Cuts transcripts between cues: where the speaker changes or pauses first, then where a cue ends a sentence. Start and
 * end time of a chunk are those of its cues, in `metadata.chunk`, with its speakers. Cues are the `cue` marks of a document
 * from `subtitleLoader`, whose text is the words alone. A document without them may hold SubRip, WebVTT or Whisper's JSON
 * as it is, cut between cues with all their markup, or dialogue: `Name: words` a line, with or without `[mm:ss]` before
 * it. Throws `UNSUPPORTED_FORMAT` naming the cue that is malformed, when the first chunk is asked for.
 *
 * @example
 * ```ts
 * const document = await subtitleLoader().load({ id: 'talk.vtt', content })
 * const [first] = transcriptChunker({ maxTokens: 256 }).chunk(document)
 * chunkNotes(first).startTime // 0.5
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function transcriptChunker(options: ChunkLimits = {}): BoundaryChunker {
  const limits = resolveLimits(options)
  return boundaryChunker('transcript', limits, {}, (document) => {
    const { text } = document
    const cues = cuesOf(document)
    return {
      breaks: cueBreaks(text, cues),
      annotate: ({ start, end }) => {
        const last = lastAtMost(cues, end - 1, (cue) => cue.start)
        let first = Math.max(
          0,
          lastAtMost(cues, start, (cue) => cue.start),
        )
        if (first < last && cues[first]!.end <= start) first += 1
        return last < 0 ? {} : { notes: cueNotes(cues, first, last) }
      },
    }
  })
}

function cuesOf({ id, text, outline = [] }: Document): readonly Mark[] {
  const cues = outline.filter(
    ({ kind, start, end }) =>
      kind === 'cue' && start >= 0 && end <= text.length && (start === 0 || isPlainBoundary(text, start)),
  )
  if (cues.length > 0) return cues.toSorted((a, b) => a.start - b.start)
  if (!looksLikeSubtitles(text)) return dialogue(text)
  return subtitleCues(text, id).map(({ parts: _, speaker, ...cue }) => ({
    kind: 'cue',
    ...cue,
    ...(speaker === undefined ? {} : { label: speaker }),
  }))
}

/** Turns of a dialogue: lines that begin with a name of up to four words and a colon. */
function dialogue(text: string): Mark[] {
  const turns: { kind: 'cue'; start: number; end: number; label: string; startTime?: number }[] = []
  for (const match of text.matchAll(
    /^(?:\[?(\d{1,2}(?::\d{2}){1,2})\]?[ \t]+)?(\p{Lu}[\p{L}\p{M}\p{N}.'’_-]{0,30}(?:[ \t][\p{L}\p{N}.'’_()-]{1,30}){0,3}):[ \t]/gmu,
  )) {
    const start = match.index
    if (start > 0 && !isPlainBoundary(text, start)) continue
    if (turns.length > 0) turns[turns.length - 1]!.end = start
    const startTime = match[1]?.split(':').reduce((total, part) => total * 60 + Number(part), 0)
    const time = startTime === undefined ? {} : { startTime }
    turns.push({ kind: 'cue', start, end: text.length, label: match[2]!, ...time })
  }
  return turns
}

function cueBreaks(text: string, cues: readonly Mark[]): BreakList {
  const breaks = new BreakList()
  let at = 0
  for (const [index, cue] of cues.entries()) {
    addTextBreaks(breaks, text, at, cue.start, insideCue)
    breaks.add(cue.start, levelBetween(text, cues[index - 1], cue))
    at = cue.start
  }
  addTextBreaks(breaks, text, at, text.length, insideCue)
  breaks.end(text.length)
  return breaks
}

function levelBetween(text: string, before: Mark | undefined, cue: Mark): number {
  if (before === undefined || before.label !== cue.label) return breakLevel.paragraph
  if (before.endTime !== undefined && cue.startTime !== undefined && cue.startTime - before.endTime >= PAUSE)
    return breakLevel.paragraph
  const tail = text.slice(Math.max(0, cue.start - 8), cue.start).trimEnd()
  return /[.!?…。！？]["'”’)]*$/.test(tail) ? breakLevel.line : breakLevel.sentence
}

/** Cues may overlap: the first to start and the last to end need not be the first and the last of the text. */
function cueNotes(cues: readonly Mark[], first: number, last: number): ChunkNotes {
  const speakers = new Set<string>()
  let startTime = Number.POSITIVE_INFINITY
  let endTime = Number.NEGATIVE_INFINITY
  for (const cue of cues.slice(first, last + 1)) {
    if (cue.label !== undefined && cue.label !== '') speakers.add(cue.label)
    startTime = Math.min(startTime, cue.startTime ?? startTime)
    endTime = Math.max(endTime, cue.endTime ?? endTime)
  }
  return {
    ...(Number.isFinite(startTime) ? { startTime } : {}),
    ...(Number.isFinite(endTime) ? { endTime } : {}),
    ...(speakers.size === 0 ? {} : { speakers: [...speakers] }),
  }
}
