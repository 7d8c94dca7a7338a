import type { Span } from '../document.ts'
import { fullForm, type SourceDraft, type SourceForm } from './source-block.ts'

/** A form of a source and what it is worth beside the full one, which is worth 1. */
export interface WeighedForm {
  /** What is shown. */
  readonly form: SourceForm
  /** Above 0, at most 1. */
  readonly worth: number
}

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu
/** Ends of sentences in scripts with and without spaces, paragraph ends, and line ends before a list item. */
const SENTENCE_END =
  /[.!?\u2026]+["')\]\u201d\u2019\u00bb]*\s+|[\u3002\uff01\uff1f]+["')\]\u201d\u300d]*\s*|\n\s*\n\s*|\n(?=\s*(?:[-*+\u2022]|\d+[.)])\s)/gu

/** Finds shorter forms of sources for one question. */
export interface SourceCompressor {
  /** The full form and the shorter ones asked for, longest first. */
  formsOf(draft: SourceDraft): readonly WeighedForm[]
}

/**
 * Extracts by sentence: the sentences that carry the question's words, weighed by how rare the words are among the sources, in
 * about half and about a quarter of the length. Only whole sentences of the source are shown, so every span stays verbatim.
 * A source without any of the words is extracted from its beginning. Splits by rule, not by `Intl.Segmenter`, whose
 * results differ between runtimes.
 */
export function sourceCompressor(
  question: string,
  drafts: readonly SourceDraft[],
  forms: readonly SourceForm['form'][],
): SourceCompressor {
  const rarity = forms.includes('extract') ? rarityOf(question, drafts) : new Map<string, number>()
  return {
    formsOf(draft) {
      const full = fullForm(draft)
      const found: WeighedForm[] = [{ form: full, worth: 1 }]
      if (forms.includes('extract'))
        for (const share of [0.5, 0.25]) {
          const extract = extractForm(draft, rarity, share)
          if (extract !== undefined) found.push(extract)
        }
      const { title, uri } = draft.best.source
      const named = title !== undefined || uri !== undefined || (draft.best.headingPath ?? []).length > 0
      if (forms.includes('title') && named) found.push({ form: { form: 'title', shown: [] }, worth: 0.05 })
      return found
    },
  }
}

/** Words of the question, without their endings, by how few sources have them. */
function rarityOf(question: string, drafts: readonly SourceDraft[]): ReadonlyMap<string, number> {
  const wanted = new Set(stems(question))
  const having = new Map<string, number>()
  for (const draft of drafts)
    for (const stem of new Set(stems(draft.text))) if (wanted.has(stem)) having.set(stem, (having.get(stem) ?? 0) + 1)
  const rarity = new Map<string, number>()
  for (const [stem, count] of having) rarity.set(stem, Math.log(1 + drafts.length / count))
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

function extractForm(draft: SourceDraft, rarity: ReadonlyMap<string, number>, share: number): WeighedForm | undefined {
  const sentences = splitSentences(draft.text)
  if (sentences.length < 2) return undefined
  const scored = sentences.map((span, index) => {
    const words = new Set(stems(draft.text.slice(span.start, span.end)).filter((stem) => rarity.has(stem)))
    let score = 0
    for (const word of words) score += rarity.get(word)!
    return { span, index, words, score }
  })
  const room = draft.text.length * share
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
  return { form: { form: 'extract', shown }, worth: whole > 0 ? 0.1 + 0.75 * (weigh(taken) / whole) : share * 0.9 }
}
