import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const entry = new URL('../../../dist/providers/usearch/index.js', import.meta.url).href

/** Runs a program with an index whose graph is being built; gives its exit code, or the signal that ended it. */
function run(ending: string): Promise<number | string | null> {
  const program = `
    import { usearchIndex } from ${JSON.stringify(entry)}
    const dimensions = 128
    const entries = Array.from({ length: 4000 }, (_, at) => ({
      id: String(at),
      vector: Float32Array.from({ length: dimensions }, (_, i) => Math.sin(at * 12.9898 + i * 78.233)),
    }))
    const started = async (directory) => {
      const index = await usearchIndex({ dimensions, exactBelow: 100, ...(directory === null && { directory }) })
      await index.upsert(entries)
      if (!index.stats().building) throw new Error('nothing is being built')
      return index
    }
    const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
    ${ending}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
}

describe('a worker inside the native module', () => {
  it('does not end the process when its index is closed', async () => {
    const code = await run(`
      for (let at = 0; at < 8; at++) {
        const index = await started(at % 2 === 0 ? null : undefined)
        await pause(at * 60)
        await index.close()
      }`)
    expect(code).toBe(0)
  }, 120_000)

  it('does not end the process when that exits', async () => {
    for (const wait of [100, 400])
      expect(await run(`await started(null); await pause(${wait}); process.exit(7)`)).toBe(7)
  }, 120_000)
})
