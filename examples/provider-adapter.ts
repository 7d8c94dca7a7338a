/**
 * Writes a provider adapter and runs the conformance kit on it. The adapter makes one call for one batch; batching,
 * retries and checks are `embedAll`'s. The provider here is a function; in an adapter of yours it is an HTTP call.
 */
import { GroundlineError } from 'groundline'
import { type Embedder, embedAll } from 'groundline/embedder'
import { embedderConformance } from 'groundline/testing'

/** A provider's API: counts of letters, as good as any vector for showing the shape. */
async function callProvider(texts: readonly string[]): Promise<number[][]> {
  return texts.map((text) => Array.from('etaoinsh', (letter) => 1 + text.toLowerCase().split(letter).length - 1))
}

export function letterEmbedder(): Embedder {
  const space = { model: 'letters', dimensions: 8, normalized: false }
  return {
    space,
    dimensions: space.dimensions,
    limits: { items: 16 },
    async embed(inputs, { signal } = {}) {
      signal?.throwIfAborted()
      if (inputs.length > 16)
        throw new GroundlineError('LIMIT_EXCEEDED', `at most 16 inputs a call, got ${inputs.length}`)
      const rows = await callProvider(inputs)
      signal?.throwIfAborted()
      return { vectors: rows.map((row) => Float32Array.from(row)), usage: {} }
    },
  }
}

let failed = 0
for (const { name, run } of embedderConformance({ create: letterEmbedder })) {
  try {
    await run()
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`failed  ${name}: ${(error as Error).message}`)
  }
}
const { vectors } = await embedAll(
  letterEmbedder(),
  Array.from({ length: 100 }, (_, n) => `text ${n}`),
)
console.log(`${failed} failed; ${vectors.length} texts embedded in batches of 16`)
process.exitCode = failed === 0 ? 0 : 1
