/** A pipeline put together from modules: no preset, no files, every part in plain sight. */
import { markdownChunker } from 'groundline/chunker'
import { embedAll, everyVector, lexicalHashEmbedder } from 'groundline/embedder'
import { lexicalIndex } from 'groundline/lexical-index'
import { markdownLoader } from 'groundline/loader'
import { promptAssembler } from 'groundline/prompt-assembler'
import { denseRetriever, hybridRetriever, lexicalRetriever, memoryChunkStore } from 'groundline/retriever'
import { exactCounter } from 'groundline/tokenizer'
import { o200kBase } from 'groundline/tokenizer/o200k-base'
import { exactIndex } from 'groundline/vector-index'

const files = {
  'handbook.md':
    '# Handbook\n\n## Keys\n\nKeys are rotated every ninety days.\n\n## Backups\n\nBackups run each night.\n',
  'travel.md': '# Travel\n\nTrains are preferred to flights below six hours.\n',
}

const tokenizer = o200kBase()
const counter = exactCounter(tokenizer)
const loader = markdownLoader()
const chunker = markdownChunker({ maxTokens: 64, counter: tokenizer })
const documents = await Promise.all(Object.entries(files).map(([id, content]) => loader.load({ id, content, uri: id })))
const chunks = documents.flatMap((document) => [...chunker.chunk(document)])

const embedder = lexicalHashEmbedder()
const texts = chunks.map(({ text }) => text)
const vectors = everyVector(await embedAll(embedder, texts))
const vectorIndex = exactIndex({ dimensions: embedder.dimensions, metric: 'cosine', space: embedder.space })
await vectorIndex.upsert(chunks.map(({ id, metadata }, at) => ({ id, metadata, vector: vectors[at]! })))
const wordIndex = lexicalIndex()
await wordIndex.upsert(chunks)
const store = memoryChunkStore()
store.put(chunks)

const retriever = hybridRetriever({
  dense: denseRetriever({ index: vectorIndex, embedder, store }),
  lexical: lexicalRetriever({ index: wordIndex, store }),
})
const question = 'When are keys rotated?'
const { passages } = await retriever.retrieve(question, { topK: 2 })

const assembler = promptAssembler({ counter, contextWindow: 1000, outputReserve: 200 })
const prompt = assembler.assemble({ instructions: 'Answer from the sources.', question, passages })
console.log(prompt.messages.at(-1)?.content)
console.log(`${prompt.ledger.total} of ${prompt.ledger.budget} tokens`)
