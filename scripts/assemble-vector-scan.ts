/** Assembles scripts/vector-scan.wat and scripts/row-sums.wat into the modules that hold them: `npx tsx scripts/assemble-vector-scan.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

/** The module of scripts/vector-scan.wat as base64. */
export const assembleVectorScan = (): Promise<string> => assemble('vector-scan')

/** The module of scripts/row-sums.wat as base64. */
export const assembleRowSums = (): Promise<string> => assemble('row-sums')

async function assemble(name: string): Promise<string> {
  const { parseWat } = await wabt()
  const source = readFileSync(new URL(`./${name}.wat`, import.meta.url), 'utf8')
  const module = parseWat(`${name}.wat`, source, { simd: true })
  module.validate()
  const { buffer } = module.toBinary({})
  module.destroy()
  return Buffer.from(buffer).toString('base64')
}

function write(path: string, source: string, what: string, name: string, base64: string): void {
  writeFileSync(
    new URL(`../${path}`, import.meta.url),
    `// Written by scripts/assemble-vector-scan.ts from scripts/${source}.wat; a test compares them.\n/** The ${what} module: ${Buffer.from(base64, 'base64').length} bytes of WebAssembly in base64. */\nexport const ${name} =\n  '${base64}'\n`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  write('src/internal/vector-scan-wasm.ts', 'vector-scan', 'scan', 'VECTOR_SCAN_WASM', await assembleVectorScan())
  write('src/embedder/row-sums-wasm.ts', 'row-sums', 'row sums', 'ROW_SUMS_WASM', await assembleRowSums())
}
