import { describe, expect, test } from 'vitest'
import { type ChunkCounter, type Chunker, characterCounter } from '../../src/chunker/index.ts'
import { adversarialTexts } from './adversarial-texts.ts'
import { realCounters } from './counters.ts'
import { everyChunker } from './every-chunker.ts'

const nightly = process.env.GROUNDLINE_NIGHTLY !== undefined
const timeout = nightly ? 7_200_000 : 120_000
const drain = async (chunker: Chunker, text: string): Promise<void> => {
  for await (const _ of chunker.chunk({ id: 'd', text }));
}

/** Counts as `base` does, and adds up how many units it was asked to look at: time that no other work can falsify. */
function meter(base: (text: string) => number, spans: boolean): { counter: ChunkCounter; units: () => number } {
  let units = 0
  const count = (text: string): number => {
    units += text.length
    return base(text)
  }
  const counter = { id: 'metered', count }
  const slices = (text: string) => ({ count: (start: number, end: number) => count(text.slice(start, end)) })
  return { counter: spans ? { ...counter, spans: slices } : counter, units: () => units }
}

const bases: Record<string, (text: string) => number> = {
  'a token a byte': (text) => new TextEncoder().encode(text).length,
  'a token four units': (text) => Math.ceil(text.length / 4),
  'a token a word, however long': (text) => text.match(/\S+/g)?.length ?? 0,
  'a token more for the frame': (text) => Math.ceil(text.length / 3) + 2,
  'a token a hundred units': (text) => Math.ceil(text.length / 100),
}

/** Says what is wrong where twice the text has more than twice as much counted. */
async function excess(
  chunker: (counter: ChunkCounter) => Chunker,
  make: (n: number) => string,
  size: number,
  meters: () => ReturnType<typeof meter>,
): Promise<string | undefined> {
  const [once, twice] = [size, 2 * size].map((length) => ({ text: make(length), ...meters() }))
  for (const { text, counter } of [once!, twice!]) await drain(chunker(counter), text)
  const ratio = twice!.units() / Math.max(1, once!.units())
  const looks = twice!.units() / twice!.text.length
  // Up to ten looks the ratio says where cuts happen to fall, and nothing of growth.
  if ((ratio <= 2.6 || looks <= 10) && looks <= 100) return undefined
  return `×${ratio.toFixed(2)}, ${looks.toFixed(0)} looks a unit`
}

describe.each(Object.keys(bases))('%s', (base) => {
  test.each(Object.keys(everyChunker))('%s has twice the text counted twice as much', { timeout }, async (name) => {
    const wrong: string[] = []
    // Chunks longer than the places to cut in a run of one sign are apart need a longer text.
    const long = base === 'a token a hundred units'
    const [size, maxTokens] = nightly ? [long ? 200_000 : 40_000, 50] : [long ? 40_000 : 1_600, 20]
    for (const [kind, make] of Object.entries(adversarialTexts)) {
      for (const spans of nightly ? [false, true] : [false]) {
        const chunker = (counter: ChunkCounter) => everyChunker[name]!({ maxTokens, counter })
        const problem = await excess(chunker, make, size, () => meter(bases[base]!, spans))
        if (problem !== undefined) wrong.push(`${kind}: ${problem}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

// Real vocabularies have tokens of a hundred signs for such runs: hundreds of places to cut lie within one chunk.
test.each(['recursiveChunker', 'hierarchicalChunker'])(
  '%s has twice a run of one sign counted twice as much, where chunks are hundreds of thousands of units long',
  { timeout },
  async (name) => {
    const wrong: string[] = []
    const maxTokens = name === 'recursiveChunker' ? 1800 : 200
    for (const kind of ['spaces', 'stops']) {
      const chunker = (counter: ChunkCounter) => everyChunker[name]!({ maxTokens, counter })
      const base = (text: string) => Math.ceil(text.length / 120)
      const problem = await excess(chunker, adversarialTexts[kind]!, 4_000_000, () => meter(base, false))
      if (problem !== undefined) wrong.push(`${kind}: ${problem}`)
    }
    expect(wrong).toEqual([])
  },
)

/** Least processor time of a few runs, in milliseconds: other work on the machine only ever adds to it. */
const least = async (chunker: Chunker, text: string, rounds: number): Promise<number> => {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const start = process.cpuUsage().user
    await drain(chunker, text)
    best = Math.min(best, (process.cpuUsage().user - start) / 1000)
  }
  return best
}

/** Time for twice the text by time for the text, on a text long enough to be timed. */
async function growth(chunker: Chunker, make: (n: number) => string): Promise<number> {
  let size = 10_000
  let once = await least(chunker, make(size), 1)
  while (once < 20 && size < 640_000) {
    size *= 2
    once = await least(chunker, make(size), 1)
  }
  // Busy neighbours make a processor half as fast for a while: both are timed in one breath, and the middle ratio counts.
  const ratios: number[] = []
  let middle = Number.POSITIVE_INFINITY
  for (const enough of [3, 7, 15]) {
    while (ratios.length < enough) {
      const shorter = await least(chunker, make(size), 1)
      ratios.push((await least(chunker, make(size * 2), 1)) / Math.max(5, shorter))
    }
    middle = ratios.toSorted((x, y) => x - y)[ratios.length >> 1]!
    if (middle <= 2.6) break
  }
  return middle
}

describe.runIf(nightly).each([characterCounter(), ...realCounters])('by $id', (counter) => {
  test.each(Object.keys(everyChunker))(
    '%s takes at most 2.6 times as long for twice the text',
    {
      timeout,
    },
    async (name) => {
      const slow: string[] = []
      for (const [kind, make] of Object.entries(adversarialTexts)) {
        const ratio = await growth(everyChunker[name]!({ maxTokens: 200, counter }), make)
        if (ratio > 2.6) slow.push(`${kind}: ×${ratio.toFixed(2)}`)
      }
      expect(slow).toEqual([])
    },
  )
})

// The short form leaves a busy machine room: what is quadratic grows 16-fold for four times the text.
describe.runIf(!nightly)('by characters', () => {
  test.each(Object.keys(everyChunker))('%s does not take quadratic time', { timeout }, async (name) => {
    const chunker = everyChunker[name]!({ maxTokens: 200, counter: characterCounter() })
    const slow: string[] = []
    for (const [kind, make] of Object.entries(adversarialTexts)) {
      let ratio = Number.POSITIVE_INFINITY
      for (let attempt = 0; attempt < 4 && ratio > 6.76; attempt += 1) {
        const later = await least(chunker, make(20_000), 2 + attempt)
        ratio = Math.min(ratio, later / Math.max(3, await least(chunker, make(5_000), 2 + attempt)))
      }
      if (ratio > 6.76) slow.push(`${kind}: ×${ratio.toFixed(1)} for four times the text`)
    }
    expect(slow).toEqual([])
  })
})
