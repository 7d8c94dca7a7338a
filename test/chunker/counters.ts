import type { ChunkCounter } from '../../src/chunker/index.ts'

/** Counters that no vocabulary resembles: a chunker must keep its limit with each. */
export const oddCounters: readonly ChunkCounter[] = [
  { id: 'words', count: (text) => text.split(/\s+/).filter(Boolean).length },
  { id: 'start-and-end', count: (text) => Math.ceil(text.length / 3) + 2 },
  { id: 'bytes', count: (text) => new TextEncoder().encode(text).length },
  { id: 'never-zero', count: () => 3 },
  { id: 'superlinear', count: (text) => Math.ceil(text.length ** 1.3 / 4) },
  {
    id: 'erratic',
    count: (text) => {
      let hash = 7
      for (let at = 0; at < text.length; at += 1) hash = (hash * 31 + text.charCodeAt(at)) % 1009
      return Math.ceil(text.length / 4) + (hash % 5)
    },
  },
]
