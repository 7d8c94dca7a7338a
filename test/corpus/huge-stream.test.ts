import { expect, test } from 'vitest'
import { childScript, runChild } from './child-process.ts'
import { scaled } from './scale.ts'

test('a stream of 1 GB is given up at its limit with a typed error, in less than 300 MB of memory', async () => {
  const { script, folder, dispose } = await childScript('huge-stream')
  const { lines, code, errors } = await runChild(script, [folder, '1000', 'whole'])
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(lines[0]).toMatchObject({ documents: 0, failed: [{ id: 'log', code: 'LIMIT_EXCEEDED' }] })
  expect(lines[0]!.produced).toBeLessThan(40e6)
  expect(lines[0]!.peakMegabytes).toBeLessThan(300)
  await dispose()
}, 120_000)

// The heap is capped: what V8 leaves lying about while there is room says nothing of what is held.
const megabytes = scaled({ quick: 12, short: 100, full: 1_000 })
test(`a text of ${megabytes} MB is taken in part by part, in less than 300 MB of memory`, async () => {
  const { script, folder, dispose } = await childScript('huge-stream')
  const { lines, code, errors } = await runChild('--max-old-space-size=160', [
    script,
    folder,
    String(megabytes),
    'parts',
  ])
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(lines[0]!.failed).toEqual([])
  expect(lines[0]!.produced).toBeGreaterThanOrEqual(megabytes * 1e6)
  expect(lines[0]!.documents).toBeGreaterThanOrEqual(megabytes / 1.1)
  expect(lines[0]!.peakMegabytes).toBeLessThan(300)
  await dispose()
}, 1_200_000)
