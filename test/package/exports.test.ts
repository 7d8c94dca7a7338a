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

/** Every module of the source that is meant as an entry: the index of a folder, or a file with a subpath of its own. */
function sourceEntries(): string[] {
  const source = join(root, 'src')
  const found = ['.', './filter']
  for (const entry of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    const path = entry.replaceAll('\\', '/')
    if (/^.+\/index\.ts$/.test(path)) found.push(`./${path.replace(/\/index\.ts$/, '')}`)
    else if (/^(tokenizer\/[a-z0-9]+-(base|harmony)|chunker\/tree-sitter-outliner)\.ts$/.test(path))
      found.push(`./${path.replace(/\.ts$/, '')}`)
  }
  return found.sort()
}

describe('package exports', () => {
  it('names exactly the entries of the source', () => {
    expect(entries.map(([subpath]) => subpath).sort()).toEqual(sourceEntries())
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
