import type { Loader, LoaderInput } from './loader.ts'

/**
 * The loader for a file, by its media type or else the extension of its `uri` or `id`; undefined where none fits.
 * The first of the list that fits wins.
 *
 * @example
 * ```ts
 * const loader = loaderFor({ id: 'docs/a.md' }, [markdownLoader(), textLoader()])
 * ```
 */
export function loaderFor(
  input: Pick<LoaderInput, 'id' | 'uri' | 'mediaType'>,
  loaders: readonly Loader[],
): Loader | undefined {
  const type = input.mediaType?.split(';', 1)[0]?.trim().toLowerCase()
  const byType = type === undefined ? undefined : mediaTypes.find(([name]) => name === type)?.[1]
  const found = byType === undefined ? undefined : loaders.find(({ extensions }) => extensions.includes(byType))
  if (found !== undefined) return found
  for (const name of [input.uri, input.id]) {
    const extension = /\.[^./\\]+$/.exec(name?.split(/[?#]/, 1)[0] ?? '')?.[0].toLowerCase()
    const loader = extension === undefined ? undefined : loaders.find((each) => each.extensions.includes(extension))
    if (loader !== undefined) return loader
  }
  return undefined
}

const mediaTypes: readonly (readonly [type: string, extension: string])[] = [
  ['text/plain', '.txt'],
  ['text/markdown', '.md'],
  ['text/html', '.html'],
  ['application/xhtml+xml', '.html'],
  ['application/json', '.json'],
  ['application/jsonl', '.jsonl'],
  ['application/x-ndjson', '.jsonl'],
  ['text/csv', '.csv'],
  ['text/tab-separated-values', '.tsv'],
  ['text/vtt', '.vtt'],
  ['application/x-subrip', '.srt'],
  ['application/pdf', '.pdf'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', '.docx'],
]
