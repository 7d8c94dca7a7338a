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
  ['tsx', 'export const View = () => <p>hi</p>\n', ['View']],
  [
    'python',
    '@cache\ndef one():\n    return 1\n\nclass Two:\n    # how\n    def three(self):\n        return 3\n',
    ['one', 'Two', 'Two.three'],
  ],
  [
    'go',
    'package a\n\n// F does.\nfunc F() int { return 1 }\n\ntype T struct { x int }\n\nfunc (t T) M() {}\n',
    ['F', 'T', 'M'],
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

test.each([new Uint8Array(8), '/nowhere/grammar.wasm'])(
  'a grammar that fails to load is refused by name',
  async (grammar) => {
    await expect(treeSitterOutliner({ language: 'go', grammar })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { argument: 'grammar' },
    })
  },
)
