/**
 * `npm run bench:embedder`: the shipped embedding model (static-embedder.mjs), then the runtime around any embedder
 * (embedder-runtime.mjs), each in a process of its own with the arguments given: `--check`, `--minilm FOLDER`.
 * `--only static` or `--only runtime` runs one of them. Exits 1 when either does.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const parts = { static: './static-embedder.mjs', runtime: './embedder-runtime.mjs' }
const args = process.argv.slice(2)
const at = args.indexOf('--only')
const only = at < 0 ? undefined : args.splice(at, 2)[1]
if (only !== undefined && !Object.hasOwn(parts, only)) {
  console.error(`--only takes ${Object.keys(parts).join(' or ')}, got ${only}`)
  process.exit(2)
}
for (const [name, file] of Object.entries(parts)) {
  if (only !== undefined && name !== only) continue
  const script = fileURLToPath(new URL(file, import.meta.url))
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
