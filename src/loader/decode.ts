import { GroundlineError } from '../errors.ts'
import { requireNumber } from '../internal/argument.ts'
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

/** What the bytes 80 to 9F are in windows-1252, by the index of the WHATWG standard. */
const WINDOWS_1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'

/** A decoder of an encoding that refuses what is invalid in it. Throws `INVALID_ARGUMENT` for a label that is not known. */
export function fatalDecoder(encoding: string): Pick<TextDecoder, 'encoding' | 'decode'> {
  try {
    const decoder = new TextDecoder(encoding, { fatal: true })
    if (decoder.encoding !== 'windows-1252') return decoder
    return {
      encoding: decoder.encoding,
      // Node 20 takes it for ISO-8859-1. Where it is decoded as it should be, the five that are left stand for themselves.
      decode: (...given) =>
        decoder.decode(...given).replace(/[\u0080-\u009f]/g, (unit) => WINDOWS_1252[unit.charCodeAt(0) - 0x80]!),
    }
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
    const shifted = encoding === 'utf-8' ? shiftedEncoding(content) : undefined
    if (shifted === 'iso-2022-jp') fail('looks like iso-2022-jp', "pass encoding: 'iso-2022-jp'")
    if (shifted !== undefined) fail(`looks like ${shifted}`, 'convert it to UTF-8')
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

/** Throws `INVALID_ARGUMENT` for a limit that is none. `Infinity` switches one off. */
export function requireLimits(limits: Readonly<Record<string, number | undefined>>): void {
  for (const [name, limit] of Object.entries(limits))
    if (limit !== undefined && limit !== Number.POSITIVE_INFINITY) requireNumber(name, limit, 0)
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

/** The encoding that a byte order mark says. */
export function markedEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32' : 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  return a === 0 && b === 0 && c === 0xfe && d === 0xff ? 'utf-32' : undefined
}

/** A 7-bit encoding that shifts to two bytes a character with ESC $, which valid UTF-8 could be and terminals do not use. */
function shiftedEncoding(bytes: Uint8Array): 'iso-2022-jp' | 'iso-2022-kr' | 'iso-2022-cn' | undefined {
  for (let at = bytes.indexOf(0x1b); at >= 0; at = bytes.indexOf(0x1b, at + 1)) {
    if (bytes[at + 1] !== 0x24) continue
    const [a, b] = bytes.subarray(at + 2, at + 4)
    if (a === 0x40 || a === 0x42 || (a === 0x28 && b === 0x44)) return 'iso-2022-jp'
    if (a === 0x29 && b === 0x43) return 'iso-2022-kr'
    if (a === 0x29 && (b === 0x41 || b === 0x47)) return 'iso-2022-cn'
  }
  return undefined
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
