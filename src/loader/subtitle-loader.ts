import { GroundlineError } from '../errors.ts'
import { lineStarts } from '../internal/line-starts.ts'
import { decodeText, type TextLoaderOptions } from './decode.ts'
import type { Loader } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'
import { TextBuilder } from './text-builder.ts'
import { whisperCues } from './whisper-cues.ts'

/** One cue of a transcript, with where its words stand in the file. */
export interface SourceCue {
  /** In seconds. */
  readonly startTime: number
  /** In seconds; not before the start. */
  readonly endTime: number
  /** Who speaks, when the file says so. */
  readonly speaker?: string
  /** The words, in stretches that stand in the file. */
  readonly parts: readonly { readonly text: string; readonly start: number; readonly end: number }[]
}

/**
 * Reads SubRip (.srt), WebVTT (.vtt) and Whisper's JSON (segments, or words): a line of text a cue, each a `cue` mark
 * with its times in seconds and its speaker. Markup of cues is left out. Throws `UNSUPPORTED_FORMAT` naming the cue that
 * is malformed.
 *
 * @example
 * ```ts
 * const content = 'WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ann>Hello there'
 * const document = await subtitleLoader().load({ id: 'talk.vtt', content })
 * document.outline // [{ kind: 'cue', start: 0, end: 12, label: 'Ann', startTime: 1, endTime: 2.5 }]
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function subtitleLoader(options: TextLoaderOptions = {}): Loader {
  return {
    id: 'subtitles',
    extensions: ['.srt', '.vtt'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      const original = decodeText(input, options)
      const fail = (cue: number, problem: string): never => {
        throw new GroundlineError('UNSUPPORTED_FORMAT', `${JSON.stringify(input.id)}: cue ${cue} ${problem}`, {
          details: { id: input.id, cue },
        })
      }
      const cues = /^\s*[[{]/.test(original) ? whisperCues(original, input.id, fail) : timedCues(original, fail)
      const builder = new TextBuilder()
      for (const { startTime, endTime, speaker, parts } of cues) {
        const first = parts[0]
        if (first === undefined) continue
        builder.breakBefore(1)
        const times = { kind: 'cue' as const, startTime, endTime, ...(speaker === undefined ? {} : { label: speaker }) }
        const close = builder.open(times, first.start)
        for (const { text, start, end } of parts) builder.append(text, start, end)
        close(speaker)
      }
      return makeDocument(input, {
        text: builder.text,
        outline: builder.marks,
        sourceMap: { pieces: builder.pieces, lineStarts: lineStarts(original) },
      })
    },
  }
}

const TIMES = /^\s*((?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3})\s*-->\s*((?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3})(?:\s.*)?$/

function timedCues(original: string, fail: (cue: number, problem: string) => never): SourceCue[] {
  const starts = lineStarts(original)
  const lineAt = (line: number): string => original.slice(starts[line], starts[line + 1]).replace(/[\r\n]+$/, '')
  const cues: SourceCue[] = []
  let line = 0
  let counted = 0
  if (/^WEBVTT(?:\s|$)/.test(lineAt(0))) while (line < starts.length && lineAt(line).trim() !== '') line += 1
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
    // An identifier or number may stand above the times.
    if (!lineAt(line).includes('-->')) line += 1
    const times = TIMES.exec(line < starts.length ? lineAt(line).slice(0, 500) : '')
    if (times === null) fail(counted, `has no times such as 00:00:01,000 --> 00:00:02,500 at line ${line + 1}`)
    const startTime = seconds(times![1]!)
    const endTime = seconds(times![2]!)
    if (endTime < startTime) fail(counted, `ends before it starts (${times![1]} --> ${times![2]})`)
    line += 1
    const parts: { text: string; start: number; end: number }[] = []
    let speaker: string | undefined
    for (; line < starts.length && lineAt(line).trim() !== ''; line += 1) {
      if (parts.length > 0) parts.push({ text: ' ', start: starts[line]!, end: starts[line]! })
      const found = readCueLine(lineAt(line), starts[line]!, parts)
      speaker ??= found
    }
    cues.push({ startTime, endTime, ...(speaker === undefined ? {} : { speaker }), parts })
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
  for (const match of line.matchAll(/<\/?[a-z0-9][^<>]{0,200}>|\{\\[^{}]{0,100}\}|&(?:amp|lt|gt|nbsp|lrm|rlm);/gi)) {
    push(parts, line.slice(at, match.index), offset + at)
    at = match.index + match[0].length
    const entity = entities.get(match[0])
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
  ['&nbsp;', '\u00a0'],
])

function push(parts: { text: string; start: number; end: number }[], text: string, start: number): void {
  if (text !== '') parts.push({ text, start, end: start + text.length })
}

function seconds(time: string): number {
  const [rest, fraction = ''] = time.split(/[.,]/)
  const whole = rest!.split(':').reduce((total, part) => total * 60 + Number(part), 0)
  return whole + Number(fraction.padEnd(3, '0')) / 1000
}
