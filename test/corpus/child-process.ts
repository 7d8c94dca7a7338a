import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Lines of JSON that a child wrote, and how it ended. */
export interface ChildResult {
  readonly lines: readonly Record<string, unknown>[]
  readonly code: number | null
  readonly errors: string
}

/** Bundles a script of the children/ beside `caller` for a plain Node process, and gives a folder for its work. */
export async function childScript(
  name: string,
  caller: string = import.meta.url,
): Promise<{ script: string; folder: string; dispose(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'groundline-child-'))
  // Where it finds the native module, which cannot be bundled.
  const cache = fileURLToPath(new URL('../../node_modules/.cache/groundline-tests/', import.meta.url))
  const script = join(cache, `${basename(folder)}.mjs`)
  const entry = fileURLToPath(new URL(`./children/${name}.ts`, caller))
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: script,
    logLevel: 'error',
    external: ['usearch'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
  })
  return {
    script,
    folder,
    dispose: async () => {
      await rm(folder, { recursive: true, force: true })
      await rm(script, { force: true })
    },
  }
}

/** Runs a script to its end, or kills it with SIGKILL `killAfter` milliseconds after its first line. */
export function runChild(script: string, args: readonly string[], killAfter?: number): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    let armed = false
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      output += part
      if (armed || killAfter === undefined) return
      armed = true
      setTimeout(() => child.kill('SIGKILL'), killAfter)
    })
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      errors += part
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const whole = output.slice(0, output.lastIndexOf('\n') + 1)
      resolve({
        lines: whole
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
        code,
        errors,
      })
    })
  })
}

/** Every file below a folder with its bytes, temporary ones included. */
export async function filesBelow(folder: string): Promise<[name: string, bytes: Buffer][]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile())
  return Promise.all(
    files.map(async ({ parentPath, name }) => [name, await readFile(join(parentPath, name))] as [string, Buffer]),
  )
}
