import type { AbortOptions } from '../../document.ts'
import { GroundlineError } from '../../errors.ts'
import { describe } from '../../internal/argument.ts'
import {
  type HuggingFaceTokenizer,
  type HuggingFaceTokenizerOptions,
  huggingFaceTokenizer,
} from './hugging-face-tokenizer.ts'

/** Options of loading a `tokenizer.json`. */
export interface LoadHuggingFaceTokenizerOptions extends Partial<HuggingFaceTokenizerOptions>, AbortOptions {}

/**
 * A tokenizer from a `tokenizer.json` at a path or URL. A string without `scheme://` is a path, read from disk where there
 * is one. The id is the location unless given. Throws `NOT_FOUND` when nothing can be read there.
 *
 * @example
 * ```ts
 * import { loadHuggingFaceTokenizer } from 'groundline/tokenizer/hugging-face'
 *
 * const tokenizer = await loadHuggingFaceTokenizer('models/bge-small/tokenizer.json', { frame: 'template' })
 * console.log(tokenizer.count('How long is this for the model?'))
 * ```
 */
export async function loadHuggingFaceTokenizer(
  location: string | URL,
  options: LoadHuggingFaceTokenizerOptions = {},
): Promise<HuggingFaceTokenizer> {
  const { signal, ...settings } = options
  signal?.throwIfAborted()
  if (typeof location !== 'string' && !(location instanceof URL)) {
    throw new GroundlineError('INVALID_ARGUMENT', `location must be a path or URL, got ${describe(location)}`)
  }
  const text = await read(location, signal)
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (cause) {
    throw new GroundlineError(
      'CORRUPT_DATA',
      `${String(location)} is not JSON: it was cut short, or is another file.`,
      {
        cause,
        details: { location: String(location), units: text.length },
      },
    )
  }
  return huggingFaceTokenizer(file, { id: String(location), ...settings })
}

async function read(location: string | URL, signal: AbortSignal | undefined): Promise<string> {
  const remote = location instanceof URL ? location.protocol !== 'file:' : /^[a-z][a-z0-9+.-]+:\/\//i.test(location)
  const fs = remote ? undefined : globalThis.process?.getBuiltinModule?.('node:fs/promises')
  try {
    if (fs) return await fs.readFile(location, { encoding: 'utf8', signal })
    const response = await fetch(location, { signal: signal ?? null })
    if (response.ok) return await response.text()
    throw new Error(`status ${response.status}`)
  } catch (cause) {
    signal?.throwIfAborted()
    throw new GroundlineError('NOT_FOUND', `There is no tokenizer file to read at ${String(location)}.`, {
      cause,
      details: { location: String(location) },
    })
  }
}
