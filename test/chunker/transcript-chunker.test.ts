import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { characterCounter, chunkNotes, transcriptChunker } from '../../src/chunker/index.ts'
import type { Document } from '../../src/index.ts'
import { subtitleLoader } from '../../src/loader/index.ts'
import { hostileText } from './hostile-text.ts'
import { describeLaws } from './laws.ts'

/** A document with a cue for each of some texts. */
function transcript(cues: readonly { text: string; speaker?: string; startTime: number; endTime: number }[]): Document {
  let text = ''
  const outline = cues.map(({ text: words, speaker, startTime, endTime }) => {
    const start = text.length
    text += `${words}\n`
    return {
      kind: 'cue' as const,
      start,
      end: text.length,
      startTime,
      endTime,
      ...(speaker === undefined ? {} : { label: speaker }),
    }
  })
  return { id: 'talk', text, outline }
}

const randomCues = fc
  .array(fc.tuple(hostileText, fc.constantFrom('A', 'B')), { maxLength: 6 })
  .map((cues) =>
    transcript(cues.map(([text, speaker], n) => ({ text, speaker, startTime: n * 2, endTime: n * 2 + 1.5 }))),
  )

describeLaws('transcriptChunker on cues', transcriptChunker, { documents: randomCues })

const rawSubRip = fc.array(hostileText, { maxLength: 6 }).map((texts) => ({
  id: 'talk.srt',
  text: texts
    .map((text, n) => {
      const words = text.replace(/[\r\n]+|-->/g, ' ').trim() || 'x'
      return `${n + 1}\r\n00:00:0${n},000 --> 00:00:0${n},900\r\n${words}\r\n\r\n`
    })
    .join(''),
}))
describeLaws('transcriptChunker on SubRip as it is', transcriptChunker, { documents: rawSubRip })

const cues = Array.from({ length: 12 }, (_, n) => ({ start: n * 2.5, end: n * 2.5 + 2, text: `Words of cue ${n}.` }))
const stamp = (seconds: number, mark: string): string =>
  `00:00:${String(Math.floor(seconds)).padStart(2, '0')}${mark}${String((seconds % 1) * 1000).padEnd(3, '0')}`
const forms: Record<string, string> = {
  SubRip: cues
    .map(({ start, end, text }, n) => `${n + 1}\n${stamp(start, ',')} --> ${stamp(end, ',')}\n${text}\n`)
    .join('\n'),
  WebVTT: `WEBVTT\n\n${cues.map(({ start, end, text }) => `${stamp(start, '.')} --> ${stamp(end, '.')}\n<v Ann>${text}\n`).join('\n')}`,
  'Whisper segments': JSON.stringify({ text: 'x', segments: cues }),
  'Whisper chunks': JSON.stringify({ chunks: cues.map(({ start, end, text }) => ({ text, timestamp: [start, end] })) }),
  'Whisper words': JSON.stringify({
    words: cues.map(({ start, end, text }) => ({ word: text, start, end })),
  }),
}

describe.each(Object.keys(forms))('%s', (form) => {
  const raw = { id: 'talk', text: forms[form]! }
  test.each(['as it is', 'loaded'])('%s: times of each chunk are exactly those of its cues', async (way) => {
    const document = way === 'loaded' ? await subtitleLoader().load({ id: 'talk', content: raw.text }) : raw
    for (const maxTokens of way === 'loaded' ? [30, 60, 150] : [60, 90, 250]) {
      const chunks = [...transcriptChunker({ maxTokens, counter: characterCounter() }).chunk(document)]
      expect(chunks.length).toBeGreaterThan(1)
      for (const chunk of chunks) {
        const held = cues.filter(({ text }) => {
          const at = document.text.indexOf(text)
          return at < chunk.end && at + text.length > chunk.start
        })
        if (held.length === 0) continue
        const { startTime, endTime } = chunkNotes(chunk)
        expect([startTime, endTime]).toEqual([held[0]!.start, held.at(-1)!.end])
      }
    }
  })
})

test('cues that overlap in time give the earliest start and the latest end', () => {
  const text = '1\n00:00:01,000 --> 00:00:09,000\nLong one.\n\n2\n00:00:00,500 --> 00:00:02,000\nShort one.\n'
  const [chunk] = transcriptChunker().chunk({ id: 'd', text })
  expect(chunkNotes(chunk!)).toEqual({ startTime: 0.5, endTime: 9 })
})

test.each([
  ['1\n00:00:01,000 -> 00:00:02,000\nx\n', 1],
  ['1\n00:00:01,000 --> 00:00:02,000\nx\n\n2\n00:00:05,000 --> 00:00:04,000\ny\n', 2],
  ['{"segments":[{"text":"a","start":0,"end":1},{"text":"b"}]}', 2],
])('malformed subtitles %j are refused by the cue', (text, cue) => {
  expect(() => [...transcriptChunker().chunk({ id: 'd', text })]).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED_FORMAT', details: expect.objectContaining({ cue }) }),
  )
})

test('times are exactly those of the first and last cue, also inside a long cue', () => {
  const document = transcript(
    Array.from({ length: 40 }, (_, n) => ({
      text: `This is cue number ${n}.`,
      startTime: n * 3.25,
      endTime: n * 3.25 + 3,
    })),
  )
  for (const maxTokens of [10, 60, 200]) {
    for (const chunk of transcriptChunker({ maxTokens, counter: characterCounter() }).chunk(document)) {
      const touched = document.outline!.filter(({ start, end }) => start < chunk.end && end > chunk.start)
      expect(chunkNotes(chunk).startTime).toBe(touched[0]!.startTime)
      expect(chunkNotes(chunk).endTime).toBe(touched.at(-1)!.endTime)
    }
  }
})

test('a change of speaker and a pause are the best places to cut', () => {
  const document = transcript([
    { text: 'I think so, yes.', speaker: 'Ann', startTime: 0, endTime: 2 },
    { text: 'And then some more.', speaker: 'Ann', startTime: 2, endTime: 4 },
    { text: 'I do not agree at all.', speaker: 'Bob', startTime: 4, endTime: 6 },
    { text: 'Not in the least.', speaker: 'Bob', startTime: 9, endTime: 11 },
  ])
  const chunks = [...transcriptChunker({ maxTokens: 62, counter: characterCounter() }).chunk(document)]
  expect(chunks.map((chunk) => chunkNotes(chunk).speakers)).toEqual([['Ann'], ['Bob']])
})

test('dialogue without cues is cut between turns', () => {
  const text = 'Ann: Hello there, Bob, how are you?\nBob Smith: Fine, thanks: very well.\n[00:12] Ann: Good to hear.\n'
  const chunks = [...transcriptChunker({ maxTokens: 45, counter: characterCounter() }).chunk({ id: 'd', text })]
  expect(chunks.map((chunk) => chunkNotes(chunk).speakers)).toEqual([['Ann'], ['Bob Smith'], ['Ann']])
  expect(chunks.map((chunk) => chunkNotes(chunk).startTime)).toEqual([undefined, undefined, 12])
})
