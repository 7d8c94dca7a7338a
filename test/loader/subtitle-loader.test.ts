import { describe, expect, test } from 'vitest'
import { characterCounter, chunkNotes, transcriptChunker } from '../../src/chunker/index.ts'
import { subtitleLoader, toSource } from '../../src/loader/index.ts'
import { loaderConformance } from '../../src/testing/loader-conformance.ts'

const srt =
  '1\r\n00:00:01,000 --> 00:00:02,500\r\nHello <i>there</i>,\r\nyou.\r\n\r\n2\r\n00:01:00,25 --> 01:00:00,000\r\n{\\an8}Good &amp; bye\r\n'
const vtt =
  'WEBVTT - Talk\n\nNOTE nothing\nhere\n\nintro\n00:01.000 --> 00:02.500 align:start\n<v Ann>Hello there</v>\n\n00:00:03.000 --> 00:00:04.000\n<v.loud Bob Smith>Hi\n'

describe('subtitleLoader', () => {
  for (const { name, run } of loaderConformance({
    create: subtitleLoader,
    sample: { content: srt, contains: 'Hello' },
  }))
    test(name, run)
})

test('SubRip: a line a cue, without markup, with exact times', async () => {
  const { text, outline } = await subtitleLoader().load({ id: 'a.srt', content: srt })
  expect(text).toBe('Hello there, you.\nGood & bye')
  expect(outline).toEqual([
    { kind: 'cue', start: 0, end: 17, startTime: 1, endTime: 2.5 },
    { kind: 'cue', start: 18, end: 28, startTime: 60.25, endTime: 3600 },
  ])
})

test('WebVTT: notes and settings are left out, voices become speakers, spans map back', async () => {
  const document = await subtitleLoader().load({ id: 'a.vtt', content: vtt })
  expect(document.text).toBe('Hello there\nHi')
  expect(document.outline?.map(({ label, startTime, endTime }) => [label, startTime, endTime])).toEqual([
    ['Ann', 1, 2.5],
    ['Bob Smith', 3, 4],
  ])
  const source = toSource(document, { start: 6, end: 11 })
  expect(vtt.slice(source.sourceStart, source.sourceEnd)).toBe('there')
  expect(source).toMatchObject({ line: 8, startTime: 1, endTime: 2.5 })
})

test('Whisper JSON: segments, chunks with a last timestamp of null, and words', async () => {
  const load = async (value: unknown) => {
    const document = await subtitleLoader().load({ id: 'a.json', content: JSON.stringify(value) })
    return document.outline?.map(({ start, end, startTime, endTime, label }) => [
      document.text.slice(start, end),
      startTime,
      endTime,
      label,
    ])
  }
  expect(await load({ text: 'x', segments: [{ id: 0, start: 0.5, end: 2, text: ' Hello.', speaker: 'A' }] })).toEqual([
    ['Hello.', 0.5, 2, 'A'],
  ])
  expect(await load({ chunks: [{ text: 'Hi', timestamp: [1, null] }] })).toEqual([['Hi', 1, 1, undefined]])
  const words = ['Hello', 'there.', 'Bye'].map((word, n) => ({ word, start: n, end: n + 0.5 }))
  expect(await load({ words })).toEqual([
    ['Hello there.', 0, 1.5, undefined],
    ['Bye', 2, 2.5, undefined],
  ])
})

test.each([
  ['1\n00:00:01,000 -> 00:00:02,000\nx\n', 1, 'has no times'],
  ['1\n00:00:01,000 --> 00:00:02,000\nx\n\n2\n00:00:05,000 --> 00:00:04,000\ny\n', 2, 'ends before it starts'],
  ['WEBVTT\n\n00:01.000 --> soon\nx\n', 1, 'has no times'],
  ['1\n00:99:01,000 --> 00:99:02,000\nx\n', 1, 'has no times'],
  ['{"segments":[{"text":"a","start":0,"end":1},{"text":"b"}]}', 2, 'has no start'],
  ['{"segments":[{"text":"a","start":0,"end":1e999}]}', 1, 'has no start and end'],
])('malformed subtitles %j are refused by the cue', async (content, cue, problem) => {
  const loading = subtitleLoader().load({ id: 'a', content })
  await expect(loading).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT', details: { cue } })
  await expect(loading).rejects.toThrow(problem)
})

const cuesOf = async (content: string) => {
  const { text, outline = [] } = await subtitleLoader().load({ id: 'a', content })
  return outline.map(({ start, end, startTime, endTime }) => [text.slice(start, end), startTime, endTime])
}

test('cues without an empty line between them are told apart by their times, and none is lost', async () => {
  const timed = '00:00:01,000 --> 00:00:02,000\nHello\n'
  const later = '00:00:03,000 --> 00:00:04,000\n7\nWorld\n'
  const both = [
    ['Hello', 1, 2],
    ['7 World', 3, 4],
  ]
  expect(await cuesOf(`1\n${timed}2\n${later}`)).toEqual(both)
  expect(await cuesOf(`WEBVTT\n${timed}${later}`)).toEqual(both)
  expect(await cuesOf(`WEBVTT - a talk\nKind: captions\n${timed}\n${later}`)).toEqual(both)
})

test('character references of cues become their characters', async () => {
  const content = 'WEBVTT\n\n00:01.000 --> 00:02.000\nit&#39;s &quot;&#x1F600;&quot; &AMP; &#0;&nope; &apos;x&lrm;\n'
  expect((await cuesOf(content))[0]![0]).toBe('it\'s "😀" & \ufffd&nope; \'x')
})

test('Whisper JSON without a word is an empty text, of equal keys the last counts, and several values are refused', async () => {
  expect(await cuesOf('{"text":"","segments":[],"language":"en"}')).toEqual([])
  const twice =
    '{"segments":[{"text":"no","start":9,"end":9},{"text":"no","start":9,"end":9}],"segments":[{"word":"w","text":"no","start":1,"end":2,"text":"yes"}]}'
  const document = await subtitleLoader().load({ id: 'a.json', content: twice })
  const { sourceStart, sourceEnd } = toSource(document, { start: 0, end: document.text.length })
  expect([document.text, twice.slice(sourceStart, sourceEnd)]).toEqual(['yes', 'yes'])
  await expect(cuesOf('{"segments":[]}\n{"segments":[]}')).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
})

test('words of Whisper JSON that overlap end with the latest, in linear time', async () => {
  const word = (n: number) => `{"word":"w${n}","start":0,"end":${n === 0 ? 5 : 1}}`
  const content = `{"words":[${Array.from({ length: 60_000 }, (_, n) => word(n)).join(',')}]}`
  const [cue, ...others] = await cuesOf(content)
  expect([cue!.slice(1), others]).toEqual([[0, 5], []])
})

test('chunks of a loaded transcript have the times of their cues', async () => {
  const document = await subtitleLoader().load({ id: 'a.vtt', content: vtt })
  const chunks = [...transcriptChunker({ maxTokens: 12, counter: characterCounter() }).chunk(document)]
  expect(chunks.map((chunk) => chunkNotes(chunk))).toEqual([
    { startTime: 1, endTime: 2.5, speakers: ['Ann'] },
    { startTime: 3, endTime: 4, speakers: ['Bob Smith'] },
  ])
})
