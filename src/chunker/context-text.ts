import type { Chunk } from '../document.ts'
import { chunkNotes } from './chunk-notes.ts'

/** Options of {@link contextText}. */
export interface ContextTextOptions {
  /** Title of the document, put before the headings. */
  readonly title?: string
}

/**
 * The text to embed or index in place of a chunk's own: title, headings, symbols, speakers, a model's context line and a
 * table's header in front of it. The chunk itself stays a verbatim slice; this text is never quoted.
 *
 * @example
 * ```ts
 * contextText(chunk) // 'Guide › Install\n\nRun `npm i`.'
 * ```
 */
export function contextText(chunk: Chunk, { title }: ContextTextOptions = {}): string {
  const { symbolPath = [], tableHeader, context, speakers = [] } = chunkNotes(chunk)
  const path = [...(chunk.headingPath ?? []), ...symbolPath]
  if (title !== undefined && title !== '' && title !== path[0]) path.unshift(title)
  const lines = [path.join(' › '), speakers.join(', '), context ?? '', tableHeader ?? ''].filter((line) => line !== '')
  return lines.length === 0 ? chunk.text : `${lines.join('\n')}\n\n${chunk.text}`
}
