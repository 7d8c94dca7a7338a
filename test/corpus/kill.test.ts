import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCorpus, openKeyring } from '../../src/corpus/index.ts'
import { fileStorage, localKey, nodeCipher } from '../../src/node/index.ts'
import { childScript, filesBelow, runChild } from './child-process.ts'
import { scaled } from './scale.ts'
import { seededRandom } from './simulated-file-system.ts'
import { collect, textsOf, vectorFor } from './support.ts'

const applied = (model: ReadonlyMap<string, string>, line: Record<string, unknown>): Map<string, string> => {
  const next = new Map(model)
  for (const id of line.remove as string[]) next.delete(id)
  for (const [id, text] of Object.entries(line.put as Record<string, string>)) next.set(id, text)
  return next
}

const sorted = (model: ReadonlyMap<string, string>): [string, string][] =>
  [...model].sort(([a], [b]) => (a < b ? -1 : 1))

/** The bytes of the vector of a text's first chunk, as they would be stored. */
const vectorBytes = (text: string): Buffer => Buffer.from(vectorFor(text.slice(0, 20)).buffer)

describe('killed processes', () => {
  const kills = scaled({ quick: 12, short: 100, full: 1_000 })

  test(`${kills} kills at random moments of mixed work lose nothing acknowledged and leave no half batch`, async () => {
    const { script, folder, dispose } = await childScript('mixed-work')
    const root = join(folder, 'kb')
    const random = seededRandom(21)
    let model: ReadonlyMap<string, string> = new Map()
    let acknowledged = 0
    for (let kill = 0; kill < kills; kill++) {
      const { lines, errors } = await runChild(script, [root, String(kill)], Math.floor(random() * 120))
      expect(errors, `kill ${kill}`).toBe('')
      let started: ReadonlyMap<string, string> | undefined
      for (const line of lines) {
        if ('start' in line) started = applied(model, line)
        else if ('done' in line && started) {
          model = started
          started = undefined
          acknowledged++
        }
      }
      const corpus = await openCorpus({ storage: fileStorage(root) })
      const found = sorted(await textsOf(corpus))
      if (started && JSON.stringify(found) === JSON.stringify(sorted(started))) model = started
      expect(found, `kill ${kill}`).toEqual(sorted(model))
      for (const { chunk, vector } of await collect(corpus.entries())) expect(vector).toEqual(vectorFor(chunk.text))
      expect(await corpus.verify()).toEqual([])
      await corpus.close()
    }
    // How many depends on the machine; some work must have been done, or the test says nothing.
    expect(acknowledged).toBeGreaterThan(0)
    await dispose()
  }, 1_200_000)

  const sealedKills = scaled({ quick: 4, short: 25, full: 100 })

  test(`${sealedKills} kills of an encrypted corpus leave no plaintext of documents or vectors in any file`, async () => {
    const { script, folder, dispose } = await childScript('mixed-work')
    const root = join(folder, 'kb')
    const random = seededRandom(22)
    for (let kill = 0; kill < sealedKills; kill++) {
      const { lines, errors } = await runChild(script, [root, String(kill), 'sealed'], Math.floor(random() * 120))
      expect(errors, `kill ${kill}`).toBe('')
      const texts = lines.flatMap((line) => ('put' in line ? Object.values(line.put as Record<string, string>) : []))
      const canaries = [Buffer.from('some more text'), ...texts.slice(0, 8).map(vectorBytes)]
      for (const [name, bytes] of await filesBelow(root)) {
        for (const canary of canaries) expect(bytes.includes(canary), name).toBe(false)
      }
      const storage = fileStorage(root)
      const keyProvider = localKey(new Uint8Array(32).fill(7))
      const { sealer } = await openKeyring({ storage, cipher: nodeCipher(), keyProvider })
      expect(await (await openCorpus({ storage, sealer })).verify()).toEqual([])
    }
    await dispose()
  }, 600_000)

  const commits = scaled({ quick: 15, short: 50, full: 200 })

  test(`4 processes with ${commits} commits each lose no update of one another`, async () => {
    const { script, folder, dispose } = await childScript('many-commits')
    const root = join(folder, 'kb')
    const names = ['p0', 'p1', 'p2', 'p3']
    const results = await Promise.all(names.map((name) => runChild(script, [root, name, String(commits)])))
    for (const { code, errors } of results) expect({ code, errors }).toEqual({ code: 0, errors: '' })
    const corpus = await openCorpus({ storage: fileStorage(root) })
    expect((await corpus.document('counter'))?.text).toBe(String(4 * commits))
    for (const name of names) {
      for (let index = 0; index < commits; index++) {
        expect((await corpus.document(`${name}-${index}`))?.text).toBe(String(index))
        expect((await corpus.document(`${name}-blind-${index}`))?.text).toBe(String(index))
      }
    }
    expect(corpus.info().documents).toBe(1 + 8 * commits)
    expect(await corpus.verify()).toEqual([])
    await dispose()
  }, 600_000)

  const ingests = scaled({ quick: 4, short: 30, full: 200 })

  test(`${ingests} interrupted ingests end without duplicates or omissions, at most one batch embedded twice each`, async () => {
    const { script, folder, dispose } = await childScript('ingest')
    // The first is killed at once, so that on any machine some are interrupted.
    const [documents, batch] = [40, 8]
    let interrupted = 0
    for (let ingest = 0; ingest < ingests; ingest++) {
      const root = join(folder, `kb-${ingest}`)
      const first = await runChild(
        script,
        [root, String(documents), String(batch)],
        Math.floor((ingest / ingests) * 60),
      )
      if (!first.lines.some((line) => line.complete)) interrupted++
      const second = await runChild(script, [root, String(documents), String(batch)])
      expect({ code: second.code, errors: second.errors }).toEqual({ code: 0, errors: '' })
      const embedded = [...first.lines, ...second.lines].filter((line) => 'embedded' in line).length
      expect(embedded, `ingest ${ingest}`).toBeLessThanOrEqual(documents + batch)
      const corpus = await openCorpus({ storage: fileStorage(root), readOnly: true })
      const entries = await collect(corpus.entries())
      const expected = Array.from({ length: documents }, (_, index) => `document ${index} with text of its own`)
      expect(entries.map(({ chunk }) => chunk.text).sort()).toEqual(expected.sort())
      expect(entries.every(({ vector }) => vector)).toBe(true)
    }
    expect(interrupted).toBeGreaterThan(0)
    await dispose()
  }, 1_200_000)
})
