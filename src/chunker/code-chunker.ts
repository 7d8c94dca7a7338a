import type { Span } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { BreakList, breakLevel } from './break-list.ts'
import { type ChunkLimits, resolveLimits } from './limits.ts'
import { innermost, type TreeSpan, treeBreaks } from './span-tree.ts'
import { addTextBreaks, isSpace, type TextBreakStyle } from './text-breaks.ts'

/** Languages that {@link codeChunker} knows by name. `other` is any language, cut by indentation. */
export const codeLanguages = ['typescript', 'tsx', 'javascript', 'python', 'go', 'rust', 'java', 'c', 'other'] as const

/** One of {@link codeLanguages}. */
export type CodeLanguage = (typeof codeLanguages)[number]

/** A named part of a program: a function, class, method, type. */
export interface CodeSymbol extends TreeSpan {
  /** Its name. */
  readonly name: string
}

/** Finds the symbols of a program, in text order, outer before inner; undefined where the text cannot be parsed. */
export type CodeOutliner = (text: string) => readonly CodeSymbol[] | undefined

/** Options of {@link codeChunker}. */
export interface CodeChunkerOptions extends ChunkLimits {
  /** The programming language. */
  readonly language: CodeLanguage
  /** Finds the symbols: see `treeSitterOutliner`. Without it the code is cut by indentation, and a note says so. */
  readonly outliner?: CodeOutliner
}

/** Symbols nested deeper belong to the one around them: paths of unlimited depth would take quadratic memory. */
const MAX_DEPTH = 64

const lines = { line: breakLevel.word, paragraph: breakLevel.clause, words: false }

/**
 * Cuts source code between functions and classes, then methods, then lines; a symbol that fits stays whole. The path of
 * symbols around a chunk, at most 64, is in `metadata.chunk.symbolPath`. Throws `INVALID_ARGUMENT` for an unknown language.
 *
 * @example
 * ```ts
 * const outliner = await treeSitterOutliner({ language: 'python', grammar: await readFile('tree-sitter-python.wasm') })
 * const chunker = codeChunker({ language: 'python', outliner, maxTokens: 256 })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function codeChunker(options: CodeChunkerOptions): BoundaryChunker {
  const { language, outliner } = options
  requireLanguage(language)
  const limits = resolveLimits(options)
  const style: TextBreakStyle = { ...lines, longLine: limits.maxTokens }
  return boundaryChunker('code', limits, { language, outlined: outliner !== undefined }, ({ text }, count) => {
    const symbols = outliner?.(text)
    if (symbols === undefined) {
      const note = outliner === undefined ? 'no grammar: cut by indentation' : 'cannot be parsed: cut by indentation'
      return { breaks: indentationBreaks(text, style), annotate: () => ({ notes: { language, note } }) }
    }
    const spans = shallow(symbols).map((symbol) => ({ ...symbol, ...wholeLines(text, symbol) }))
    return {
      breaks: treeBreaks(text, spans, {
        count,
        maxTokens: limits.maxTokens,
        style,
        innerLevel: breakLevel.clause,
      }),
      annotate: ({ start, end }) => {
        const trimmed = start + text.slice(start, end).trimEnd().length
        const symbolPath: string[] = []
        for (let at = innermost(spans, { start, end: trimmed }); at >= 0; at = spans[at]!.parent)
          symbolPath.unshift(spans[at]!.name)
        return { notes: symbolPath.length === 0 ? { language } : { language, symbolPath } }
      },
    }
  })
}

/** Throws `INVALID_ARGUMENT` unless the language is one of {@link codeLanguages}. */
export function requireLanguage(language: string): asserts language is CodeLanguage {
  if (codeLanguages.some((known) => known === language)) return
  throw new GroundlineError(
    'INVALID_ARGUMENT',
    `language must be one of ${codeLanguages.join(', ')}, got ${JSON.stringify(language)}; use "other" to cut by indentation`,
    { details: { argument: 'language', expected: codeLanguages, actual: language } },
  )
}

function shallow(symbols: readonly CodeSymbol[]): readonly CodeSymbol[] {
  if (symbols.every(({ depth }) => depth < MAX_DEPTH)) return symbols
  const indices: number[] = []
  let kept = 0
  for (const { depth } of symbols) indices.push(depth < MAX_DEPTH ? kept++ : -1)
  return symbols
    .filter(({ depth }) => depth < MAX_DEPTH)
    .map((symbol) => ({ ...symbol, parent: symbol.parent < 0 ? -1 : indices[symbol.parent]! }))
}

/** The span with the indentation of its first line and the end of its last, where nothing else stands there. */
function wholeLines(text: string, { start, end }: Span): Span {
  let first = start
  while (first > 0 && (text.charCodeAt(first - 1) === 32 || text.charCodeAt(first - 1) === 9)) first -= 1
  const lineBegins = first === 0 || text.charCodeAt(first - 1) === 10 || text.charCodeAt(first - 1) === 13
  let last = end
  while (last < text.length && isSpace(text.charCodeAt(last)) && text.charCodeAt(last) !== 10) last += 1
  return { start: lineBegins ? first : start, end: text.charCodeAt(last) === 10 ? last + 1 : end }
}

/** Lines at the margin begin something; the deeper a line, the less. A blank line before it counts for one level. */
function indentationBreaks(text: string, style: TextBreakStyle): BreakList {
  const breaks = new BreakList()
  let lineStart = 0
  let blank = false
  for (let at = 0; at <= text.length; at += 1) {
    if (at < text.length && text.charCodeAt(at) !== 10) continue
    let first = lineStart
    let indent = 0
    for (; first < at && (text.charCodeAt(first) === 32 || text.charCodeAt(first) === 9); first += 1)
      indent += text.charCodeAt(first) === 9 ? 4 : 1
    const empty = first === at || text.charCodeAt(first) === 13
    const closes = /[)\]}]|end\b|else\b|elif\b|except\b|finally\b|catch\b/y
    closes.lastIndex = first
    const depth = Math.min(3, Math.ceil(indent / 4))
    if (!empty && lineStart > 0) {
      const level = closes.test(text) ? breakLevel.word : Math.max(breakLevel.word, breakLevel.line - depth)
      breaks.add(lineStart, blank ? level + 1 : level)
    }
    blank = empty
    addTextBreaks(breaks, text, lineStart, at, style)
    lineStart = at + 1
  }
  breaks.end(text.length)
  return breaks
}
