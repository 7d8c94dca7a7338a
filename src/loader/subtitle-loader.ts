import { lineStarts } from '../internal/line-starts.ts'
import { subtitleCues } from '../internal/subtitle-cues.ts'
import { decodeText, requireLimits, type TextLoaderOptions } from './decode.ts'
import type { Loader } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'
import { TextBuilder } from './text-builder.ts'

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
  requireLimits({ maxBytes: options.maxBytes })
  return {
    id: 'subtitles',
    extensions: ['.srt', '.vtt'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      const original = decodeText(input, options)
      const cues = subtitleCues(original, input.id)
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
