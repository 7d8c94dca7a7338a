import { decodeText, requireLimits, type TextLoaderOptions } from './decode.ts'
import type { Loader } from './loader.ts'
import { makeDocument, requireInput } from './make-document.ts'

const byExtension =
  '.ts .mts .cts:typescript .tsx:tsx .js .mjs .cjs .jsx:javascript .py .pyi:python .go:go .rs:rust .java:java .c .h:c ' +
  '.cc .cpp .hpp .cs .rb .php .swift .kt .scala .sh .sql .lua .r .pl .ex .hs .ml .zig .dart:other'

/**
 * Reads source code: the text stays as written; `metadata.language` is the name that `codeChunker` takes, `other` for
 * languages it has no grammar for.
 *
 * @example
 * ```ts
 * const { metadata } = await codeLoader().load({ id: 'main.py', content: 'print(1)' })
 * metadata?.language // 'python'
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function codeLoader(options: TextLoaderOptions = {}): Loader {
  requireLimits({ maxBytes: options.maxBytes })
  const languages = languageTable()
  return {
    id: 'code',
    extensions: [...languages.keys()],
    async load(input, { signal } = {}) {
      requireInput(input, signal)
      const names = [input.uri, input.id].map((name) => /\.[^./\\]+$/.exec(name ?? '')?.[0].toLowerCase() ?? '')
      const language = names.map((extension) => languages.get(extension)).find((found) => found !== undefined)
      return makeDocument(input, { text: decodeText(input, options), metadata: { language: language ?? 'other' } })
    },
  }
}

function languageTable(): Map<string, string> {
  const table = new Map<string, string>()
  let waiting: string[] = []
  for (const entry of byExtension.split(' ')) {
    const [extension = '', language] = entry.split(':')
    waiting.push(extension)
    if (language === undefined) continue
    for (const each of waiting) table.set(each, language)
    waiting = []
  }
  return table
}
