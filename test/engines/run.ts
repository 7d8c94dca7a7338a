/**
 * `npm run test:engines`: the same laws with both names of transformers.js, on the tiny models of the tests and on the real
 * all-MiniLM-L6-v2. The reference for the real one is `@sap-ux/fiori-docs-embeddings` (Apache-2.0): vectors of that model
 * that others computed, with their texts. Ends with `N passed, N failed`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { embedderConformance, rerankerConformance } from '../../src/testing/index.ts'
import { writeTinyModel } from '../providers/transformers/tiny-model.ts'
import { miniLmFolder } from './mini-lm.ts'

type Adapters = typeof import('../../src/providers/transformers/index.ts')

const here = fileURLToPath(new URL('.', import.meta.url))
const repository = join(here, '../..')
const libraries = ['@huggingface/transformers', '@xenova/transformers'] as const

execFileSync('npm', ['install', '--no-package-lock', '--silent'], { cwd: here, stdio: 'inherit' })
// A copy, not a link, so that it finds the engines beside it.
const copy = join(here, 'node_modules/groundline')
rmSync(copy, { recursive: true, force: true })
mkdirSync(copy, { recursive: true })
cpSync(join(repository, 'dist'), join(copy, 'dist'), { recursive: true })
cpSync(join(repository, 'package.json'), join(copy, 'package.json'))
const adapters: Adapters = await import(pathToFileURL(join(copy, 'dist/providers/transformers/index.js')).href)
const { crossEncoderReranker, transformersEmbedder, transformersTokenizer } = adapters

let [passed, failed] = [0, 0]
async function check(name: string, run: () => Promise<void> | void): Promise<void> {
  try {
    await run()
    passed++
    console.log(`ok    ${name}`)
  } catch (error) {
    failed++
    console.log(`FAIL  ${name}\n      ${error instanceof Error ? error.message : String(error)}`)
  }
}

const tiny = mkdtempSync(join(tmpdir(), 'groundline-engines-'))
writeTinyModel(join(tiny, 'bert'), 'embedder')
writeTinyModel(join(tiny, 'cross'), 'cross-encoder')
const cache = join(here, 'node_modules/.cache')
const miniLm = miniLmFolder(cache)
if (miniLm === undefined)
  console.log('all-MiniLM-L6-v2 is not at hand (no pip, or no Python index): its checks are left out')

for (const library of libraries) {
  const source = { folder: join(tiny, 'bert') }
  const embedder = await transformersEmbedder({ library, source })
  for (const { name, run } of embedderConformance({ create: () => embedder, tolerance: 1e-4 }))
    await check(`${library}, tiny: ${name}`, run)
  await embedder.close()
  const reranker = await crossEncoderReranker({ library, source: { folder: join(tiny, 'cross') } })
  for (const { name, run } of rerankerConformance({ create: () => reranker }))
    await check(`${library}, tiny: ${name}`, run)
  await reranker.close()
  await check(`${library}, tiny: the tokenizer counts as the model reads`, async () => {
    const tokenizer = await transformersTokenizer({ library, source })
    if (tokenizer.count('rotate the keys') !== 3) throw new Error(`${tokenizer.count('rotate the keys')} tokens`)
  })
  if (miniLm !== undefined) await realModel(library, miniLm)
}
rmSync(tiny, { recursive: true })
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

async function realModel(library: (typeof libraries)[number], folder: string): Promise<void> {
  const started = performance.now()
  const embedder = await transformersEmbedder({ library, source: { folder } })
  console.log(`      loaded in ${(performance.now() - started).toFixed(0)} ms`)
  for (const { name, run } of embedderConformance({ create: () => embedder, tolerance: 1e-4 }))
    await check(`${library}, MiniLM: ${name}`, run)
  const { texts, vectors } = reference(40)
  await check(`${library}, MiniLM: vectors equal the reference to 1e-3`, async () => {
    const mine = (await embedder.embed(texts)).vectors
    let worst = 0
    for (const [row, vector] of mine.entries())
      for (const [at, component] of vector.entries())
        worst = Math.max(worst, Math.abs(component - (vectors[row]?.[at] ?? 9)))
    console.log(`      largest difference of a component over ${texts.length} texts: ${worst.toExponential(1)}`)
    if (worst > 1e-3) throw new Error(`a component differs by ${worst}`)
  })
  await check(`${library}, MiniLM: a paraphrase is nearer than another subject`, async () => {
    const [question, answer, other] = (
      await embedder.embed(['How do I rotate a key?', 'Steps for replacing signing credentials', 'The harbour at dusk'])
    ).vectors
    if (dot(question, answer) <= dot(question, other) + 0.1) throw new Error('it is not')
  })
  await embedder.close()
}

function dot(a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()): number {
  return a.reduce((sum, component, at) => sum + component * (b[at] ?? 0), 0)
}

/** Short texts with the vectors that others computed for them. */
function reference(count: number): { texts: string[]; vectors: Float32Array[] } {
  const data = join(here, 'node_modules/@sap-ux/fiori-docs-embeddings/data/embeddings')
  if (!existsSync(data)) throw new Error('the reference vectors are not installed')
  const bytes = readFileSync(join(data, 'embeddings.bin'))
  const all = new Float32Array(new Uint8Array(bytes).buffer)
  const records = readFileSync(join(data, 'records.jsonl'), 'utf8').trim().split('\n')
  const found: { texts: string[]; vectors: Float32Array[] } = { texts: [], vectors: [] }
  for (const [row, line] of records.entries()) {
    const { content } = JSON.parse(line) as { content: string }
    // Well below the 256 tokens after which some implementations cut.
    if (content.length > 500 || found.texts.length >= count) continue
    found.texts.push(content)
    found.vectors.push(all.slice(row * 384, row * 384 + 384))
  }
  return found
}
