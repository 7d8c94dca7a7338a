import { mkdir, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { folder } from '../../src/node/index.ts'

let root = ''
afterEach(async () => {
  if (root !== '') await rm(root, { recursive: true, force: true })
})

/** Ids reported until all of `wanted` were; fails by the test's time limit. */
async function until(watch: AsyncIterator<readonly string[]>, wanted: readonly string[]): Promise<Set<string>> {
  const seen = new Set<string>()
  while (!wanted.every((id) => seen.has(id))) {
    for (const id of (await watch.next()).value!) seen.add(id)
  }
  return seen
}

test('a watched folder reports files that are added, changed and removed, in new folders too, and nothing it would not list', async () => {
  root = await mkdtemp(join(tmpdir(), 'groundline-watch-'))
  await writeFile(join(root, 'a.md'), 'one')
  const controller = new AbortController()
  const source = folder(root, { idPrefix: 'docs/', settleMs: 50 })
  const watch = source.watch({ signal: controller.signal })[Symbol.asyncIterator]()
  expect((await watch.next()).value).toEqual([])
  await mkdir(join(root, 'new/node_modules'), { recursive: true })
  await mkdir(join(root, 'node_modules'))
  await writeFile(join(root, 'node_modules/x.md'), 'passed over')
  await writeFile(join(root, '.hidden.md'), 'passed over')
  await writeFile(join(root, 'b.js'), 'passed over')
  await writeFile(join(root, 'a.md'), 'two')
  await writeFile(join(root, 'new/c.md'), 'three')
  expect([...(await until(watch, ['docs/a.md', 'docs/new/c.md']))].sort()).toEqual(['docs/a.md', 'docs/new/c.md'])
  await unlink(join(root, 'a.md'))
  await writeFile(join(root, '.gitignore'), 'c.md')
  await until(watch, ['docs/a.md', 'docs/.gitignore'])
  const next = watch.next()
  controller.abort('done')
  await expect(next).rejects.toBe('done')
}, 20_000)

test('a folder that is missing cannot be watched, and a watch that is left is closed', async () => {
  root = await mkdtemp(join(tmpdir(), 'groundline-watch-'))
  const missing = folder(join(root, 'none')).watch()[Symbol.asyncIterator]()
  await expect(missing.next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  for await (const changed of folder(root).watch()) {
    expect(changed).toEqual([])
    break
  }
  await expect(
    folder(root)
      .watch({ signal: AbortSignal.abort('early') })
      [Symbol.asyncIterator]()
      .next(),
  ).rejects.toBe('early')
})

test('a folder that is a link is watched, and links in it are no changes', async () => {
  root = await mkdtemp(join(tmpdir(), 'groundline-watch-'))
  await mkdir(join(root, 'real/docs'), { recursive: true })
  await mkdir(join(root, 'outside'))
  await symlink(join(root, 'real'), join(root, 'link'))
  await symlink('..', join(root, 'real/docs/up'))
  await symlink('../outside', join(root, 'real/out'))
  const controller = new AbortController()
  const watch = folder(join(root, 'link'), { settleMs: 50 })
    .watch({ signal: controller.signal })
    [Symbol.asyncIterator]()
  expect((await watch.next()).value).toEqual([])
  await writeFile(join(root, 'real/docs/a.md'), 'one')
  expect([...(await until(watch, ['docs/a.md']))]).toEqual(['docs/a.md'])
  controller.abort()
}, 20_000)
