import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { characterCounter, chunkNotes, codeChunker } from '../../src/chunker/index.ts'
import { type TreeSitterOutlinerOptions, treeSitterOutliner } from '../../src/chunker/tree-sitter-outliner.ts'
import { chunkerConformance } from '../../src/testing/chunker-conformance.ts'
import { outlinerOf } from './every-chunker.ts'
import { hostileText, lawRuns } from './hostile-text.ts'
import { describeLaws } from './laws.ts'

type Language = TreeSitterOutlinerOptions['language']
const script = `import x from 'y'

// Adds.
export function add(a, b) {
  return a + b // '🎉👩‍👩‍👧'
}

/** A shape. */
export class Shape {
  area() {
    return 0
  }

  static of(size) {
    return new Shape(size)
  }
}

const twice = (n) => n * 2
const PI = 3
`
const samples: [Language, string, string[]][] = [
  ['javascript', script, ['add', 'Shape', 'Shape.area', 'Shape.of', 'twice']],
  [
    'typescript',
    `${script}interface Point { x: number }\ntype Id = string\nenum Color { Red }\n`,
    ['add', 'Shape', 'Shape.area', 'Shape.of', 'twice', 'Point', 'Id', 'Color'],
  ],
  [
    'javascript',
    `// Adds.\nexports.add = function (a) {}\n\nShape.prototype.area = () => 0\nlimit = 3\nconst { a } = b\nconst one = () => { const in1 = () => 1 }, two = () => 2\n`,
    ['exports.add', 'Shape.prototype.area', 'one', 'one.in1', 'two'],
  ],
  [
    'typescript',
    `declare module 'm' { function z(): void }\nabstract class A { abstract q(): void }\nfunction over(a: string): void\nfunction over(a: any) {}\n`,
    ["'m'", "'m'.z", 'A', 'A.q', 'over', 'over'],
  ],
  [
    'go',
    'package a\n\ntype (\n\tU interface{ M() }\n\tV = int\n)\n\nfunc (t *List[T]) Len() int { return 0 }\nfunc (T) N() {}\n',
    ['U', 'V', 'List.Len', 'T.N'],
  ],
  ['java', '@interface An { int v(); }\nrecord R(int a) { R { } }\n', ['An', 'R', 'R.R']],
  [
    'c',
    'typedef struct { int q; } TD;\ntypedef struct N { int q; } M;\ntypedef int I;\nint (*fp(void))(int) { return 0; }\n',
    ['TD', 'N', 'fp'],
  ],
  ['tsx', 'export const View = () => <p>hi</p>\n', ['View']],
  [
    'python',
    '@cache\ndef one():\n    return 1\n\nclass Two:\n    # how\n    def three(self):\n        return 3\n',
    ['one', 'Two', 'Two.three'],
  ],
  [
    'go',
    'package a\n\n// F does.\nfunc F() int { return 1 }\n\ntype T struct { x int }\n\nfunc (t T) M() {}\n',
    ['F', 'T', 'T.M'],
  ],
  [
    'rust',
    '#[test]\nfn one() {}\n\nstruct S { x: u8 }\n\nimpl S {\n    fn two(&self) {}\n}\n\nmod m { fn three() {} }\n',
    ['one', 'S', 'S', 'S.two', 'm', 'm.three'],
  ],
  [
    'java',
    'class A {\n  A() {}\n  /** Doc. */\n  int b() { return 1; }\n}\ninterface C { void d(); }\n',
    ['A', 'A.A', 'A.b', 'C', 'C.d'],
  ],
  ['c', '#include <x.h>\n\nstruct point { int x; };\n\nstatic int *add(int a) {\n  return 0;\n}\n', ['point', 'add']],
]

describe.each(samples)('%s', (language, text, names) => {
  test('finds the symbols with their paths, comments and decorators included', async () => {
    const symbols = (await outlinerOf(language))(text)!
    const pathOf = (index: number): string => {
      const { parent, name } = symbols[index]!
      return parent < 0 ? name : `${pathOf(parent)}.${name}`
    }
    expect(symbols.map((_, index) => pathOf(index))).toEqual(names)
    for (const [index, { start, end, parent }] of symbols.entries()) {
      expect(index === 0 || symbols[index - 1]!.start <= start).toBe(true)
      if (parent >= 0) expect(symbols[parent]!.start <= start && end <= symbols[parent]!.end).toBe(true)
    }
  })

  test('keeps the laws of chunkers', async () => {
    const outliner = await outlinerOf(language)
    const create = () => codeChunker({ language, outliner, maxTokens: 60, counter: characterCounter() })
    for (const { run } of chunkerConformance({
      create,
      maxTokens: 60,
      count: (part) => part.length,
      documents: [{ id: 'code', text }],
    }))
      await run()
  })
})

