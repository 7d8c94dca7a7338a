import { chmod, mkdir, mkdtemp, open, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { SourceItem } from '../../src/corpus/corpus.ts'
import { type FolderOptions, folder } from '../../src/node/index.ts'

const folders: string[] = []

async function tree(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'groundline-folder-'))
  folders.push(root)
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}

async function list(root: string, options?: FolderOptions) {
  const items: SourceItem[] = []
  const failed: { id: string; error: Error }[] = []
  for await (const item of folder(root, options).items()) {
    if ('error' in item) failed.push(item)
    else items.push(item)
  }
  return { ids: items.map(({ id }) => id), items, failed }
}

afterEach(async () => {
  for (const root of folders.splice(0)) await rm(root, { recursive: true, force: true })
})

describe('folder', () => {
  test('Markdown and text are listed by relative path, in order, and read as bytes', async () => {
    const root = await tree({
      'b.md': '# B',
      'a/x.txt': 'x',
      'a/y.js': 'y',
      'node_modules/p/README.md': 'p',
      '.git/a.md': '',
    })
    const { ids, items, failed } = await list(root)
    expect(ids).toEqual(['a/x.txt', 'b.md'])
    expect(failed).toEqual([])
    const input = await items[1]!.read()
    expect(input).toMatchObject({ id: 'b.md', uri: join(root, 'b.md') })
    expect(new TextDecoder().decode(input.content as Uint8Array)).toBe('# B')
  })

  test('include, exclude, hidden and ignore files decide what is listed', async () => {
    const root = await tree({
      'a.md': '',
      'b.js': '',
      'skip/c.md': '',
      '.hidden.md': '',
      'logs/.gitignore': '*.md\n!keep.md\n',
      'logs/d.md': '',
      'logs/keep.md': '',
      'node_modules/p/e.md': '',
      '.gitignore': '/skip/\n',
    })
    expect((await list(root)).ids).toEqual(['a.md', 'logs/keep.md'])
    expect((await list(root, { ignoreFiles: [], hidden: 'list', exclude: ['logs'] })).ids).toEqual([
      '.hidden.md',
      'a.md',
      'node_modules/p/e.md',
      'skip/c.md',
    ])
    expect((await list(root, { include: ['*.js'], idPrefix: 'code/' })).ids).toEqual(['code/b.js'])
  })

  test('a folder that a nearer ignore file takes back is listed, and letters of another case are others', async () => {
    const root = await tree({
      '.gitignore': 'docs/\nfoo*\n',
      'docs/a.md': '',
      'project/.gitignore': '!docs/\n',
      'project/docs/b.md': '',
      'project/foot.md': '',
      'README.MD': '',
    })
    expect((await list(root)).ids).toEqual(['README.MD', 'project/docs/b.md'])
    await rename(join(root, 'project/foot.md'), join(root, 'project/Foot.md'))
    const cased = process.platform === 'linux' ? ['project/Foot.md'] : []
    expect((await list(root)).ids).toEqual(['README.MD', ...cased, 'project/docs/b.md'])
  })

  test('a missing folder is NOT_FOUND and a file INVALID_ARGUMENT, before anything is listed', async () => {
    const root = await tree({ 'a.md': '' })
    await expect(list(join(root, 'missing'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(list(join(root, 'a.md'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('links out of the folder are failures, links within it are followed, circles end', async () => {
    const outside = await tree({ 'secret.md': 'secret' })
    const root = await tree({ 'in/a.md': 'a' })
    await symlink(join(outside, 'secret.md'), join(root, 'leak.md'))
    await symlink(outside, join(root, 'leaks'))
    await symlink(join(root, 'in'), join(root, 'again'))
    await symlink(root, join(root, 'in', 'circle'))
    await symlink(join(root, 'nothing'), join(root, 'broken.md'))
    const { ids, failed } = await list(root)
    expect(ids).toEqual(['again/a.md', 'in/a.md'])
    expect(failed.map(({ id }) => id).sort()).toEqual(['broken.md', 'leak.md', 'leaks'])
  })

  test('a file that became a link out of the folder after the listing is not read', async () => {
    const outside = await tree({ 'secret.md': 'secret' })
    const root = await tree({ 'a.md': 'a' })
    const { items } = await list(root)
    await rm(join(root, 'a.md'))
    await symlink(join(outside, 'secret.md'), join(root, 'a.md'))
    await expect(items[0]!.read()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('a file over the limit is a failure, also when it grew after the listing', async () => {
    const root = await tree({ 'big.md': 'x'.repeat(200), 'small.md': 'x' })
    const { ids, items, failed } = await list(root, { maxBytes: 100 })
    expect(ids).toEqual(['small.md'])
    expect(failed).toMatchObject([{ id: 'big.md', error: { code: 'LIMIT_EXCEEDED' } }])
    await writeFile(join(root, 'small.md'), 'x'.repeat(200))
    await expect(items[0]!.read()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('a file of 1 GB is a failure that costs no memory', async () => {
    const root = await tree({ 'small.md': 'x' })
    const handle = await open(join(root, 'huge.md'), 'w')
    await handle.truncate(1 << 30)
    await handle.close()
    const before = process.memoryUsage().rss
    const { failed } = await list(root)
    expect(failed).toMatchObject([{ id: 'huge.md', error: { code: 'LIMIT_EXCEEDED' } }])
    expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20)
  })

  test('a revision changes with the file, and a file changed a moment ago has none', async () => {
    const root = await tree({ 'a.md': 'one' })
    expect((await list(root)).items[0]).not.toHaveProperty('revision')
    await utimes(join(root, 'a.md'), new Date(0), new Date(0))
    expect((await list(root)).items[0]).not.toHaveProperty('revision')
  })

  test('an unreadable folder and file are failures', async () => {
    const root = await tree({ 'closed/a.md': 'a', 'b.md': 'b' })
    await chmod(join(root, 'closed'), 0)
    await chmod(join(root, 'b.md'), 0)
    // Permissions bind nobody who is root: the folder is then read by another user.
    const asNobody = process.getuid?.() === 0
    if (asNobody) {
      await chmod(root, 0o755)
      process.seteuid?.(65_534)
    }
    try {
      const { items, failed } = await list(root)
      expect(failed).toMatchObject([{ id: 'closed', error: { code: 'STORAGE_FAILED' } }])
      await expect(items[0]!.read()).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    } finally {
      if (asNobody) process.seteuid?.(0)
      await chmod(join(root, 'closed'), 0o700)
    }
  })

  test('an aborted listing and an aborted read reject with the reason', async () => {
    const root = await tree({ 'a.md': 'a' })
    const reason = new Error('stop')
    const signal = AbortSignal.abort(reason)
    await expect(folder(root).items({ signal })[Symbol.asyncIterator]().next()).rejects.toBe(reason)
    const { items } = await list(root)
    await expect(items[0]!.read({ signal })).rejects.toBe(reason)
  })
})
