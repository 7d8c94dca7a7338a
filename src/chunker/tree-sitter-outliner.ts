import type { Node, TreeCursor } from 'web-tree-sitter'
import type { Span } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { createSerial } from '../internal/serial.ts'
import { type CodeLanguage, type CodeOutliner, type CodeSymbol, requireLanguage } from './code-chunker.ts'

/** Options of {@link treeSitterOutliner}. */
export interface TreeSitterOutlinerOptions {
  /** The programming language. */
  readonly language: Exclude<CodeLanguage, 'other'>
  /** The grammar's WASM: its bytes, or a path or URL that `web-tree-sitter` can load. For C a C++ grammar serves too. */
  readonly grammar: Uint8Array | string | URL
  /** Path or URL of `web-tree-sitter.wasm`, where it does not stand beside its module. */
  readonly runtime?: string
}

/** web-tree-sitter loads into one memory of its own, and two loads at once spoil each other. */
let inTurn: ReturnType<typeof createSerial> | undefined

/**
 * Finds the functions, classes, methods and types of a program with a tree-sitter grammar that you install; needs the
 * optional peer `web-tree-sitter`. Throws `MISSING_DEPENDENCY` without it, and `INVALID_ARGUMENT` naming `grammar` where
 * the grammar does not load.
 *
 * @example
 * ```ts
 * const grammar = await readFile('node_modules/tree-sitter-python/tree-sitter-python.wasm')
 * const outliner = await treeSitterOutliner({ language: 'python', grammar })
 * const chunker = codeChunker({ language: 'python', outliner })
 * ```
 */
export async function treeSitterOutliner(options: TreeSitterOutlinerOptions): Promise<CodeOutliner> {
  const { language, grammar, runtime } = options
  requireLanguage(language)
  const { Parser, Language } = await import('web-tree-sitter').catch((cause: unknown) => {
    throw new GroundlineError(
      'MISSING_DEPENDENCY',
      'treeSitterOutliner needs web-tree-sitter: npm install web-tree-sitter',
      {
        cause,
        details: { dependency: 'web-tree-sitter' },
      },
    )
  })
  inTurn ??= createSerial()
  const parser = await inTurn(async () => {
    await Parser.init(runtime === undefined ? {} : { locateFile: () => runtime })
    return new Parser().setLanguage(await Language.load(grammar))
  }).catch((cause: unknown) => {
    const given = typeof grammar === 'string' || grammar instanceof URL ? String(grammar) : `${grammar?.length} bytes`
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `grammar (${given}) does not load as a tree-sitter grammar for ${language}`,
      {
        cause,
        details: { argument: 'grammar', language },
      },
    )
  })
  const kinds = new Set(symbolKinds(language).split(' '))
  return (text) => {
    const tree = parser.parse(text)
    if (tree === null) return undefined
    const cursor = tree.walk()
    try {
      return symbolsOf(text, cursor, kinds)
    } finally {
      cursor.delete()
      tree.delete()
    }
  }
}

/** Types of nodes that are symbols. */
function symbolKinds(language: CodeLanguage): string {
  const script =
    'function_declaration generator_function_declaration class_declaration method_definition variable_declarator field_definition public_field_definition'
  if (language === 'javascript') return script
  if (language === 'typescript' || language === 'tsx')
    return `${script} abstract_class_declaration interface_declaration enum_declaration type_alias_declaration internal_module`
  if (language === 'python') return 'function_definition class_definition'
  if (language === 'go') return 'function_declaration method_declaration type_spec'
  if (language === 'rust')
    return 'function_item struct_item enum_item trait_item impl_item mod_item macro_definition union_item'
  if (language === 'java')
    return 'class_declaration interface_declaration enum_declaration record_declaration method_declaration constructor_declaration'
  return 'function_definition struct_specifier enum_specifier union_specifier class_specifier namespace_definition'
}

