import type { Node, TreeCursor } from 'web-tree-sitter'
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
    try {
      return symbolsOf(tree.walk(), kinds)
    } finally {
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

function symbolsOf(cursor: TreeCursor, kinds: ReadonlySet<string>): CodeSymbol[] {
  const symbols: CodeSymbol[] = []
  const open: number[] = []
  for (;;) {
    if (kinds.has(cursor.nodeType)) {
      const node = cursor.currentNode
      const name = nameOf(node)
      while (open.length > 0 && symbols[open[open.length - 1]!]!.end <= node.startIndex) open.pop()
      if (name !== undefined) {
        const parent = open[open.length - 1] ?? -1
        const { start, end } = withSurroundings(node)
        const first = Math.max(start, parent < 0 ? 0 : symbols[parent]!.start, symbols[symbols.length - 1]?.start ?? 0)
        open.push(symbols.push({ start: first, end, depth: open.length, parent, name }) - 1)
      }
    }
    if (cursor.gotoFirstChild()) continue
    while (!cursor.gotoNextSibling()) if (!cursor.gotoParent()) return symbols
  }
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

/** The node with what wraps it (`export`, `const`, decorators) and the comments and attributes right above. */
function withSurroundings(node: Node): { start: number; end: number } {
  let outer = node
  while (
    outer.parent !== null &&
    /^(?:export_statement|decorated_definition|lexical_declaration|variable_declaration|type_declaration|template_declaration)$/.test(
      outer.parent.type,
    )
  )
    outer = outer.parent
  let first = outer
  for (
    let above = first.previousSibling;
    above !== null && /comment|attribute_item|decorator/.test(above.type);
    above = first.previousSibling
  ) {
    if (first.startPosition.row - above.endPosition.row > 1) break
    // A comment that ends a line of code belongs to that line.
    if (above.previousSibling !== null && above.previousSibling.endPosition.row === above.startPosition.row) break
    first = above
  }
  return { start: first.startIndex, end: outer.endIndex }
}
