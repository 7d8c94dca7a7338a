/** Assembles scripts/vector-scan.wat and writes it into src/internal/vector-scan-wasm.ts: `npx tsx scripts/assemble-vector-scan.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

/** The module as base64. */
export async function assembleVectorScan(): Promise<string> {
  const { parseWat } = await wabt()
  const source = readFileSync(new URL('./vector-scan.wat', import.meta.url), 'utf8')
  const module = parseWat('vector-scan.wat', source, { simd: true })
  module.validate()
  const { buffer } = module.toBinary({})
  module.destroy()
  return Buffer.from(buffer).toString('base64')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const base64 = await assembleVectorScan()
  writeFileSync(
    new URL('../src/internal/vector-scan-wasm.ts', import.meta.url),
    `// Written by scripts/assemble-vector-scan.ts from scripts/vector-scan.wat; a test compares them.\n/** The scan module: ${Buffer.from(base64, 'base64').length} bytes of WebAssembly in base64. */\nexport const VECTOR_SCAN_WASM =\n  '${base64}'\n`,
  )
}
