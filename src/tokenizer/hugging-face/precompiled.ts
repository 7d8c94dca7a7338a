import { graphemeFinder, isPlainBoundary } from '../../internal/grapheme.ts'
import { malformed } from './json.ts'
import type { Normalizer } from './normalizers.ts'

const WINDOW = 256

/**
 * SentencePiece's compiled normalization (`nmt_nfkc` and its like): a double-array trie (Darts) from byte sequences to
 * offsets in a table of NUL-ended replacements. As in the reference implementation a grapheme of up to five bytes is
 * looked up whole and otherwise character by character, and the shortest entry that prefixes it decides.
 */
export function precompiledNormalizer(base64: string): Normalizer {
  const bytes = decodeBase64(base64)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const trieBytes = bytes.length >= 4 ? view.getUint32(0, true) : 0
  if (bytes.length < 8 || trieBytes % 4 !== 0 || trieBytes === 0 || 4 + trieBytes > bytes.length) {
    throw malformed('normalizer.precompiled_charsmap', 'a compiled character map', base64)
  }
  const units = new Uint32Array(trieBytes / 4)
  for (let index = 0; index < units.length; index++) units[index] = view.getUint32(4 + index * 4, true)
  const replacements = bytes.subarray(4 + trieBytes)
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()

  const lookup = (key: string): string | undefined => {
    const utf8 = encoder.encode(key)
    let node = offsetOf(units[0]!)
    for (const byte of utf8) {
      if (byte === 0) return undefined
      node ^= byte
      const unit = units[node]
      // The low byte of a unit is its label; bit 31 marks values, which have none.
      if (unit === undefined || (unit & 0x800000ff) !== byte) return undefined
      node ^= offsetOf(unit)
      if ((unit >>> 8) & 1) {
        const start = units[node]! & 0x7fffffff
        let end = start
        while (end < replacements.length && replacements[end] !== 0) end++
        return decoder.decode(replacements.subarray(start, end))
      }
    }
    return undefined
  }
  /** What keys become, those that stay as they are too. */
  const known = new Map<string, string | undefined>()
  const replace = (key: string): string | undefined => {
    const before = known.get(key)
    if (before !== undefined || known.has(key)) return before
    const found = lookup(key)
    if (known.size < 10_000) known.set(key, found)
    return found
  }

  return (text) => {
    let result = ''
    for (const grapheme of graphemesOf(text)) {
      const short = grapheme.length === 1 || encoder.encode(grapheme).length < 6
      const whole = short ? replace(grapheme) : undefined
      if (whole !== undefined) result += whole
      else for (const character of grapheme) result += replace(character) ?? character
    }
    return result
  }
}

/** The graphemes of a text, by windows: Intl.Segmenter is super-linear over long strings. */
function* graphemesOf(text: string): Generator<string> {
  let segmenter: Intl.Segmenter | undefined
  for (let start = 0; start < text.length; ) {
    if (start + 1 < text.length && isPlainBoundary(text, start + 1)) {
      yield text.slice(start, start + 1)
      start++
      continue
    }
    segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' })
    const stop = Math.min(text.length, start + WINDOW)
    const first = start
    for (const { segment } of segmenter.segment(text.slice(start, stop))) {
      // A grapheme that reaches the end of the window may go on behind it.
      if (start + segment.length === stop && stop < text.length) break
      yield segment
      start += segment.length
    }
    if (start === first) {
      start = graphemeFinder(text).next(first)
      yield text.slice(first, start)
    }
  }
}

/** Darts keeps offsets in 21 bits, with bit 9 saying that they are shifted by 8 more. */
function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & (1 << 9)) >>> 6)) >>> 0
}

function decodeBase64(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    throw malformed('normalizer.precompiled_charsmap', 'base64', base64)
  }
}
