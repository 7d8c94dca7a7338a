import fc from 'fast-check'
import { expect, test } from 'vitest'
import { characterCounter, chunkNotes, transcriptChunker } from '../../src/chunker/index.ts'
import type { Document } from '../../src/index.ts'
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

describeLaws('transcriptChunker', transcriptChunker)
describeLaws('transcriptChunker on cues', transcriptChunker, { documents: randomCues })

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
})
