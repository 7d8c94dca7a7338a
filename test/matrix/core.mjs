/** The core modules in one program, for runtimes other than this Node: must give the same digest everywhere. */
import { markdownChunker } from 'groundline/chunker'
import { lexicalHashEmbedder, staticEmbedder } from 'groundline/embedder'
import { lexicalIndex } from 'groundline/lexical-index'
import { promptAssembler } from 'groundline/prompt-assembler'
import { denseRetriever, hybridRetriever, lexicalRetriever, memoryChunkStore } from 'groundline/retriever'
import { exactCounter } from 'groundline/tokenizer'
import { o200kBase } from 'groundline/tokenizer/o200k-base'
import { exactIndex } from 'groundline/vector-index'

const sections = Array.from(
  { length: 40 },
  (_, n) =>
    `## Section ${n}\n\nKey ${n} is rotated every ${n + 3} days — naïve café 👩‍👩‍👧‍👦 東京 ${n}.\n\n\`\`\`js\nrotate(${n})\n\`\`\`\n`,
)

/** Chunks, embeds, retrieves and assembles; gives the prompt, the chunk ids and the vectors as one digest. */
export async function runCore(vocabulary, model) {
  const tokenizer = o200kBase({ bytes: vocabulary })
  const text = `# Handbook\n\n${sections.join('\n')}`
  const chunks = [...markdownChunker({ maxTokens: 48, counter: tokenizer }).chunk({ id: 'handbook.md', text })]
  const embedder = await staticEmbedder({ bytes: model, dimensions: 256 })
  const texts = chunks.map((chunk) => chunk.text)
  const { vectors } = await embedder.embed(texts)
  const others = [await staticEmbedder({ bytes: model }), lexicalHashEmbedder()]
  const more = (await Promise.all(others.map((other) => other.embed(texts)))).flatMap((reply) => reply.vectors)
  const vectorIndex = exactIndex({ dimensions: 256, metric: 'cosine', space: embedder.space })
  await vectorIndex.upsert(chunks.map(({ id, metadata }, at) => ({ id, metadata, vector: vectors[at] })))
  const words = lexicalIndex()
  await words.upsert(chunks)
  const store = memoryChunkStore()
  store.put(chunks)
  const retriever = hybridRetriever({
    dense: denseRetriever({ index: vectorIndex, embedder, store }),
    lexical: lexicalRetriever({ index: words, store }),
  })
  const question = 'How often is key 17 rotated?'
  const { passages } = await retriever.retrieve(question, { topK: 12 })
  const prompt = promptAssembler({ counter: exactCounter(tokenizer), contextWindow: 900, outputReserve: 200 }).assemble(
    { question, passages },
  )
  const bits = [...vectors, ...more].map((vector) =>
    Array.from(new Uint32Array(vector.buffer, vector.byteOffset, vector.length)),
  )
  const data = new TextEncoder().encode(JSON.stringify([prompt, chunks.map(({ id }) => id), bits]))
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', data)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
