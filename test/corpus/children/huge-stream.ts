import { recursiveChunker } from '../../../src/chunker/index.ts'
import { iterableSource, openCorpus, syncCorpus } from '../../../src/corpus/index.ts'
import { textLoader, textParts } from '../../../src/loader/index.ts'
import { fileStorage } from '../../../src/node/index.ts'

// Streams a text of argv[3] MB into the folder of argv[2], whole or in parts (argv[4]), and says what became of it.
const [, , folder = '', megabytes = '1', mode = 'parts'] = process.argv
let produced = 0
async function* stream(): AsyncGenerator<Uint8Array> {
  const lines = Array.from(
    { length: 10_000 },
    (_, line) => `entry ${line} of the log says that request ${line * 7} was answered\n`,
  )
  for (let block = 0; produced < Number(megabytes) * 1e6; block++) {
    const bytes = new TextEncoder().encode(`block ${block}\n\n${lines.join('')}\n`)
    produced += bytes.length
    yield bytes
  }
}
const corpus = await openCorpus({ storage: fileStorage(folder) })
const chunker = recursiveChunker({ maxTokens: 1_000 })
const loader = textLoader()
const report = await syncCorpus({
  corpus,
  source: iterableSource('log', () =>
    mode === 'parts' ? textParts('log', stream()) : [{ id: 'log', content: stream() }],
  ),
  load: (input, options) => loader.load(input, options),
  chunker,
})
const { documents, chunks } = corpus.info()
await corpus.close()
process.stdout.write(
  `${JSON.stringify({
    produced,
    documents,
    chunks,
    failed: report.failed.map(({ id, error }) => ({ id, code: (error as { code?: string }).code })),
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  })}\n`,
)
