// Opens damaged copies of a saved index and says what came of each, one line of JSON a case.
// node open-damaged.mjs MODULE RANDOM SAVED OTHER WORK FIRST LAST: the first two are files to import.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [module, random, saved, other, work, first, last] = process.argv.slice(2)
const { usearchIndex } = await import(pathToFileURL(module).href)
const { createRandom } = await import(pathToFileURL(random).href)
const dimensions = 16
const names = readdirSync(saved)
const graph = names.find((name) => name.endsWith('.usearch'))
const queries = Array.from({ length: 5 }, (_, i) =>
  Float32Array.from({ length: dimensions }, (_, d) => Math.sin(i + d)),
)
const answers = async (index) => {
  const found = []
  for (const query of queries) found.push((await index.search(query, { topK: 5 })).map(({ id, score }) => [id, score]))
  return JSON.stringify(found)
}
// No graph is built again, so that only the file's could answer.
const open = (directory) =>
  usearchIndex({ dimensions, exactBelow: 1e9, directory, vectors: Number(first) % 2 === 0 ? 'memory' : 'file' })

mkdirSync(work, { recursive: true })
const whole = join(work, 'whole')
cpSync(saved, whole, { recursive: true })
// What a scan answers, as the graph may have missed one: the whole index with its graph gone.
rmSync(join(whole, graph))
const index = await open(whole)
const expected = await answers(index)
await index.close()

for (let n = Number(first); n < Number(last); n++) {
  const draw = createRandom(n + 1)
  const folder = join(work, String(n))
  cpSync(saved, folder, { recursive: true })
  // The graph, which native code would read, is hit four times in five.
  const name = draw.below(5) > 0 ? graph : draw.pick(names)
  const path = join(folder, name)
  const bytes = readFileSync(path)
  const kind = ['flip', 'flips', 'truncate', 'zeros', 'swap'][n % 5]
  if (kind === 'flip' || kind === 'flips') {
    for (let i = kind === 'flip' ? 1 : 64; i > 0; i--) bytes[draw.below(bytes.length)] ^= 1 << draw.below(8)
    writeFileSync(path, bytes)
  } else if (kind === 'truncate') truncateSync(path, draw.below(bytes.length))
  else if (kind === 'zeros') {
    const at = draw.below(bytes.length)
    bytes.fill(0, at, Math.min(bytes.length, at + 4_096))
    // What was zero before is no damage.
    bytes[at] ^= bytes.equals(readFileSync(path)) ? 1 : 0
    writeFileSync(path, bytes)
  } else {
    // The same kind of file of another index.
    const ending = name.slice(name.lastIndexOf('.'))
    copyFileSync(
      join(
        other,
        readdirSync(other).find((each) => each.endsWith(ending)),
      ),
      path,
    )
  }
  let outcome
  try {
    const opened = await open(folder)
    const { graphNodes } = opened.stats()
    outcome = { graphNodes, right: (await answers(opened)) === expected, count: await opened.count() }
    await opened.close()
  } catch (error) {
    outcome = { code: error.code ?? String(error) }
  }
  console.log(JSON.stringify({ n, kind, name: name.replace(/[-.].*/, ''), ...outcome }))
  rmSync(folder, { recursive: true })
}
