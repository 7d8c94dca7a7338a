import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const entry = join(import.meta.dirname, '../../dist/index.js')

it('importing the root loads no native module, no Node built-in and no vocabulary', () => {
  const script = `
    const before = new Set(process.moduleLoadList)
    await import(${JSON.stringify(entry)})
    const loaded = process.moduleLoadList.filter((name) => !before.has(name))
    console.log(JSON.stringify({ addons: loaded.filter((name) => name.startsWith('Addon')), heap: process.memoryUsage().heapUsed }))`
  const { addons, heap } = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  )
  expect(addons).toEqual([])
  // A parsed vocabulary takes tens of megabytes.
  expect(heap).toBeLessThan(16e6)
})