/** One node on the way from the root, as far as the symbols below and beside it need it. */
interface Level {
  /** Where the comments, attributes and decorators right above the next sibling begin and end; `end` is −1 without any. */
  above: Span
  /** The outermost of the nodes that wrap the children (`export`, `const`, decorators), with the comments above it. */
  wrapper: Span | undefined
}

/**
 * Walks the tree once. A node's parent and siblings are remembered from the way to it: asking a node for them searches from
 * the root each time, which is quadratic in deep trees.
 */
function symbolsOf(text: string, cursor: TreeCursor, kinds: ReadonlySet<string>): CodeSymbol[] {
  const symbols: CodeSymbol[] = []
  const open: number[] = []
  const root: Level = { above: none, wrapper: undefined }
  const levels: Level[] = [{ above: none, wrapper: undefined }]
  for (;;) {
    const level = levels[levels.length - 1]!
    const type = cursor.nodeType
    level.wrapper = undefined
    if (/comment|attribute_item|decorator/.test(type)) {
      const { startIndex, endIndex } = cursor
      // A comment that ends a line of code belongs to that line.
      const start = startOf(text, level, startIndex)
      level.above = beginsLine(text, startIndex) ? { start, end: endIndex } : none
    } else {
      const outer = levels[levels.length - 2] ?? root
      if (wrappers.test(type))
        level.wrapper = outer.wrapper ?? { start: startOf(text, level, cursor.startIndex), end: cursor.endIndex }
      if (kinds.has(type)) {
        const node = cursor.currentNode
        const name = nameOf(node)
        while (open.length > 0 && symbols[open[open.length - 1]!]!.end <= node.startIndex) open.pop()
        if (name !== undefined) {
          const parent = open[open.length - 1] ?? -1
          const { start, end } = outer.wrapper ?? { start: startOf(text, level, node.startIndex), end: node.endIndex }
          const floor = Math.max(parent < 0 ? 0 : symbols[parent]!.start, symbols[symbols.length - 1]?.start ?? 0)
          open.push(symbols.push({ start: Math.max(start, floor), end, depth: open.length, parent, name }) - 1)
        }
      }
      level.above = none
    }
    if (cursor.gotoFirstChild()) {
      levels.push({ above: none, wrapper: undefined })
      continue
    }
    while (!cursor.gotoNextSibling()) {
      if (!cursor.gotoParent()) return symbols
      levels.pop()
    }
  }
}

const none: Span = { start: 0, end: -1 }
const wrappers =
  /^(?:export_statement|decorated_definition|lexical_declaration|variable_declaration|type_declaration|template_declaration)$/

/** Where a node begins with the comments right above it: those that at most one line end parts from it. */
function startOf(text: string, { above }: Level, start: number): number {
  if (above.end < 0) return start
  let lines = 0
  for (let at = above.end; at < start; at += 1) if (text.charCodeAt(at) === 10) lines += 1
  return lines > 1 ? start : above.start
}

function beginsLine(text: string, start: number): boolean {
  let at = start - 1
  while (at >= 0 && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at -= 1
  return at < 0 || text.charCodeAt(at) === 10 || text.charCodeAt(at) === 13
}

/** A symbol's name; undefined for a node that is none after all, such as a variable that is no function. */
function nameOf(node: Node): string | undefined {
  if (/^(?:variable_declarator|(?:public_)?field_definition)$/.test(node.type)) {
    const value = node.childForFieldName('value')
    if (value === null || !/function|class/.test(value.type)) return undefined
  }
  if (/_specifier$/.test(node.type) && node.childForFieldName('body') === null) return undefined
  let name = node.childForFieldName('name') ?? node.childForFieldName('property') ?? node.childForFieldName('type')
  // In C the name is the innermost declarator.
  if (node.type === 'function_definition' && node.childForFieldName('declarator') !== null) {
    name = node.childForFieldName('declarator')
    for (let inner = name; inner !== null; inner = inner.childForFieldName('declarator')) name = inner
  }
  return name === null ? undefined : name.text.slice(0, 200)
}
