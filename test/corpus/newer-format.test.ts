import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FORMAT } from '../../src/corpus/container.ts'
import { crc32c } from '../../src/corpus/crc32c.ts'
import { derivedFiles, openCorpus, openKeyring } from '../../src/corpus/index.ts'
import { fileStorage, localKey, nodeCipher } from '../../src/node/index.ts'
import { entryFor, space } from './support.ts'

const keyProvider = localKey(new Uint8Array(32).fill(5))
let root = ''

/** A folder with every kind of file, and its files by kind. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'groundline-newer-'))
  const { corpus, files } = await open(join(root, 'whole'))
  await corpus.commit({ put: [entryFor({ id: 'a', text: 'one' })], space })
  await corpus.tag('case', { hold: 'why' })
  await corpus.commit({ put: [entryFor({ id: 'b', text: 'two' })], space })
  await files.write('words', { head: 1, body: Uint8Array.of(1) })
  await corpus.close()
})

afterAll(() => rm(root, { recursive: true }))

async function open(path: string) {
  const storage = fileStorage(path)
  const { sealer } = await openKeyring({ storage, cipher: nodeCipher(), keyProvider })
  return { corpus: await openCorpus({ storage, sealer }), files: derivedFiles({ storage, sealer }) }
}

/** A copy of the folder in which files of one kind are of the next format. */
async function newer(kind: string): Promise<{ path: string; changed: readonly string[] }> {
  const path = join(root, kind)
  await cp(join(root, 'whole'), path, { recursive: true })
  const changed: string[] = []
  for (const name of await readdir(join(path, kind))) {
    const file = join(path, kind, name)
    const bytes = await readFile(file)
    bytes.writeUInt16LE(FORMAT + 1, 8)
    bytes.writeUInt32LE(crc32c(bytes.subarray(0, 36)), 36)
    await writeFile(file, bytes)
    changed.push(file)
  }
  return { path, changed }
}

/** Bytes, times and inodes of all files below a folder. */
async function stateOf(path: string): Promise<Map<string, string>> {
  const state = new Map<string, string>()
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const { mtimeNs, ino } = await stat(file, { bigint: true })
    state.set(file, `${mtimeNs} ${ino} ${entry.isFile() ? await readFile(file, 'latin1') : ''}`)
  }
  return state
}

describe('a file of a newer format', () => {
  test.each(['manifests', 'segments', 'keys'])(
    'among the %s is refused at opening, and nothing is touched',
    async (kind) => {
      const { path } = await newer(kind)
      const before = await stateOf(path)
      await expect(open(path)).rejects.toMatchObject({
        code: 'UNSUPPORTED_FORMAT',
        details: { expected: FORMAT, actual: FORMAT + 1 },
      })
      expect(await stateOf(path)).toEqual(before)
    },
  )

  test('in the audit trail refuses what belongs there, before it is done', async () => {
    const { path } = await newer('audit')
    const { corpus } = await open(path)
    const before = await stateOf(path)
    for (const call of [
      () => corpus.audit(),
      () => corpus.untag('case'),
      () => corpus.purge(),
      () => corpus.rollback(1),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
    expect(await stateOf(path)).toEqual(before)
  })

  test('among the derived ones is not read, and stays when another is written', async () => {
    const { path, changed } = await newer('derived')
    const { files } = await open(path)
    const before = await stateOf(path)
    expect(await files.read('words')).toBeUndefined()
    await files.write('words', { head: 2, body: Uint8Array.of(2) })
    await files.write('words', { head: 3, body: Uint8Array.of(3) })
    expect(await files.read('words')).toMatchObject({ head: 3 })
    const after = await stateOf(path)
    for (const file of changed) expect(after.get(file)).toBe(before.get(file))
    expect(await readdir(join(path, 'derived'))).toHaveLength(2)
  })
})
