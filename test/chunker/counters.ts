import { readFileSync } from 'node:fs'
import { approximateCounter, type ChunkCounter } from '../../src/chunker/index.ts'
import { cl100kBase } from '../../src/tokenizer/cl100k-base.ts'
import { huggingFaceTokenizer } from '../../src/tokenizer/hugging-face/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'

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

const fromFile = (name: string, frame: 'none' | 'template'): ChunkCounter => {
  const file = JSON.parse(readFileSync(new URL(`../tokenizer/fixtures/${name}.json`, import.meta.url), 'utf8'))
  return huggingFaceTokenizer(file.tokenizer, { id: `${name}/${frame}`, frame })
}

/** Tokenizers of every kind: byte pairs, WordPiece with its frame, SentencePiece byte pairs, Unigram; and a sum of bytes. */
export const realCounters: readonly ChunkCounter[] = [
  o200kBase(),
  cl100kBase(),
  fromFile('bert-uncased', 'template'),
  fromFile('llama2', 'none'),
  fromFile('t5', 'none'),
  approximateCounter(),
]
