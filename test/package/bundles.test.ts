import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as esbuild from 'esbuild'
import { build as viteBuild } from 'vite'
import { beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** What a program that imports one module may weigh, and what it must not contain. */
const fixtures = [
  {
    name: 'tokenizer',
    maxGzip: 2_000_000,
    mustNotAppear: ['recursiveChunker', 'markdown-it', 'usearch', 'denseRetriever', 'o200k_base'],
  },
  {
    name: 'chunker',
    maxGzip: 12_288,
    mustNotAppear: ['markdown-it', 'js-tiktoken', 'cl100k', 'usearch', 'denseRetriever', 'promptAssembler', 'node:'],
  },
  {
    name: 'assembler',
    maxGzip: 12_288,
    mustNotAppear: ['markdown-it', 'cl100k_base', 'usearch', 'denseRetriever', 'recursiveChunker', 'node:'],
  },
  {
    name: 'retriever',
    maxGzip: 12_288,
    mustNotAppear: ['markdown-it', 'cl100k', 'usearch', 'recursiveChunker', 'promptAssembler', 'node:'],
  },
]

/** A bundled program does not find files of the package by itself: it passes their bytes. */
const vocabulary = join(root, 'vocabularies/cl100k_base.bin')
let app = ''
beforeAll(() => {
  app = mkdtempSync(join(tmpdir(), 'groundline-bundles-'))
  mkdirSync(join(app, 'node_modules'))
  symlinkSync(root, join(app, 'node_modules/groundline'), 'dir')
  writeFileSync(join(app, 'package.json'), JSON.stringify({ type: 'module' }))
  for (const { name } of fixtures) {
    writeFileSync(join(app, `${name}.ts`), readFileSync(join(root, `test/fixtures/bundles/${name}.ts`)))
  }
})

const bundlers = {
  esbuild: async (name: string, outfile: string): Promise<void> => {
    await esbuild.build({
      entryPoints: [join(app, `${name}.ts`)],
      outfile,
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
    })
  },
  vite: async (name: string, outfile: string): Promise<void> => {
    await viteBuild({
      root: app,
      configFile: false,
      logLevel: 'silent',
      ssr: { noExternal: true },
      build: {
        ssr: join(app, `${name}.ts`),
        minify: true,
        target: 'node20',
        emptyOutDir: false,
        outDir: join(outfile, '..'),
        rollupOptions: { output: { entryFileNames: outfile.split('/').at(-1) as string, format: 'es' } },
      },
    })
  },
}

for (const [bundler, bundle] of Object.entries(bundlers)) {
  describe(`a program of one module, bundled by ${bundler}`, () => {
    it.each(fixtures)(
      '$name stays within its size, leaves out the other modules, and runs',
      async ({ name, maxGzip, mustNotAppear }) => {
        const outfile = join(app, `${name}.${bundler}.mjs`)
        await bundle(name, outfile)
        const code = readFileSync(outfile, 'utf8')
        expect(mustNotAppear.filter((word) => code.includes(word))).toEqual([])
        expect(gzipSync(code).length).toBeLessThanOrEqual(maxGzip)
        expect(execFileSync(process.execPath, [outfile, vocabulary], { encoding: 'utf8' }).trim()).toBe('true')
      },
    )
  })
}
