import type { Span } from '../document.ts'
import type { ShortenableSource, ShorterForm, SourceShortener } from './source-shortener.ts'

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu
/** Ends of sentences in scripts with and without spaces, paragraph ends, and line ends before a list item. */
const SENTENCE_END =
  /[.!?\u2026]+["')\]\u201d\u2019\u00bb]*\s+|[\u3002\uff01\uff1f]+["')\]\u201d\u300d]*\s*|\n\s*\n\s*|\n(?=\s*(?:[-*+\u2022]|\d+[.)])\s)/gu

/**
 * Shortens sources to the sentences that carry the question's words, weighed by how rare the words are among the sources, in
 * about half and about a quarter of the length. Only whole sentences of the source are shown, so every span stays verbatim.
 * A source without any of the words is extracted from its beginning. Splits by rule, not by `Intl.Segmenter`, whose
 * results differ between runtimes.
 *
 * @example
 * ```ts
 * const assembler = promptAssembler({ counter, contextWindow, outputReserve, shorten: [extracts(), titles()] })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function extracts(): SourceShortener {
  return {
    prepare(question, sources) {
      const rarity = rarityOf(question, sources)
      return (source) => [0.5, 0.25].flatMap((share) => extractForm(source, rarity, share) ?? [])
    },
  }
}

/** Shortens sources to their title, address and headings, where they have any. */
// @__NO_SIDE_EFFECTS__
export function titles(): SourceShortener {
  return {
    prepare: () => (source) =>
      source.title !== undefined || source.uri !== undefined || (source.headingPath ?? []).length > 0
        ? [{ form: 'title', shown: [], worth: 0.05 }]
        : [],
  }
}

/** Words of the question, without their endings, by how few sources have them. */
function rarityOf(question: string, sources: readonly ShortenableSource[]): ReadonlyMap<string, number> {
  const wanted = new Set(stems(question))
  const having = new Map<string, number>()
  for (const { text } of sources)
    for (const stem of new Set(stems(text))) if (wanted.has(stem)) having.set(stem, (having.get(stem) ?? 0) + 1)
  const rarity = new Map<string, number>()
  for (const [stem, count] of having) rarity.set(stem, Math.log(1 + sources.length / count))
  return rarity
}

function stems(text: string): readonly string[] {
  return Array.from(text.toLowerCase().matchAll(WORD), ([word]) => {
    if (word.length < 5) return word
    return word.replace(/(?:ations?|ings?|ed|es|s|e)$/, '')
  })
}

/** Spans of the sentences of a text, white space at their ends left out. */
export function splitSentences(text: string): readonly Span[] {
  const spans: Span[] = []
  const add = (from: number, to: number) => {
    const part = text.slice(from, to)
    const start = from + part.length - part.trimStart().length
    const end = from + part.trimEnd().length
    if (start < end) spans.push({ start, end })
  }
  let from = 0
  for (const match of text.matchAll(SENTENCE_END)) {
    const to = match.index + match[0].length
    add(from, to)
    from = to
  }
  add(from, text.length)
  return spans
}

function extractForm(
  { text }: ShortenableSource,
  rarity: ReadonlyMap<string, number>,
  share: number,
): ShorterForm | undefined {
  const sentences = splitSentences(text)
  if (sentences.length < 2) return undefined
  const scored = sentences.map((span, index) => {
    const words = new Set(stems(text.slice(span.start, span.end)).filter((stem) => rarity.has(stem)))
    let score = 0
    for (const word of words) score += rarity.get(word)!
    return { span, index, words, score }
  })
  const room = text.length * share
  const taken: typeof scored = []
  let length = 0
  for (const sentence of scored.toSorted((a, b) => b.score - a.score || a.index - b.index)) {
    const size = sentence.span.end - sentence.span.start
    if (length + size > room) continue
    taken.push(sentence)
    length += size
  }
  if (taken.length === 0) return undefined
  taken.sort((a, b) => a.index - b.index)
  const shown: { start: number; end: number }[] = []
  let before = -2
  for (const { span, index } of taken) {
    if (index === before + 1) shown.at(-1)!.end = span.end
    else shown.push({ ...span })
    before = index
  }
  const weigh = (list: typeof scored) => {
    let sum = 0
    for (const word of new Set(list.flatMap(({ words }) => [...words]))) sum += rarity.get(word)!
    return sum
  }
  const whole = weigh(scored)
  return { form: 'extract', shown, worth: whole > 0 ? 0.1 + 0.75 * (weigh(taken) / whole) : share * 0.9 }
}
