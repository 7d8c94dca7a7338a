import { lastAtMost } from '../internal/last-at-most.ts'
import { type MarkdownBlock, markdownBlocks } from '../internal/markdown-blocks.ts'
import { type BoundaryChunker, boundaryChunker } from './boundary-chunker.ts'
import { breakLevel, headingLevel } from './break-list.ts'
import { type ChunkLimits, resolveLimits } from './limits.ts'
import { type Region, regionBreaks } from './regions.ts'
import { sectionPaths } from './section-paths.ts'

/**
 * Cuts Markdown (CommonMark, GFM tables) along its blocks: at headings first, then between blocks, list items and
 * sentences. Fenced code and tables stay whole when they fit; a part of a larger table carries the table's header in
 * `metadata.chunk.tableHeader`. A heading stays with what follows it and is in the chunk's `headingPath`.
 *
 * @example
 * ```ts
 * const chunker = markdownChunker({ maxTokens: 512 })
 * const [first] = chunker.chunk({ id: 'README.md', text: '# Install\n\nRun `npm i`.' })
 * first.headingPath // ['Install']
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function markdownChunker(options: ChunkLimits = {}): BoundaryChunker {
  const limits = resolveLimits(options)
  return boundaryChunker('markdown', limits, {}, ({ text }, count) => {
    const blocks = markdownBlocks(text)
    const headings = blocks.filter(({ kind }) => kind === 'heading')
    const pathOf = sectionPaths(headings.map(({ start, level = 1, label = '' }) => ({ start, level, label })))
    const headerOf = tableHeaders(text, blocks)
    return {
      breaks: regionBreaks(text, markdownRegions(text, blocks), count, limits.maxTokens),
      annotate: (span) => ({ headingPath: pathOf(span), notes: headerOf(span.start) }),
    }
  })
}

function* markdownRegions(text: string, blocks: readonly MarkdownBlock[]): Generator<Region> {
  let at = 0
  let previous: MarkdownBlock | undefined
  for (const block of blocks) {
    if (block.kind === 'item') {
      // The first block of an item begins where the item does; only its level differs.
      if (block.start >= at) {
        yield { start: block.start, end: block.start, level: levelBefore(text, block, previous), inside: 'prose' }
        at = block.start
      }
      previous = block
      continue
    }
    const start = Math.max(at, block.start)
    if (block.end <= start) continue
    const level = previous?.kind === 'item' && start === previous.start ? 0 : levelBefore(text, block, previous)
    yield { start, end: block.end, level, ...insideOf(text, block) }
    at = block.end
    previous = block
  }
}

function levelBefore(text: string, block: MarkdownBlock, previous: MarkdownBlock | undefined): number {
  if (block.kind === 'heading') return headingLevel(block.level ?? 1)
  // What a heading or a line ending in a colon introduces stays with it while there is a better place.
  if (previous?.kind === 'heading') return breakLevel.word
  if (previous?.kind === 'paragraph' && block.kind !== 'paragraph' && endsWithColon(text, previous.end))
    return breakLevel.clause
  if (block.depth === 0) return breakLevel.paragraph
  return block.kind === 'item' && block.depth === 1 ? breakLevel.line : breakLevel.sentence
}

function endsWithColon(text: string, end: number): boolean {
  return /:\s*$/.test(text.slice(Math.max(0, end - 8), end))
}

function insideOf(text: string, block: MarkdownBlock): Pick<Region, 'inside' | 'starts' | 'whole'> {
  if (block.kind === 'table') {
    const starts: number[] = []
    for (let at = block.bodyStart ?? block.end; at < block.end; ) {
      starts.push(at)
      const next = /\r\n?|\n/g
      next.lastIndex = at
      at = next.exec(text) === null ? block.end : next.lastIndex
    }
    return { inside: 'rows', starts, whole: true }
  }
  if (block.kind === 'code' || block.kind === 'front-matter') return { inside: 'lines', whole: true }
  return block.kind === 'html' ? { inside: 'text' } : { inside: 'prose' }
}

/** The header of the table that a chunk begins in the middle of. */
function tableHeaders(
  text: string,
  blocks: readonly MarkdownBlock[],
): (start: number) => { tableHeader: string } | undefined {
  const tables = blocks.filter(({ kind }) => kind === 'table')
  return (start) => {
    const table = tables[lastAtMost(tables, start, (each) => each.start)]
    if (table === undefined || table.bodyStart === undefined || start < table.bodyStart || start >= table.end)
      return undefined
    return { tableHeader: text.slice(table.start, table.bodyStart).trimEnd() }
  }
}
