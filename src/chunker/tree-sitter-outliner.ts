import type { Node, TreeCursor } from 'web-tree-sitter'
import type { AbortOptions, Span } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { createSerial } from '../internal/serial.ts'
import { untilAborted } from '../internal/until-aborted.ts'
import { type CodeLanguage, type CodeOutliner, type CodeSymbol, requireLanguage } from './code-chunker.ts'

/** Options of {@link treeSitterOutliner}. */
export interface TreeSitterOutlinerOptions extends AbortOptions {
  /** The programming language. */
  readonly language: Exclude<CodeLanguage, 'other'>
  /** The grammar's WASM: its bytes, or where to read them: a path or `file:` URL in Node, else a URL. For C a C++ grammar serves too. */
  readonly grammar: Uint8Array | string | URL
  /** Path or URL of `web-tree-sitter.wasm`, where it does not stand beside its module. */
  readonly runtime?: string
}

/** web-tree-sitter loads into one memory of its own, and two loads at once spoil each other. */
let inTurn: ReturnType<typeof createSerial> | undefined

/**
 * Finds the functions, classes, methods and types of a program with a tree-sitter grammar that you install; needs the
 * optional peer `web-tree-sitter`. Throws `MISSING_DEPENDENCY` without it, and `INVALID_ARGUMENT` naming `grammar` where
 * the grammar does not load or is one of another language. Without an outliner `codeChunker` cuts by indentation.
 *
 * @example
 * ```ts
 * const grammar = await readFile('node_modules/tree-sitter-python/tree-sitter-python.wasm')
 * const outliner = await treeSitterOutliner({ language: 'python', grammar })
 * const chunker = codeChunker({ language: 'python', outliner })
 * ```
 */
