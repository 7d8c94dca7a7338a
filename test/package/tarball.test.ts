import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** Packs what is built, and installs it in a project of its own. */
function install(...flags: string[]): string {
  const project = mkdtempSync(join(tmpdir(), 'groundline-project-'))
  const npm = (...args: string[]) =>
    execFileSync('npm', args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }))
  const tarball = npm('pack', root, '--ignore-scripts', '--silent').trim().split('\n').at(-1) as string
  npm('install', `./${tarball}`, '--prefer-offline', '--no-audit', '--no-fund', ...flags)
  cpSync(join(root, 'test/fixtures/project'), project, { recursive: true })
  return project
}

const run = (project: string, file: string) =>
  execFileSync(process.execPath, [file], { cwd: project, encoding: 'utf8' })

it('a project that installs the packed tarball uses three modules in twenty lines', () => {
  const project = install()
  expect(readFileSync(join(project, 'three-modules.js'), 'utf8').trim().split('\n').length).toBeLessThanOrEqual(20)
  expect(JSON.parse(run(project, 'three-modules.js'))).toMatchObject({
    verbatim: true,
    found: 'keys.md',
  })
}, 240_000)

it('works without optional dependencies, and says which index it uses', () => {
  const project = install('--omit=optional')
  expect(existsSync(join(project, 'node_modules/usearch'))).toBe(false)
  expect(JSON.parse(run(project, 'preset.js'))).toMatchObject({ found: 'keys.md', vectorIndex: 'exact' })
  expect(JSON.parse(run(project, 'preset.cjs'))).toMatchObject({ found: 'keys.md', vectorIndex: 'exact' })
}, 240_000)
