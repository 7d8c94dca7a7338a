import { openCorpus, syncCorpus } from '../../../src/corpus/index.ts'
import { fileStorage } from '../../../src/node/index.ts'
import { chunksOf, space, vectorFor } from '../support.ts'

// Syncs argv[3] documents into the folder of argv[2]; says on stdout which texts it embeds.
const [, , folder = '', documents = '40', batch = '8'] = process.argv
const corpus = await openCorpus({ storage: fileStorage(folder) })
process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
await syncCorpus({
  corpus,
  batchChunks: Number(batch),
  space,
  source: {
    scope: 'made',
    items: async function* () {
      for (let index = 0; index < Number(documents); index++) {
        const id = `doc-${index}`
        yield { id, read: async () => ({ id, content: `document ${index} with text of its own` }) }
      }
    },
  },
  load: async ({ id, content }) => ({ id, text: String(content) }),
  chunker: { id: 'slices', chunk: (document) => chunksOf(document, 100) },
  embed: async (chunks) => {
    for (const { text } of chunks) process.stdout.write(`${JSON.stringify({ embedded: text })}\n`)
    return chunks.map(({ text }) => vectorFor(text))
  },
})
process.stdout.write(`${JSON.stringify({ complete: true })}\n`)