export async function treeSitterOutliner(options: TreeSitterOutlinerOptions): Promise<CodeOutliner> {
  const { language, grammar, runtime, signal } = options
  signal?.throwIfAborted()
  requireLanguage(language)
  const wrong = (argument: string, problem: string, cause?: unknown): GroundlineError =>
    new GroundlineError('INVALID_ARGUMENT', problem, { cause, details: { argument, language } })
  if ((language as CodeLanguage) === 'other')
    throw wrong('language', 'language "other" has no grammar; codeChunker cuts it by indentation')
  const given = grammar instanceof Uint8Array ? `${grammar.length} bytes` : String(grammar)
  const refused = (cause: unknown): never => {
    signal?.throwIfAborted()
    throw wrong('grammar', `grammar (${given}) does not load as a tree-sitter grammar for ${language}`, cause)
  }
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
  // Read before it is this one's turn: what is slow to read must not keep others waiting.
  const bytes = await untilAborted(bytesOf(grammar, signal), signal).catch(refused)
  inTurn ??= createSerial()
  const loaded = inTurn(async () => {
    signal?.throwIfAborted()
    await Parser.init(runtime === undefined ? {} : { locateFile: () => runtime })
    const parsed = await Language.load(bytes)
    return { types: new Set(parsed.types), parser: new Parser().setLanguage(parsed) }
  })
  const { parser, types } = await untilAborted(loaded, signal).catch(refused)
  const kinds = new Set(symbolKinds(language).split(' '))
  // Grammars share single names of nodes. C++ knows more of C's than C, TypeScript not quite all of JavaScript's.
  if (2 * [...kinds].filter((kind) => types.has(kind)).length <= kinds.size)
    throw wrong('grammar', `grammar (${given}) is one of another language than ${language}`)
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

async function bytesOf(grammar: Uint8Array | string | URL, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (grammar instanceof Uint8Array) return grammar
  // Without an import that a browser bundle would have to resolve.
  const files = globalThis.process?.getBuiltinModule?.('fs')
  if (files !== undefined) return files.promises.readFile(grammar, { signal })
  const response = await fetch(grammar, { signal: signal ?? null })
  if (!response.ok) throw new Error(`status ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** Types of nodes that are symbols. */
function symbolKinds(language: CodeLanguage): string {
  const script =
    'function_declaration generator_function_declaration class_declaration method_definition variable_declarator field_definition public_field_definition assignment_expression'
  if (language === 'javascript') return script
  if (language === 'typescript' || language === 'tsx')
    return `${script} abstract_class_declaration interface_declaration enum_declaration type_alias_declaration internal_module module function_signature abstract_method_signature`
  if (language === 'python') return 'function_definition class_definition'
  if (language === 'go') return 'function_declaration method_declaration type_spec type_alias'
  if (language === 'rust')
    return 'function_item struct_item enum_item trait_item impl_item mod_item macro_definition union_item'
  if (language === 'java')
    return 'class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration method_declaration constructor_declaration compact_constructor_declaration'
  return 'function_definition struct_specifier enum_specifier union_specifier type_definition class_specifier namespace_definition'
}

/** One node on the way from the root, as far as the symbols below and beside it need it. */
interface Level {
  /** Where the comments, attributes and decorators right above the next sibling begin and end; `end` is −1 without any. */
  above: Span
  /** The outermost of the nodes that wrap the children (`export`, `const`, decorators), with the comments above it. */
  wrapper: Wrapper | undefined
}

interface Wrapper extends Span {
  /** The first symbol in it, which has its span as long as there is no other, and where that symbol itself ends. */
  first?: { readonly index: number; readonly end: number }
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
        const first = name === undefined ? undefined : outer.wrapper?.first
        // Of several, such as the types of one group, none is inside another.
        if (first !== undefined) symbols[first.index] = { ...symbols[first.index]!, end: first.end }
        while (open.length > 0 && symbols[open[open.length - 1]!]!.end <= node.startIndex) open.pop()
        if (name !== undefined) {
          const parent = open[open.length - 1] ?? -1
          const whole = first === undefined ? outer.wrapper : undefined
          const { start, end } = whole ?? { start: startOf(text, level, node.startIndex), end: node.endIndex }
          const floor = Math.max(parent < 0 ? 0 : symbols[parent]!.start, symbols[symbols.length - 1]?.start ?? 0)
          const index = symbols.push({ start: Math.max(start, floor), end, depth: open.length, parent, name }) - 1
          open.push(index)
          if (whole !== undefined) whole.first = { index, end: node.endIndex }
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
  /^(?:export_statement|ambient_declaration|expression_statement|decorated_definition|lexical_declaration|variable_declaration|type_declaration|template_declaration)$/

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
  const { type } = node
  const assigned = type === 'assignment_expression'
  if (assigned || /^(?:variable_declarator|(?:public_)?field_definition)$/.test(type)) {
    const value = node.childForFieldName(assigned ? 'right' : 'value')
    if (value === null || !/function|class/.test(value.type)) return undefined
  }
  if (/_specifier$/.test(type) && node.childForFieldName('body') === null) return undefined
  if (type === 'type_definition') {
    // A named structure is a symbol by itself.
    const defined = node.childForFieldName('type')
    if (defined === null || defined.childForFieldName('body') === null || defined.childForFieldName('name') !== null)
      return undefined
  }
  const name =
    node.childForFieldName('name') ??
    node.childForFieldName('property') ??
    (assigned ? node.childForFieldName('left') : null) ??
    // In C the name is the innermost declarator.
    (/^(?:function|type)_definition$/.test(type) ? innermostDeclarator(node) : null) ??
    node.childForFieldName('type')
  // A method of Go stands beside its type, not in it.
  const receiver = /([\p{L}_][\p{L}\p{N}_]*)\s*(?:\[[^\]]*\]\s*)?\)$/u.exec(
    node.childForFieldName('receiver')?.text.slice(0, 200) ?? '',
  )?.[1]
  if (name === null) return undefined
  return `${receiver === undefined ? '' : `${receiver}.`}${name.text}`.slice(0, 200)
}

function innermostDeclarator(node: Node): Node | null {
  const within = (outer: Node): Node | null =>
    outer.childForFieldName('declarator') ?? (outer.type === 'parenthesized_declarator' ? outer.namedChild(0) : null)
  let found = within(node)
  for (let inner = found; inner !== null; inner = within(inner)) found = inner
  return found
}
