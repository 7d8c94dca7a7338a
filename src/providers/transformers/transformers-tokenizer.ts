import { resolve } from 'node:path'
import { GroundlineError } from '../../errors.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import { loadArguments, loadLibrary, type TransformersModelOptions } from './transformers-library.ts'

/**
 * A model's own tokenizer, for chunkers and for `embedAll`'s `countTokens`, so that limits are the model's own. Runs in the
 * calling thread, because tokenizers are synchronous; loading it loads the library there too. Special tokens are not
 * counted: leave room for them, two for most models. `decode` gives the text as the model saw it: lower case and
 * without accents, where the model folds them.
 *
 * @example
 * const tokenizer = await transformersTokenizer({ source: { folder: './models/all-MiniLM-L6-v2' } })
 */
export async function transformersTokenizer(options: TransformersModelOptions): Promise<Tokenizer> {
  const { source } = options
  const placed = 'folder' in source ? { folder: resolve(source.folder) } : source
  const library = await loadLibrary(options.library)
  const { name, settings } = loadArguments(library, { ...options, source: placed })
  const tokenizer = await library.AutoTokenizer.from_pretrained(name, settings)
  const ids = (text: string): readonly number[] => {
    if (text === '') return []
    const { input_ids } = tokenizer(text, { add_special_tokens: false, return_tensor: false })
    return input_ids.flat().map(Number)
  }
  return {
    id: `transformers:${name}`,
    encode: (text) => Uint32Array.from(ids(text)),
    count: (text) => ids(text).length,
    decode(tokens) {
      const list = Array.from(tokens)
      for (const token of list) {
        if (!Number.isInteger(token) || token < 0)
          throw new GroundlineError('INVALID_TOKEN', `${token} is no token id`, { details: { token } })
      }
      return list.length === 0 ? '' : tokenizer.decode(list, { skip_special_tokens: true })
    },
  }
}
