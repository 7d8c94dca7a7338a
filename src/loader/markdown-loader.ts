import type { Mark } from '../document.ts'
import { lineStarts } from '../internal/line-starts.ts'
import { type MarkdownBlock, markdownBlocks } from '../internal/markdown-blocks.ts'
import { decodeText, requireLimits, type TextLoaderOptions } from './decode.ts'
import { parseFrontMatter } from './front-matter.ts'
import type { Loader } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'

/**
 * Reads Markdown (CommonMark, GFM tables): the text stays as written, its blocks become the outline, YAML front matter
 * becomes metadata and leaves the text, and the title is the front matter's or that of the first heading.
 *
 * @example
 * ```ts
 * const document = await markdownLoader().load({ id: 'README.md', content: '# Hello\n\nWorld' })
 * document.title // 'Hello'
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function markdownLoader(options: TextLoaderOptions = {}): Loader {
  requireLimits({ maxBytes: options.maxBytes })
  return {
    id: 'markdown',
    extensions: ['.md', '.markdown', '.mdown', '.mkd', '.mdx'],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      const original = decodeText(input, options)
      const blocks = markdownBlocks(original)
      const head = blocks[0]?.kind === 'front-matter' ? blocks[0].end : 0
      const metadata = head > 0 ? parseFrontMatter(original.slice(0, head), input.id) : undefined
      const cut = metadata === undefined ? 0 : head
      const text = original.slice(cut)
      const outline = blocks.flatMap((block) => markOf(block, cut))
      const title = metadata !== undefined && Object.hasOwn(metadata, 'title') ? metadata.title : undefined
      return makeDocument(input, {
        text,
        title: typeof title === 'string' ? title : (outline.find(({ kind }) => kind === 'heading')?.label ?? undefined),
        metadata,
        outline,
        sourceMap:
          cut === 0
            ? undefined
            : {
                pieces: [{ start: 0, end: text.length, sourceStart: cut, sourceEnd: original.length }],
                lineStarts: lineStarts(original),
              },
      })
    },
  }
}

function markOf(block: MarkdownBlock, cut: number): Mark[] {
  const kind = block.kind === 'item' ? 'list' : block.kind
  if (kind === 'front-matter' || kind === 'paragraph' || kind === 'html' || kind === 'rule') return []
  return [
    {
      kind,
      start: block.start - cut,
      end: block.end - cut,
      ...(kind === 'heading' ? { level: block.level ?? 1 } : kind === 'list' ? { level: block.depth } : {}),
      ...(block.label === undefined ? {} : { label: block.label }),
    },
  ]
}
