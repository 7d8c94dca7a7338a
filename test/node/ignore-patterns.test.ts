import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ignoreLines, ignorePatterns } from '../../src/node/ignore-patterns.ts'
import { folder } from '../../src/node/index.ts'
import { seededRandom } from '../corpus/simulated-file-system.ts'

const FOLDERS = ['a', 'b', 'build', 'docs', 'x y', 'Foo', 'foo', 'tmp', '[z]', '#h', '!n']
const FILES = [
  'a.md',
  'b.md',
  'c.txt',
  'foo.md',
  'Foo.md',
  'x y.md',
  '#h.md',
  '!n.md',
  'a[1].md',
  'trail .md',
  'x-y.md',
  'aXbXc-d.md',
]
const PATTERNS = [
  ...[
    '*.md',
    'x-*',
    '[w-y]-y.md',
    '*X*X*-*.md',
    'a.md',
    '/a.md',
    'build',
    'build/',
    '/build',
    'docs/*.md',
    'docs/**',
    '**/a.md',
    'a/**/b.md',
    'foo*',
    'foo',
  ],
  ...[
    'x\\ y',
    'x y.md',
    'x y/',
    '\\#h.md',
    '#h.md',
    '\\!n.md',
    '!',
    '[ab].md',
    'a[[]1].md',
    '*',
    '/*',
    '**',
    'docs/',
    'a/',
  ],
  ...[
    'a/b',
    '?.md',
    '[!a].md',
    '[^a]*',
    '[a-c].md',
    '[]a].md',
    '[a-].md',
    '[z-a].md',
    '[[:alpha:]].md',
    '[[]z]',
    '[',
    'a\\',
  ],
  ...[
    '',
    'tmp/*',
    '*/a.md',
    'c.txt ',
    'c.txt\\ ',
    'trail\\ .md',
    'trail .md',
    '**/build/**',
    'docs/**/',
    '/docs/a',
    '/**/b.md',
  ],
  ...[
    'a**b',
    '*.t?t',
    '/',
    '//',
    '/a/',
    '*/',
    '***',
    'a/***/b',
    '/**',
    '**/**',
    'docs/**/a/**',
    'a.md\t',
    '.',
    '\\[z\\]',
  ],
]
const hasGit = (() => {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const trees = process.env.GROUNDLINE_NIGHTLY ? 500 : 25

describe('ignore patterns', () => {
  test.runIf(hasGit)(
    `a folder lists what git does not ignore, in ${trees} random trees`,
    async () => {
      const random = seededRandom(5)
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
      const root = mkdtempSync(join(tmpdir(), 'groundline-ignore-'))
      const make = (path: string, depth: number): void => {
        mkdirSync(path, { recursive: true })
        for (const name of FILES) if (random() < 0.6) writeFileSync(join(path, name), name)
        if (depth === 0 || random() < 0.6) {
          const lines = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
            const pattern = pick(PATTERNS)
            return random() < 0.3 && pattern !== '' ? `!${pattern}` : pattern
          })
          writeFileSync(join(path, '.gitignore'), lines.join(random() < 0.1 ? '\r\n' : '\n'))
        }
        if (depth < 3) for (const name of FOLDERS) if (random() < 0.2) make(join(path, name), depth + 1)
      }
      try {
        for (let tree = 0; tree < trees; tree++) {
          const path = join(root, String(tree))
          make(path, 0)
          const git = (...args: string[]) =>
            execFileSync('git', ['-c', 'core.excludesFile=', ...args], { cwd: path, encoding: 'utf8' })
          git('init', '-q')
          const expected = git('ls-files', '-z', '--others', '--exclude-standard').split('\0').filter(Boolean)
          const found: string[] = []
          for await (const { id } of folder(path, { include: ['*'], exclude: [] }).items()) found.push(id)
          const listed = expected.filter((name) => !name.endsWith('.gitignore'))
          expect(found.sort(), `tree ${tree}`).toEqual(listed.sort())
        }
      } finally {
        rmSync(root, { recursive: true, force: true })
      }
    },
    900_000,
  )

  test('an escaped space at the end stays, classes have names, and a pattern that does not end matches nothing', () => {
    const { verdict } = ignorePatterns(['a\\ ', 'b[[:digit:][:space:]]', 'c[', 'd\\', 'e[a-'])
    expect(verdict('a ', 'file')).toBe('ignored')
    expect(verdict('a', 'file')).toBeUndefined()
    expect(verdict('x/b7', 'file')).toBe('ignored')
    for (const name of ['bx', 'c[', 'c', 'd\\', 'd', 'e[a-', 'ea']) expect(verdict(name, 'file')).toBeUndefined()
    expect(ignorePatterns(['[[:none:]]']).verdict('n', 'file')).toBeUndefined()
    expect(ignoreLines('\uFEFFa\r\nb\n')).toEqual(['a', 'b', ''])
  })

  test('one character stands for one character, whatever its bytes, and folded letters are one', () => {
    expect(ignorePatterns(['?.md']).verdict('é.md', 'file')).toBe('ignored')
    expect(ignorePatterns(['?.md']).verdict('😀.md', 'file')).toBe('ignored')
    expect(ignorePatterns(['*.md'], 'folded').covers('docs/README.MD', 'file')).toBe(true)
    expect(ignorePatterns(['docs/']).covers('docs/a/b.md', 'file')).toBe(true)
    expect(ignorePatterns(['docs/']).verdict('docs', 'file')).toBeUndefined()
  })

  test('any text is a pattern, and one that is escaped stands for itself', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'-[]!^\\*?a/😀\uFFFD\uD83D ') }),
    )
    fc.assert(
      fc.property(anything, anything, (pattern, path) => {
        expect(['ignored', 'kept', undefined]).toContain(ignorePatterns([pattern]).verdict(path, 'folder'))
      }),
    )
    fc.assert(
      fc.property(anything, anything, (text, other) => {
        const name = `a${text.replaceAll('/', '')}`
        const escaped = Array.from(name, (each) => `\\${each}`).join('')
        const { verdict } = ignorePatterns([escaped])
        expect(verdict(name, 'file')).toBe('ignored')
        const another = `a${other.replaceAll('/', '')}`
        if (another !== name) expect(verdict(another, 'file')).toBeUndefined()
      }),
    )
    const { verdict } = ignorePatterns(['node-modules', '[a-]x', '[\uFFFD-😀]y', '[😀-\uFFFD]z'])
    for (const name of ['node-modules', '-x', '😀y', '\u{10000}y', '😀z']) expect(verdict(name, 'file')).toBe('ignored')
  })

  test('many stars take no more time than the name is long', () => {
    const deep = 'a/'.repeat(2_000)
    for (const [pattern, path] of [
      [`${'*a'.repeat(30)}*b`, 'a'.repeat(250)],
      [`${'**/a/'.repeat(30)}b`, deep],
      [`${'**/*a*/'.repeat(30)}b`, deep],
    ] as const) {
      const start = process.cpuUsage()
      expect(ignorePatterns([pattern]).verdict(path, 'file')).toBeUndefined()
      const { user, system } = process.cpuUsage(start)
      expect((user + system) / 1e3).toBeLessThan(500)
    }
  })
})
