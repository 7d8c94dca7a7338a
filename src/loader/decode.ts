import { GroundlineError } from '../errors.ts'
import type { LoaderInput } from './loader.ts'

/** Limits and encoding of a loader whose input is text. */
export interface TextLoaderOptions {
  /** The most bytes (or UTF-16 units of a string) a file may have. Default 32 MiB. */
  readonly maxBytes?: number
  /**
   * Encoding of bytes without a byte order mark, by its WHATWG label: `windows-1252`, `shift_jis`, … Default `utf-8`.
   * Bytes that are not valid in it are refused.
   */
  readonly encoding?: string
}

/** Default of `maxBytes`: 32 MiB. */
export const defaultMaxBytes: number = 33_554_432

/** Units of the longest string of V8; other engines allow more. */
const LONGEST_STRING = 536_870_888

/** A decoder of an encoding that refuses what is invalid in it. Throws `INVALID_ARGUMENT` for a label that is not known. */
export function fatalDecoder(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch (cause) {
    throw new GroundlineError('INVALID_ARGUMENT', `encoding ${JSON.stringify(encoding)} is not known`, {
      cause,
      details: { argument: 'encoding', actual: encoding },
    })
  }
}

/**
 * The text of a file, without its byte order mark. A mark decides the encoding, then `encoding`. Throws `LIMIT_EXCEEDED`
 * for too many bytes, and `UNSUPPORTED_FORMAT` for binary content or bytes that are invalid in the encoding.
 */
export function decodeText(input: LoaderInput, options: TextLoaderOptions = {}): string {
  const { content } = input
  requireSize(input, options.maxBytes)
  if (typeof content === 'string') return content.startsWith('\ufeff') ? content.slice(1) : content
  const encoding = markedEncoding(content) ?? options.encoding ?? 'utf-8'
  const fail = (problem: string, fix: string, cause?: unknown): never => {
    throw new GroundlineError('UNSUPPORTED_FORMAT', `${JSON.stringify(input.id)} ${problem}; ${fix}`, {
      cause,
      details: { id: input.id, encoding },
    })
  }
  if (encoding === 'utf-32') fail('is UTF-32', 'convert it to UTF-8')
  const decoder = fatalDecoder(encoding)
  if (!encoding.startsWith('utf-16')) {
    const guess = unmarkedUtf16(content.subarray(0, 512))
    if (guess !== undefined) fail(`looks like ${guess} without a byte order mark`, `pass encoding: '${guess}'`)
    const nul = content.subarray(0, 65_536).indexOf(0)
    if (nul >= 0) fail(`is binary: a NUL byte at ${nul}`, 'leave it out, or use the loader of its format')
  }
  try {
    return decoder.decode(content)
  } catch (cause) {
    if (content.length > LONGEST_STRING)
      throw new GroundlineError(
        'LIMIT_EXCEEDED',
        `${JSON.stringify(input.id)} has ${content.length} bytes, more than the runtime puts into one string; split it, as textParts does`,
        { cause, details: { id: input.id, limit: 'maxBytes', expected: LONGEST_STRING, actual: content.length } },
      )
    return fail(`is not valid ${encoding}`, "pass the file's encoding, such as encoding: 'windows-1252'", cause)
  }
}

/** Throws `LIMIT_EXCEEDED` where the content is larger than the limit. */
export function requireSize(input: LoaderInput, maxBytes: number = defaultMaxBytes): void {
  const size = input.content.length
  if (size <= maxBytes) return
  throw new GroundlineError(
    'LIMIT_EXCEEDED',
    `${JSON.stringify(input.id)} has ${size} bytes, more than maxBytes (${maxBytes}); split it or raise maxBytes`,
    { details: { id: input.id, limit: 'maxBytes', expected: maxBytes, actual: size } },
  )
}

function markedEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32' : 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  return a === 0 && b === 0 && c === 0xfe && d === 0xff ? 'utf-32' : undefined
}

/**
 * UTF-16 by its upper bytes: in texts of the scripts below U+0800 every other byte is 0 to 8, which text in a single-byte
 * encoding or UTF-8 has none of. CJK without a mark is refused as invalid UTF-8.
 */
function unmarkedUtf16(sample: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  let even = 0
  let odd = 0
  for (const [at, byte] of sample.entries()) if (byte < 9) at % 2 === 0 ? even++ : odd++
  const half = sample.length / 2
  if (Math.max(even, odd) <= half * 0.6 || Math.min(even, odd) >= half * 0.1) return undefined
  return odd > even ? 'utf-16le' : 'utf-16be'
}
