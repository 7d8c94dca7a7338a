import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { fileStorage } from '../../src/node/index.ts'
import { storageConformance } from '../../src/testing/storage-conformance.ts'

const folders: string[] = []
const folderOf = new WeakMap<object, string>()

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'groundline-storage-'))
  folders.push(path)
  return path
}

afterEach(async () => {
  for (const path of folders.splice(0)) await rm(path, { recursive: true, force: true })
})

describe('fileStorage', () => {
  const cases = storageConformance({
    create: async () => {
      const path = join(await temporaryFolder(), 'deep', 'kb')
      const storage = fileStorage(path)
      folderOf.set(storage, path)
      return storage
    },
    reopen: (storage) => fileStorage(folderOf.get(storage)!),
  })
  test.each(cases)('$name', ({ run }) => run())

  test('files of others are neither listed nor touched', async () => {
    const path = await temporaryFolder()
    await writeFile(join(path, 'Their File.TXT'), 'theirs')
    await mkdir(join(path, 'Their Folder'))
    const storage = fileStorage(path)
    await storage.writeNew('ours', Uint8Array.of(1))
    expect(await storage.list('')).toEqual(['ours'])
    await storage.sweep?.()
    expect(await readFile(join(path, 'Their File.TXT'), 'utf8')).toBe('theirs')
  })

  test('a storage that may not write leaves the file system alone', async () => {
    const path = join(await temporaryFolder(), 'none')
    const storage = fileStorage(path, { write: 'never' })
    expect(await storage.list('')).toEqual([])
    await expect(storage.writeNew('a', Uint8Array.of(1))).rejects.toMatchObject({ code: 'READ_ONLY' })
    await expect(readdir(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('leftovers of dead processes are swept, those of living ones stay', async () => {
    const path = await temporaryFolder()
    const storage = fileStorage(path)
    await storage.publish('a', Uint8Array.of(1))
    const hosts = await readdir(join(path, '.tmp'))
    expect(hosts).toEqual([])
    // 2^22 is above the largest process id of Linux, so no such process runs.
    const { createHash } = await import('node:crypto')
    const { hostname } = await import('node:os')
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
    const dead = `${host}-4194305-${'0'.repeat(16)}`
    const living = `${host}-${process.pid}-${'0'.repeat(16)}`
    for (const name of [dead, living, 'foreign']) await writeFile(join(path, '.tmp', name), 'part')
    await storage.sweep?.()
    expect((await readdir(join(path, '.tmp'))).sort()).toEqual([living, 'foreign'].sort())
  })

  test('a read-only directory is a typed error, and reads on', async () => {
    const path = await temporaryFolder()
    await fileStorage(path).writeNew('before', Uint8Array.of(1))
    await chmod(path, 0o500)
    // Permissions bind nobody who is root: the call is then made by another user.
    const asNobody = process.getuid?.() === 0
    if (asNobody) {
      await chmod(path, 0o555)
      process.seteuid?.(65_534)
    }
    try {
      const storage = fileStorage(path)
      await expect(storage.writeNew('a', Uint8Array.of(1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
      await expect(storage.publish('a', Uint8Array.of(1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
      await expect(storage.remove('before')).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
      expect(await storage.read('before')).toEqual(Uint8Array.of(1))
      expect(await storage.list('')).toEqual(['before'])
    } finally {
      if (asNobody) process.seteuid?.(0)
      await chmod(path, 0o700)
    }
  })

  test('a path that is a file is a typed error', async () => {
    const path = join(await temporaryFolder(), 'file')
    await writeFile(path, 'x')
    await expect(fileStorage(path).writeNew('a', Uint8Array.of(1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })

  test('links are not listed as files', async () => {
    const path = await temporaryFolder()
    await symlink('/etc', join(path, 'etc'))
    expect(await fileStorage(path).list('')).toEqual([])
  })
})
