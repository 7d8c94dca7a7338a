// A process of its own that opens one index and searches it: what it has in memory then. Run by bench/search.mjs.
import { readFileSync } from 'node:fs'

const [kind, path, dimensions, size, queryFile] = process.argv.slice(2)
const width = Number(dimensions)
const bytes = readFileSync(queryFile)
const flat = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
const queries = Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width))

let keep
if (kind === 'ours') {
  const { usearchIndex } = await import('../dist/providers/usearch/index.js')
  keep = await usearchIndex({ dimensions: width, directory: path, vectors: 'file' })
  for (const query of queries) await keep.search(query, { topK: 10 })
} else {
  const { openHnswlib } = await import('./search-lab.mjs')
  keep = openHnswlib(width, Number(size), path)
  keep.setEf(64)
  for (const query of queries) keep.searchKnn(Array.from(query), 10)
}
globalThis.gc()
await new Promise((resolve) => setTimeout(resolve, 100))
globalThis.gc()
const status = readFileSync('/proc/self/status', 'utf8')
const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) * 1024
console.log(JSON.stringify({ resident: of('VmRSS'), anonymous: of('RssAnon') }))
await keep.close?.()
