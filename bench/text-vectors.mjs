// Real vectors for bench/search.mjs: the sentences of BEIR-form collections under the static model, in random order.
// node bench/text-vectors.mjs --data folder/of/collections --out vectors.f32 [--dimensions 256] [--most 100000]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { staticEmbedder } from '../dist/embedder/index.js'
import { createRandom } from './search-data.mjs'

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    dimensions: { type: 'string', default: '256' },
    most: { type: 'string', default: '100000' },
  },
})
const sentences = new Set()
for (const name of readdirSync(options.data).map((folder) => join(folder, 'corpus.jsonl.gz')))
  for (const line of gunzipSync(readFileSync(join(options.data, name)))
    .toString()
    .split('\n')) {
    if (line === '') continue
    for (const sentence of JSON.parse(line).text.split(/(?<=[.!?:;])\s+|\n+/))
      if (sentence.length >= 30) sentences.add(sentence.slice(0, 1_000))
  }
const random = createRandom(5)
const texts = [...sentences]
for (let i = texts.length - 1; i > 0; i--) {
  const other = random.below(i + 1)
  ;[texts[i], texts[other]] = [texts[other], texts[i]]
}
const dimensions = Number(options.dimensions)
const embedder = await staticEmbedder({ dimensions })
const rows = []
for (let from = 0; from < Math.min(texts.length, Number(options.most)); from += 256) {
  const { vectors } = await embedder.embed(texts.slice(from, from + 256), { role: 'document' })
  for (const vector of vectors) if (vector.some((value) => value !== 0)) rows.push(vector)
}
const flat = new Float32Array(rows.length * dimensions)
for (const [i, row] of rows.entries()) flat.set(row, i * dimensions)
writeFileSync(options.out, new Uint8Array(flat.buffer))
console.log(`${rows.length} × ${dimensions}`)