const outlines = new Map(await Promise.all(samples.map(async ([name]) => [name, await outlinerOf(name)] as const)))
const programs = fc
  .array(fc.oneof(fc.constantFrom(...samples.map(([, text]) => text)), hostileText), { maxLength: 4 })
  .map((parts) => ({ id: 'code', text: parts.join('\n') }))
describe.each(samples)('any text as %s', (language) => {
  const outliner = outlines.get(language)!
  describeLaws('codeChunker', (limits) => codeChunker({ ...limits, language, outliner }), {
    documents: programs,
    runs: Math.ceil(lawRuns / samples.length),
  })
})

test('a function stays whole with its comment, and its path is noted', async () => {
  const outliner = await outlinerOf('javascript')
  const chunker = codeChunker({ language: 'javascript', outliner, maxTokens: 80, counter: characterCounter() })
  const chunks = [...chunker.chunk({ id: 'a.js', text: script })]
  const add = chunks.find(({ text }) => text.includes('return a + b'))!
  expect(add.text).toContain('// Adds.\nexport function add')
  expect(add.text.trimEnd().endsWith('}')).toBe(true)
  expect(chunkNotes(add)).toEqual({ language: 'javascript', symbolPath: ['add'] })
  const area = chunks.find(({ text }) => text.includes('area()'))!
  expect(chunkNotes(area).symbolPath?.[0]).toBe('Shape')
})

const grammarOf = (name: string) =>
  readFile(createRequire(import.meta.url).resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`))
const python = await grammarOf('python')
// tree-sitter's own runtime.
const noGrammar = readFile(createRequire(import.meta.url).resolve('web-tree-sitter/web-tree-sitter.wasm'))

test.each<[string, Uint8Array | string | URL | Promise<Uint8Array> | undefined]>([
  ['zeros', new Uint8Array(8)],
  ['no bytes', new Uint8Array(0)],
  ['text', new TextEncoder().encode('hello')],
  ['an empty module', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
  ['a module that is no grammar', noGrammar],
  ['half a grammar', python.subarray(0, python.length >> 1)],
  ['a grammar without its end', python.subarray(0, python.length - 10)],
  ['a damaged grammar', python.map((byte, at) => (at >= 2000 && at < 2050 ? byte ^ 255 : byte))],
  ['another language, Go', grammarOf('go')],
  ['another language, C++, which shares a name of a node', grammarOf('cpp')],
  ['a path to nothing', '/nowhere/grammar.wasm'],
  ['a folder', new URL('.', import.meta.url)],
  ['nothing', undefined],
])('a grammar that fails to load is refused by name, and the next one loads: %s', async (_, grammar) => {
  const loading = treeSitterOutliner({ language: 'python', grammar: (await grammar) as Uint8Array })
  await expect(loading).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { argument: 'grammar' } })
  expect((await treeSitterOutliner({ language: 'python', grammar: python }))('def a(): pass')).toHaveLength(1)
})

test.skipIf(process.platform === 'win32')(
  'an abort ends a read that hangs, with its reason, and others load meanwhile',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'grammar-'))
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const controller = new AbortController()
    const { signal } = controller
    const hanging = treeSitterOutliner({ language: 'python', grammar: pipe, signal })
    const reason = new Error('enough')
    expect((await treeSitterOutliner({ language: 'python', grammar: python }))('def a(): pass')).toHaveLength(1)
    controller.abort(reason)
    await expect(hanging).rejects.toBe(reason)
    await expect(treeSitterOutliner({ language: 'python', grammar: python, signal })).rejects.toBe(reason)
    // Lets go of the thread that opens the pipe.
    await writeFile(pipe, '')
    await rm(folder, { recursive: true })
  },
)

test('"other" has no grammar', async () => {
  await expect(treeSitterOutliner({ language: 'other' as 'go', grammar: python })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: { argument: 'language' },
  })
})
