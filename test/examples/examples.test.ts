import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const quickstart = join(root, 'examples/quickstart.ts')
const environment = { ...process.env, OPENAI_API_KEY: '', ANTHROPIC_API_KEY: '' }

const run = (...args: string[]): string =>
  execFileSync(process.execPath, ['--import', 'tsx', ...args], { cwd: root, encoding: 'utf8', env: environment })

/** What each example must print; the quickstart has tests of its own below. */
const shows: { readonly [example: string]: readonly RegExp[] } = {
  'ask-with-citations.ts': [
    /\[1\] verified: keys\.md 9–34/,
    /\[1\] unverified \(quote-not-found\)/,
    /\[7\] unverified \(unknown-source\)/,
  ],
  'compose-pipeline.ts': [/Keys are rotated every ninety days/, /\d+ of 800 tokens/],
  'contextual-chunks.ts': [
    /kestrel: It nests in old buildings/,
    /dipper: It nests behind waterfalls/,
    /siskin: It nests high in the crowns/,
  ],
  'mcp-tool.ts': [/tools: search_documents/, /Keys are rotated every ninety days/],
  'plain-javascript.js': [/^Keys are rotated every ninety days\.$/m],
  'provider-adapter.ts': [/^ok {6}/m, /^0 failed; 100 texts embedded/m],
  'require.cjs': [/^Keys are rotated every ninety days\.$/m],
}

/** Forty-one files, of which one answers the question. */
function folderOfNotes(): string {
  const folder = mkdtempSync(join(tmpdir(), 'groundline-notes-'))
  mkdirSync(join(folder, 'deep'))
  for (let n = 0; n < 40; n++) {
    writeFileSync(join(folder, 'deep', `note-${n}.md`), `# Note ${n}\n\nThe number of this note is ${n}. `.repeat(20))
  }
  writeFileSync(join(folder, 'keys.md'), '# Handbook\n\n## Keys\n\nKeys are rotated every ninety days.\n')
  return folder
}

describe('examples', () => {
  it('are all listed here', () => {
    expect(readdirSync(join(root, 'examples')).sort()).toEqual([...Object.keys(shows), 'quickstart.ts'].sort())
  })

  it.each(Object.entries(shows))('%s runs and shows what it is for', (example, patterns) => {
    const output = run(join(root, 'examples', example))
    for (const pattern of patterns) expect(output).toMatch(pattern)
  })
})

describe('quickstart', () => {
  it('indexes a folder, prints a prompt within its budget with numbered sources, and reuses the store', () => {
    const [folder, store] = [folderOfNotes(), mkdtempSync(join(tmpdir(), 'groundline-store-'))]
    const first = run(quickstart, 'When are keys rotated?', '--dir', folder, '--store', store)
    expect(first).toMatch(/41 added/)
    expect(first).toMatch(/\[1\] .*keys\.md › Handbook · line \d+ · characters \d+–\d+/)
    const [, total, budget] = /(\d+) of (\d+) tokens \(bound\)/.exec(first) ?? []
    expect(Number(total)).toBeLessThanOrEqual(Number(budget))

    const second = run(quickstart, 'When are keys rotated?', '--dir', folder, '--store', store)
    expect(second).toMatch(/41 reused from the store/)
    const promptOf = (output: string) => output.slice(output.indexOf('question:'))
    expect(promptOf(second)).toBe(promptOf(first))
  })

  it('completes after it was killed while indexing', async () => {
    const [folder, store] = [folderOfNotes(), mkdtempSync(join(tmpdir(), 'groundline-store-'))]
    for (const delay of [400, 700, 900]) {
      const child = spawn(process.execPath, ['--import', 'tsx', quickstart, '--dir', folder, '--store', store], {
        cwd: root,
        env: environment,
        stdio: 'ignore',
      })
      const timer = setTimeout(() => child.kill('SIGKILL'), delay)
      await once(child, 'exit')
      clearTimeout(timer)
    }
    expect(run(quickstart, 'When are keys rotated?', '--dir', folder, '--store', store)).toMatch(/^41 documents/m)
  })

  it.each([
    ['a missing folder', ['--dir', join(tmpdir(), 'groundline-no-such-folder')], /NOT_FOUND/],
    ['a budget smaller than the question', ['--dir', join(root, 'docs'), '--budget', '1030'], /BUDGET_EXCEEDED/],
    ['an empty question', [' ', '--dir', join(root, 'docs')], /INVALID_ARGUMENT/],
  ])('says what is wrong with %s', (_, args, message) => {
    const store = mkdtempSync(join(tmpdir(), 'groundline-store-'))
    expect(() => run(quickstart, ...args, '--store', store)).toThrow(message)
  })
})
