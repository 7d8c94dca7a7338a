import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import {
  type ChunkCounter,
  type Chunker,
  type CodeOutliner,
  codeChunker,
  hierarchicalChunker,
  htmlChunker,
  jsonChunker,
  markdownChunker,
  outlineChunker,
  recursiveChunker,
  semanticChunker,
  sentenceChunker,
  sentenceWindowChunker,
  tokenChunker,
  transcriptChunker,
} from '../../src/chunker/index.ts'
import { type TreeSitterOutlinerOptions, treeSitterOutliner } from '../../src/chunker/tree-sitter-outliner.ts'
import { fakeEmbedder } from '../../src/testing/index.ts'

/** Limits to build a chunker with. */
export interface TestLimits {
  readonly maxTokens: number
  readonly counter: ChunkCounter
  /** Left out where a chunker has none. */
  readonly overlap?: number
}

/** An outliner with the grammar that the development dependencies bring; C++ serves for C. */
export async function outlinerOf(language: TreeSitterOutlinerOptions['language']): Promise<CodeOutliner> {
  const package_ = createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm/package.json')
  const name = `tree-sitter-${language === 'c' ? 'cpp' : language}.wasm`
  return treeSitterOutliner({ language, grammar: await readFile(package_.replace('package.json', `wasm/${name}`)) })
}

const outliner = await outlinerOf('javascript')

/** Every chunker there is, by name. What must hold for all of them is tested over this table. */
export const everyChunker: Readonly<Record<string, (limits: TestLimits) => Chunker>> = {
  recursiveChunker,
  tokenChunker,
  sentenceChunker,
  sentenceWindowChunker: ({ maxTokens, counter }) => sentenceWindowChunker({ maxTokens, counter }),
  markdownChunker,
  outlineChunker,
  htmlChunker,
  'codeChunker by indentation': (limits) => codeChunker({ ...limits, language: 'other' }),
  'codeChunker by tree-sitter': (limits) => codeChunker({ ...limits, language: 'javascript', outliner }),
  transcriptChunker,
  jsonChunker,
  hierarchicalChunker: ({ maxTokens, counter, ...overlap }) =>
    hierarchicalChunker({
      levels: [
        recursiveChunker({ maxTokens: maxTokens * 9, counter }),
        recursiveChunker({ maxTokens: maxTokens * 3, counter }),
        recursiveChunker({ maxTokens, counter, ...overlap }),
      ],
    }),
  semanticChunker: (limits) => semanticChunker({ ...limits, embedder: fakeEmbedder({ dimensions: 16 }) }),
}
