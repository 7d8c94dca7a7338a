/** Opens a preset that `bench/corpus.mjs` made and asks it once: `node bench/reopen.mjs FOLDER plain|encrypted`. Prints JSON. */
import { localKey } from '../dist/node/index.js'
import { createGroundline } from '../dist/preset/index.js'
import { madeEmbedder } from './made-embedder.mjs'

const [path, kind] = process.argv.slice(2)
const encryption = kind === 'encrypted' ? { keyProvider: localKey(new Uint8Array(32).fill(1)) } : undefined
const start = performance.now()
const ground = await createGroundline({ path, embedder: madeEmbedder, ...(encryption && { encryption }) })
const opened = performance.now() - start
const { passages } = await ground.retrieve('chunk number4711', { topK: 10 })
const answered = performance.now() - start
console.log(JSON.stringify({ opened, answered, answer: passages.map(({ id, score }) => `${id} ${score}`).join() }))
// Left without `close`, so that no graph is kept for the next.
process.exit(0)
