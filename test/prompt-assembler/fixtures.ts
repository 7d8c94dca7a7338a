import type { Passage } from '../../src/document.ts'
import {
  type Prompt,
  type PromptAssemblerOptions,
  type PromptParts,
  promptAssembler,
} from '../../src/prompt-assembler/index.ts'
import type { LocalTokenCounter } from '../../src/tokenizer/tokenizer.ts'

/** Counts words and single marks: additive at white space, and easy to check by eye. Named so that OpenAI's overhead is the default. */
export const wordCounter: LocalTokenCounter = {
  id: 'cl100k_words',
  kind: 'exact',
  count: (text) => text.match(/\w+|[^\w\s]/g)?.length ?? 0,
}

/** A byte is never less than a token of a byte-level vocabulary. */
export const byteCounter: LocalTokenCounter = {
  id: 'cl100k_bytes',
  kind: 'bound',
  count: (text) => new TextEncoder().encode(text).length,
}

export function passage(id: string, text: string, more: Partial<Passage> = {}): Passage {
  const start = more.start ?? 0
  return {
    id,
    documentId: `doc-${id}`,
    documentVersion: 'v1',
    text,
    start,
    end: start + text.length,
    metadata: {},
    score: 1,
    stages: [],
    source: { uri: `docs/${id}.md`, title: `Title ${id}` },
    ...more,
  }
}

/** A prompt in a window of 1,000 words, 100 of them kept for the answer. */
export const make = (parts: PromptParts, more: Partial<PromptAssemblerOptions> = {}): Prompt =>
  promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 100, ...more }).assemble(parts)
