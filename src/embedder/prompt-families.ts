/** What a model wants in front of queries and documents. */
export interface EmbeddingPrompts {
  /** Put before each query. */
  readonly query: string
  /** Put before each document. */
  readonly document: string
}

const BGE = 'Represent this sentence for searching relevant passages: '
const INSTRUCT = 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: '

/**
 * Prompts by family, as the model cards on huggingface.co give them (2026-11). The first pattern that fits a model's
 * name counts; a family that wants none stands here too, so that "none" is told from "unknown".
 */
const FAMILIES: readonly (readonly [pattern: RegExp, query: string, document: string])[] = [
  [/e5-mistral|e5-[a-z]+-instruct/, INSTRUCT, ''],
  [/(?:^|[/-])(?:multilingual-)?e5-/, 'query: ', 'passage: '],
  [/bge-m3/, '', ''],
  [/bge-(?:small|base|large)-zh/, '为这个句子生成表示以用于检索相关文章：', ''],
  [/bge-(?:small|base|large)/, BGE, ''],
  [/nomic-embed/, 'search_query: ', 'search_document: '],
  [/mxbai-embed/, BGE, ''],
  [/arctic-embed-[a-z]+-v2/, 'query: ', ''],
  [/arctic-embed/, BGE, ''],
  [/embeddinggemma/, 'task: search result | query: ', 'title: none | text: '],
  [/qwen3-embedding|gte-qwen2/, INSTRUCT, ''],
  [/minilm|mpnet|gte-(?:small|base|large)|potion/, '', ''],
]

/** The prompts of a model by its name, with or without its publisher; undefined for a family not known here. */
export function promptsFor(model: string): EmbeddingPrompts | undefined {
  const name = model.toLowerCase()
  const family = FAMILIES.find(([pattern]) => pattern.test(name))
  return family && { query: family[1], document: family[2] }
}
