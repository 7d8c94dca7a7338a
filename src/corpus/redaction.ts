import { GroundlineError } from '../errors.ts'

/** Kinds of private text that {@link findPrivateText} knows. */
export type PrivateKind = 'email' | 'phone' | 'iban' | 'card' | 'key'

/** A piece of private text. */
export interface PrivateSpan {
  /** What it is. */
  readonly kind: PrivateKind
  /** First UTF-16 unit. */
  readonly start: number
  /** One past the last unit. */
  readonly end: number
}

/** What to look for, and how to cover it. */
export interface RedactionOptions {
  /** Which kinds. Default all. */
  readonly kinds?: readonly PrivateKind[]
  /** Covers each UTF-16 unit. One unit, so that every offset of the text stays what it was. Default `█`. */
  readonly mask?: string
}

const PATTERNS: Readonly<Record<PrivateKind, () => RegExp>> = {
  key: () =>
    /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----)){0,8192}-----END [A-Z ]*PRIVATE KEY-----|\b(?:sk|pk|rk)[-_](?:[a-z]+[-_]){0,3}[A-Za-z0-9_-]{20,200}|\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}|xox[abprs]-[A-Za-z0-9-]{10,250}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|glpat-[A-Za-z0-9_-]{20,64}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,64})\b|\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}/g,
  email: () =>
    /[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}/g,
  iban: () => /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g,
  card: () => /(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-]|\.\d)/g,
  phone: () =>
    /(?<![\w.+/-]|\d )(?:\+\d{1,3}[ .-]?(?:\(0\)[ .-]?)?|\(\d{2,5}\)[ .-]?|0\d{1,4}[ ./-]|\d{3}[.-](?=\d{3}[.-]\d{4}))(?:\(?\d{1,5}\)?[ ./-]?){1,6}\d{2}(?![\w-]|\.\d)/g,
}

/** The order decides which kind a span has when two patterns meet. */
const ORDER: readonly PrivateKind[] = ['key', 'email', 'iban', 'card', 'phone']

/**
 * Finds e-mail addresses, telephone numbers (international, or with an area code), IBANs (checked modulo 97), card
 * numbers (checked by Luhn) and keys of common formats, in text order and without overlaps. Patterns are bounded:
 * linear time.
 *
 * A help, not a guarantee: names, addresses and formats it does not know stay. Its precision and recall on the fixed set
 * of this project stand in docs/corpus.md.
 */
export function findPrivateText(text: string, kinds: readonly PrivateKind[] = ORDER): readonly PrivateSpan[] {
  const found: PrivateSpan[] = []
  for (const kind of ORDER) {
    if (!kinds.includes(kind)) continue
    for (const match of text.matchAll(PATTERNS[kind]())) {
      const [start, end] = [match.index, match.index + match[0].length]
      if (!isPlausible(kind, match[0])) continue
      if (found.some((other) => start < other.end && other.start < end)) continue
      found.push({ kind, start, end })
    }
  }
  return found.sort((a, b) => a.start - b.start)
}

/**
 * A function that covers private text, unit by unit, so that every span, outline and source map stays true. Use it as
 * `prepare` of a sync: what it covers reaches neither the embedder nor the corpus.
 *
 * @example
 * ```ts
 * import { redactor } from 'groundline/corpus'
 *
 * const redact = redactor()
 * const prepare = (document) => ({ ...document, text: redact(document.text) })
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function redactor({ kinds = ORDER, mask = '█' }: RedactionOptions = {}): (text: string) => string {
  if (mask.length !== 1) {
    throw new GroundlineError(
      'INVALID_ARGUMENT',
      `mask must be one UTF-16 unit, so that offsets stay, got ${mask.length}`,
    )
  }
  return (text) => {
    let redacted = ''
    let at = 0
    for (const { start, end } of findPrivateText(text, kinds)) {
      redacted += text.slice(at, start) + mask.repeat(end - start)
      at = end
    }
    return redacted + text.slice(at)
  }
}

function isPlausible(kind: PrivateKind, match: string): boolean {
  const digits = match.replace(/\D/g, '')
  if (kind === 'card') return passesLuhn(digits) && !/^(\d)\1+$/.test(digits)
  if (kind === 'iban') return passesMod97(match.replaceAll(' ', ''))
  if (kind === 'phone') return digits.length >= 8 && digits.length <= 15 && !/^\d{1,2}[./]\d{1,2}[./]\d{4}$/.test(match)
  return true
}

/** ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    let digit = Number(digits[digits.length - 1 - index])
    if (index % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2
    sum += digit
  }
  return sum % 10 === 0
}

/** ISO 13616: the first four moved to the end, letters as numbers, remainder 1. */
function passesMod97(iban: string): boolean {
  if (iban.length < 15 || iban.length > 34) return false
  let rest = 0
  for (const unit of iban.slice(4) + iban.slice(0, 4)) {
    for (const digit of String(Number.parseInt(unit, 36))) rest = (rest * 10 + Number(digit)) % 97
  }
  return rest === 1
}
