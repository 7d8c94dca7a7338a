import { GroundlineError } from '../errors.ts'
import { isPlainBoundary } from '../internal/grapheme.ts'
import { lastAtMost } from '../internal/last-at-most.ts'
import { isSpace } from './text-breaks.ts'

const WINDOW = 4096

/** Finds where the sentences of a text end. */
export type SentenceFinder = (text: string) => number[]

/**
 * Sentence ends by Intl.Segmenter (Unicode TR 29 with the locale's rules), in windows of at most 4 KB that begin at a
 * sentence or paragraph, because it is super-linear over long strings. Single line ends count as white space; ends
 * after an abbreviation or initial, inside a run of ASCII without white space, and after a quotation that its sentence
 * goes on behind, are left out. Throws `INVALID_ARGUMENT` for a locale that the runtime does not know.
 */
export function sentenceFinder(locale: string): SentenceFinder {
  let supported: string[]
  try {
    supported = Intl.Segmenter.supportedLocalesOf([locale])
  } catch {
    supported = []
  }
  if (supported.length === 0) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `locale ${JSON.stringify(locale)} is not a language this runtime knows`,
      {
        details: { argument: 'locale', expected: 'a BCP 47 language tag, such as "en" or "zh-Hans"', actual: locale },
      },
    )
  }
  const segmenter = new Intl.Segmenter(locale, { granularity: 'sentence' })
  const abbreviated = abbreviations(new Intl.Locale(locale).language)
  return (text) => {
    const ends: number[] = []
    const add = (end: number): void => {
      if (end > (ends[ends.length - 1] ?? 0)) ends.push(end)
    }
    const paragraphs = paragraphEnds(text)
    let from = 0
    while (from < text.length) {
      const paragraph = paragraphs[lastAtMost(paragraphs, from, (end) => end) + 1] ?? text.length
      const to = Math.min(paragraph, from + WINDOW)
      let end = from
      let last = from
      for (const { segment } of segmenter.segment(text.slice(from, to).replace(/[\r\n\u0085\u2028]/g, ' '))) {
        end += segment.length
        // The last sentence of a window that ends within a paragraph may go on.
        if (end === to && to < paragraph) break
        last = end
        if (end === to) continue
        const place = besideQuotes(text, end)
        if (place >= paragraph || inWord(text, place) || abbreviated(text, place) || goesOn(text, place)) continue
        if (isPlainBoundary(text, place)) add(place)
      }
      if (last === paragraph && last < text.length) add(paragraph)
      from = last > from ? last : resumption(text, to)
    }
    return ends
  }
}

/** Whether ASCII goes on without white space, as in `https://example.com/?q=1`: the standard would end a sentence after the mark. */
function inWord(text: string, end: number): boolean {
  const before = text.charCodeAt(end - 1)
  const after = text.charCodeAt(end)
  return before > 32 && before < 127 && after > 32 && after < 127
}

/**
 * Where to go on after a window without a sentence end: at one of its last words, so that no end is where the window
 * happens to end. What marks an end stands before the word, and the window has shown that there is none.
 */
function resumption(text: string, to: number): number {
  for (let at = to; at > to - WINDOW / 8; at -= 1)
    if (!isSpace(text.charCodeAt(at)) && isSpace(text.charCodeAt(at - 1))) return at
  return to - WINDOW / 8
}

/**
 * An end moved before the brackets and quotes that open the next sentence, as in `。（`, or behind a closing one that a
 * space parts from its sentence, as in `! »`: the standard takes every such mark for a closing one that has no space before it.
 */
function besideQuotes(text: string, end: number): number {
  let place = end
  if (text[end] === '»' && /^»(?:$|[\s\p{P}])/u.test(text.slice(end, end + 2))) {
    place += 1
    while (place < text.length && isSpace(text.charCodeAt(place))) place += 1
    return place
  }
  while (/[\p{Ps}\p{Pi}]/u.test(text[place - 1] ?? '') && /[\p{L}\p{N}\p{Ps}\p{Pi}]/u.test(text[place] ?? ''))
    place -= 1
  return place
}

