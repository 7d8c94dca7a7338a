import { GroundlineError } from '../errors.ts'
import { lineStarts } from './line-starts.ts'
import { whisperCues } from './whisper-cues.ts'

/** One cue of a transcript, with where its words stand in the file. */
export interface SourceCue {
  /** First unit of all that belongs to it in the file: its number, its times. */
  readonly start: number
  /** One past the last unit. */
  readonly end: number
  /** In seconds. */
  readonly startTime: number
  /** In seconds; not before the start. */
  readonly endTime: number
  /** Who speaks, when the file says so. */
  readonly speaker?: string
  /** The words, in stretches that stand in the file. */
  readonly parts: readonly { readonly text: string; readonly start: number; readonly end: number }[]
}

/** Refuses a cue, counted from 1. */
export type CueFault = (cue: number, problem: string) => never

/** The cues of SubRip, WebVTT or Whisper's JSON. Throws `UNSUPPORTED_FORMAT` naming the cue that is malformed. */
export function subtitleCues(original: string, id: string): SourceCue[] {
  const fail: CueFault = (cue, problem) => {
    throw new GroundlineError('UNSUPPORTED_FORMAT', `${JSON.stringify(id)}: cue ${cue} ${problem}`, {
      details: { id, cue },
    })
  }
  return /^\s*[[{]/.test(original) ? whisperCues(original, id, fail) : timedCues(original, fail)
}

/**
 * Whether a text is meant as one of these formats: a WebVTT header, an arrow between times within its first two lines, or
 * JSON with a member of Whisper's. What is meant so and malformed is an error, not a text.
 */
export function looksLikeSubtitles(text: string): boolean {
  const head = text.slice(0, 1000).trimStart()
  if (/^(?:\{|\[\s*\{)/.test(head)) return /"(?:segments|chunks|words|timestamp|start)"\s*:/.test(text)
  return /^WEBVTT(?:\s|$)/.test(head) || head.split(/\r\n?|\n/, 2).some((line) => /^\s*\d[\d:.,]*\s*-+>/.test(line))
}

/** Minutes go to 59 below hours. */
const TIMES =
  /^\s*((?:\d{1,3}:[0-5]?\d|\d{1,2}):[0-5]\d[.,]\d{1,3})\s*-->\s*((?:\d{1,3}:[0-5]?\d|\d{1,2}):[0-5]\d[.,]\d{1,3})(?:\s.*)?$/

function timedCues(original: string, fail: CueFault): SourceCue[] {
  const starts = lineStarts(original)
  const lineAt = (line: number): string => original.slice(starts[line], starts[line + 1]).replace(/[\r\n]+$/, '')
  const timesAt = (line: number): RegExpExecArray | null =>
    line < starts.length && lineAt(line).includes('-->') ? TIMES.exec(lineAt(line).slice(0, 500)) : null
  // Where no empty line parts two cues, the times part them, and a number above the times belongs to the second.
  const beginsNext = (line: number): boolean =>
    timesAt(line) !== null || (/^\s*\d{1,9}\s*$/.test(lineAt(line)) && timesAt(line + 1) !== null)
  const cues: SourceCue[] = []
  let line = 0
  let counted = 0
  if (/^WEBVTT(?:\s|$)/.test(lineAt(0)))
    while (line < starts.length && lineAt(line).trim() !== '' && timesAt(line) === null) line += 1
  while (line < starts.length) {
    if (lineAt(line).trim() === '') {
      line += 1
      continue
    }
    if (/^(?:NOTE|STYLE|REGION)(?:\s|$)/.test(lineAt(line))) {
      while (line < starts.length && lineAt(line).trim() !== '') line += 1
      continue
    }
    counted += 1
    const start = starts[line]!
    // An identifier or number may stand above the times.
    if (!lineAt(line).includes('-->')) line += 1
    const times = timesAt(line)
    if (times === null) fail(counted, `has no times such as 00:00:01,000 --> 00:00:02,500 at line ${line + 1}`)
    const startTime = seconds(times![1]!)
    const endTime = seconds(times![2]!)
    if (endTime < startTime) fail(counted, `ends before it starts (${times![1]} --> ${times![2]})`)
    line += 1
    const parts: { text: string; start: number; end: number }[] = []
    let speaker: string | undefined
    for (; line < starts.length && lineAt(line).trim() !== '' && !beginsNext(line); line += 1) {
      if (parts.length > 0) parts.push({ text: ' ', start: starts[line]!, end: starts[line]! })
      const found = readCueLine(lineAt(line), starts[line]!, parts)
      speaker ??= found
    }
    cues.push({
      start,
      end: starts[line] ?? original.length,
      startTime,
      endTime,
      ...(speaker === undefined ? {} : { speaker }),
      parts,
    })
  }
  if (cues.length === 0 && original.trim() !== '' && !original.startsWith('WEBVTT'))
    fail(1, 'is missing: no cue was found')
  return cues
}

/** Adds the words of a line without its markup, and gives the speaker of a WebVTT voice tag. */
function readCueLine(
  line: string,
  offset: number,
  parts: { text: string; start: number; end: number }[],
): string | undefined {
  let speaker: string | undefined
  let at = 0
  for (const match of line.matchAll(
    /<\/?[a-z0-9][^<>]{0,200}>|\{\\[^{}]{0,100}\}|&(?:amp|lt|gt|quot|apos|nbsp|lrm|rlm|#\d{1,7}|#x[\da-f]{1,6});/gi,
  )) {
    push(parts, line.slice(at, match.index), offset + at)
    at = match.index + match[0].length
    const entity = match[0].startsWith('&#') ? numbered(match[0]) : entities.get(match[0].toLowerCase())
    if (entity !== undefined) parts.push({ text: entity, start: offset + match.index, end: offset + at })
    speaker ??= /^<v(?:\.[^\s>]*)?\s+([^>]+)>$/i.exec(match[0])?.[1]?.trim()
  }
  push(parts, line.slice(at), offset + at)
  return speaker
}

const entities: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&apos;', "'"],
  ['&nbsp;', '\u00a0'],
])

/** The character of `&#39;` or `&#x27;`; U+FFFD for a number that is none. */
function numbered(reference: string): string {
  const code = Number(reference.slice(2, -1).replace(/^x/i, '0x'))
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : '\ufffd'
}

function push(parts: { text: string; start: number; end: number }[], text: string, start: number): void {
  if (text !== '') parts.push({ text, start, end: start + text.length })
}

function seconds(time: string): number {
  const [rest, fraction = ''] = time.split(/[.,]/)
  const whole = rest!.split(':').reduce((total, part) => total * 60 + Number(part), 0)
  // One division of whole numbers: a sum of fractions would be off in the last place.
  return (whole * 1000 + Number(fraction.padEnd(3, '0'))) / 1000
}
