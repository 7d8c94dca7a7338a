import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'

type Conditions = { readonly [condition: string]: string }
const root = join(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: { readonly [subpath: string]: string | Conditions }
}
const entries = Object.entries(manifest.exports).filter(
  (entry): entry is [string, Conditions] => typeof entry[1] === 'object',
)

/** Files with a subpath of their own beside the index of their folder: each is an import that must be asked for. */
const single = ['filter', 'chunker/tree-sitter-outliner', 'tokenizer/o200k-base', 'tokenizer/o200k-harmony']
  .concat(['tokenizer/cl100k-base', 'tokenizer/p50k-base', 'tokenizer/r50k-base'])
  .map((path) => `./${path}`)

/** The index of every folder that is meant as an entry. */
function folderEntries(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /(^|\/)index\.ts$/.test(path))
    .map((path) => (path === 'index.ts' ? '.' : `./${path.replace(/\/index\.ts$/, '')}`))
}

describe('package exports', () => {
  it('names the index of every folder, the single files, and nothing else', () => {
    expect(entries.map(([subpath]) => subpath).sort()).toEqual([...folderEntries(), ...single].sort())
  })

  it.each(entries)('%s points to files that are built, in every condition', (_, conditions) => {
    for (const path of Object.values(conditions))
      if (!path.endsWith('.d.ts')) expect(existsSync(join(root, path)), path).toBe(true)
  })

  it.each(entries)('%s has its types beside its code', (_, conditions) => {
    expect(conditions.types).toBe(conditions.default?.replace(/\.js$/, '.d.ts'))
  })

  it.each(entries)('%s can be imported, and exports only named bindings', async (_, conditions) => {
    const module = (await import(pathToFileURL(join(root, conditions.default as string)).href)) as object
    expect(Object.keys(module)).not.toContain('default')
  })
})