/** Whether a sentence goes on after the quotation or bracket that ends there: `"Stop!" he said`, `「行く。」と言った`. */
function goesOn(text: string, end: number): boolean {
  let close = end
  while (close > 0 && end - close < 16 && isSpace(text.charCodeAt(close - 1))) close -= 1
  if (!/["'\p{Pe}\p{Pf}\p{Pi}]/u.test(text[close - 1] ?? '')) return false
  // と quotes; words that begin with it do not.
  if (close === end && /^(?:って|と(?!ても|ころ|にかく|もかく|りあえず|はいえ))/.test(text.slice(end, end + 5)))
    return true
  return /^\p{Ll}/u.test(text.slice(end, end + 2))
}

/** Offsets after each run of blank lines. */
function paragraphEnds(text: string): number[] {
  const ends: number[] = []
  let newlines = 0
  let lineEnd = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 10 || (code === 13 && text.charCodeAt(at + 1) !== 10) || code === 0x2029) {
      newlines += code === 0x2029 ? 2 : 1
      lineEnd = at + 1
    } else if (!isSpace(code)) {
      if (newlines > 1) ends.push(lineEnd)
      newlines = 0
    }
  }
  return ends
}

/** Whether the text before an end is an abbreviation or an initial, so that the sentence goes on. */
function abbreviations(language: string): (text: string, end: number) => boolean {
  const known = new Set(`${words.get(language) ?? ''} ${words.get('')}`.split(' '))
  const afterOrdinal = ordinals.get(language)
  return (text, end) => {
    let stop = end
    while (stop > 0 && end - stop < 16 && isSpace(text.charCodeAt(stop - 1))) stop -= 1
    if (text.charCodeAt(stop - 1) !== 46) return false
    const word = /[\p{L}\p{N}.]{1,12}$/u.exec(text.slice(Math.max(0, stop - 13), stop - 1))?.[0] ?? ''
    // A single letter is an initial or part of `z. B.`; letters with inner dots are abbreviations unless a capital follows.
    if (/^\p{L}$/u.test(word)) return word !== 'I'
    // As an answer it is a sentence.
    if (/^no$/i.test(word)) return /^\p{N}/u.test(text.slice(end, end + 2))
    if (known.has(word.toLowerCase())) return true
    if (/^(?:\p{L}\.)+\p{L}$/u.test(word)) return !/^\p{Lu}/u.test(text.slice(end, end + 2))
    return afterOrdinal !== undefined && /^\d{1,2}$/.test(word) && afterOrdinal.test(text.slice(end, end + 16))
  }
}

/** Nouns that follow a number with a stop, by language. */
const ordinals: ReadonlyMap<string, RegExp> = /* @__PURE__ */ new Map([
  [
    'de',
    /^(?:Jan|Feb|März|Apr|Mai|Juni|Juli|Aug|Sept|Okt|Nov|Dez|Jahrhundert|Jh|Jahrestag|Geburtstag|Weltkrieg|Kapitel|Auflage|Klasse|Platz|Stock|Lebensjahr)/,
  ],
])

/** Abbreviations that a sentence rarely ends with, by language; the entry without a name holds for all. */
const words: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['', 'mr mrs ms dr prof st nr vs cf ed eds vol fig figs al ca pp e.g i.e z.b d.h u.a p.ex sr jr'],
  [
    'en',
    'messrs rev hon gen col capt lt maj adm cmdr sgt gov sen rep pres inc ltd corp co bros dept univ est approx eq sec mt u.s u.k u.n ph.d jan feb mar apr jun jul aug sep sept oct nov dec',
  ],
  [
    'de',
    'bzw ggf vgl usw evtl inkl exkl max min str abs art hr fr frl fa bd hrsg dipl ing bspw bzgl geb gest jh mio mrd tsd sog tel zzgl o.ä u.ä i.d.r v.a',
  ],
  ['fr', 'mme mlle mm m me mgr env etc p art chap av janv févr avr juil sept oct nov déc'],
  ['es', 'sra srta dña ud uds vd vds ee uu gral lic pág págs art cap núm tel av avda aprox'],
  ['it', 'sig sigg dott ing avv pag art cap tel ecc'],
  ['pt', 'sra pág art cap núm tel av aprox exmo'],
  ['nl', 'dhr mevr bijv blz o.a d.w.z z.g'],
  ['pl', 'np tzw ul ok godz im'],
  ['ru', 'ул им тыс млн млрд акад т.е'],
  ['sv', 't.ex bl.a s.k'],
])
