/**
 * Runs what must hold beyond the Node of this machine: the tests on Node 22 and 24 (from the npm registry), and a program
 * of the core modules in a headless Chromium when one is installed. Says what it could not start; exits 1 when something
 * failed. `--only node22`, `node24` or `chromium` runs one of them.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as esbuild from 'esbuild'

const root = join(import.meta.dirname, '..')
const results = []

execFileSync('npm', ['run', '--silent', 'build:js'], { cwd: root, stdio: 'inherit' })
const only = process.argv[2] === '--only' ? process.argv[3] : undefined
for (const major of [22, 24])
  if (only === undefined || only === `node${major}`) results.push([`Node ${major}`, onNode(major)])
if (only === undefined || only === 'chromium') results.push(['headless Chromium', await inChromium()])

for (const [name, outcome] of results) console.log(`${name}: ${outcome}`)
process.exitCode = results.some(([, outcome]) => outcome.startsWith('failed')) ? 1 : 0

function onNode(major) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const directory = mkdtempSync(join(tmpdir(), 'groundline-node-'))
  const install = spawnSync('npm', ['install', '--prefix', directory, '--no-audit', '--no-fund', `${name}@${major}`], {
    encoding: 'utf8',
  })
  const node = join(directory, 'node_modules', name, 'bin/node')
  if (install.status !== 0 || !existsSync(node)) return `not run: ${name}@${major} could not be installed`
  const tests = spawnSync(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=dot'], {
    cwd: root,
    stdio: 'inherit',
  })
  return tests.status === 0 ? `passed on ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}` : 'failed'
}

async function inChromium() {
  const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  )
  if (chromium === undefined) return 'not run: no chromium, chromium-browser or google-chrome on the PATH'
  const bundle = (platform) =>
    esbuild.buildSync({
      entryPoints: [join(root, 'test/matrix/core.mjs')],
      bundle: true,
      format: 'esm',
      platform,
      write: false,
      absWorkingDir: root,
    }).outputFiles[0].text
  const script = bundle('browser')
  const assets = {
    '/vocabulary': readFileSync(join(root, 'vocabularies/o200k_base.bin')),
    '/model': readFileSync(join(root, 'models/static-en-2.bin')),
  }
  const page = `<!doctype html><meta charset="utf-8"><body><script type="module">
${script}
const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer())
document.body.textContent = 'RESULT' + await runCore(await bytes('/vocabulary'), await bytes('/model')) + 'END'
</script>`
  const server = createServer((request, response) => {
    const asset = assets[request.url]
    response.setHeader('content-type', asset ? 'application/octet-stream' : 'text/html')
    response.end(asset ?? page)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--virtual-time-budget=20000',
    `--user-data-dir=${mkdtempSync(join(tmpdir(), 'groundline-chromium-'))}`,
    '--dump-dom',
    `http://127.0.0.1:${server.address().port}/`,
  ]
  const child = spawn(chromium, flags, { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  await new Promise((resolve) => child.on('close', resolve))
  server.close()
  const { runCore } = await import(join(root, 'test/matrix/core.mjs'))
  const [, found] = /RESULT(.*?)END/s.exec(output) ?? []
  const expected = await runCore(new Uint8Array(assets['/vocabulary']), new Uint8Array(assets['/model']))
  if (found === undefined) return `failed: the page gave no result: ${output.slice(0, 200)}`
  return found === expected
    ? `passed: the same digest as Node ${process.version}`
    : `failed: ${found} instead of ${expected}`
}
