import { unsupported } from './json.ts'

const WHITE_SPACE = '\\p{White_Space}'
/** Oniguruma's `\w`, which for old times' sake has the superscripts and fractions of Latin-1. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}²³¹¼-¾'
/** Scripts that expressions name without `Script=`. */
const SCRIPTS = new Set([
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Latin',
  'Cyrillic',
  'Greek',
  'Arabic',
  'Hebrew',
  'Thai',
  'Devanagari',
])
const PROPERTY =
  /^(?:L|Lu|Ll|Lt|Lm|Lo|M|Mn|Mc|Me|N|Nd|Nl|No|P|Pc|Pd|Ps|Pe|Pi|Pf|Po|S|Sm|Sc|Sk|So|Z|Zs|Zl|Zp|C|Cc|Cf|Co|Cn|Alphabetic|Emoji|White_Space)$/

/**
 * Rewrites an expression of the Rust or Oniguruma dialect, as tokenizer files hold them, in JavaScript's, with the flags
 * `gu`. What differs: white space (`\s` here is Unicode's, without U+FEFF and with U+0085), `(?i:…)` (expanded letter by
 * letter, U+017F with `s` and U+212A with `k`), possessive quantifiers (as atomic groups: look ahead, then match what was
 * seen), and escapes that JavaScript refuses. Anything else that the dialects might read differently is
 * `UNSUPPORTED_FORMAT`.
 */
export function translateRegex(source: string): RegExp {
  const reader = new Reader(source)
  const translated = reader.alternatives(false)
  if (!reader.done()) throw unsupported('the regular expression', source)
  try {
    return new RegExp(translated, 'gu')
  } catch {
    throw unsupported('the regular expression', source)
  }
}

/** An expression that matches the text itself. */
export function literalRegex(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gu')
}

/** Recursive descent over one expression. */
class Reader {
  readonly #source: string
  #at = 0
  #groups = 0

  constructor(source: string) {
    this.#source = source
  }

  done(): boolean {
    return this.#at >= this.#source.length
  }

  alternatives(ignoreCase: boolean): string {
    const branches = [this.#sequence(ignoreCase)]
    while (this.#take('|')) branches.push(this.#sequence(ignoreCase))
    return branches.join('|')
  }

  #sequence(ignoreCase: boolean): string {
    let result = ''
    while (!this.done() && !this.#sees('|') && !this.#sees(')')) {
      const atom = this.#atom(ignoreCase)
      const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#source.slice(this.#at))?.[0] ?? ''
      this.#at += quantifier.length
      if (quantifier !== '' && !quantifier.startsWith('{') && this.#take('+')) {
        const name = `atomic${this.#groups++}`
        result += `(?=(?<${name}>${atom}${quantifier}))\\k<${name}>`
        continue
      }
      const lazy = quantifier !== '' && this.#take('?') ? '?' : ''
      // Oniguruma reads `x{1,3}+` as a repeated group, not as a possessive interval.
      result += quantifier.startsWith('{') && this.#take('+') ? `(?:${atom}${quantifier})+` : atom + quantifier + lazy
    }
    return result
  }

  #atom(ignoreCase: boolean): string {
    if (this.#take('(')) return this.#group(ignoreCase)
    if (this.#take('[')) return this.#set()
    if (this.#take('.')) return '[^\\n]'
    if (this.#sees('\\')) return this.#escape(false)
    const character = this.#character()
    if ('^$*+?{'.includes(character)) throw unsupported('the regular expression', this.#source)
    return ignoreCase ? bothCases(character) : quote(character)
  }

  #group(ignoreCase: boolean): string {
    const opening = /^(?:\?(?:i:|:|=|!|<=|<!|>))?/.exec(this.#source.slice(this.#at))![0]
    if (opening === '' && this.#sees('?')) throw unsupported('the regular expression', this.#source)
    this.#at += opening.length
    const inner = this.alternatives(ignoreCase || opening === '?i:')
    if (!this.#take(')')) throw unsupported('the regular expression', this.#source)
    if (opening === '?>') {
      const name = `atomic${this.#groups++}`
      return `(?:(?=(?<${name}>${inner}))\\k<${name}>)`
    }
    return `(${opening === '' || opening === '?i:' ? '?:' : opening}${inner})`
  }

  #set(): string {
    let result = this.#take('^') ? '[^' : '['
    for (let first = true; first || !this.#sees(']'); first = false) {
      if (this.done() || this.#sees('[') || this.#source.startsWith('&&', this.#at)) {
        throw unsupported('the regular expression', this.#source)
      }
      if (this.#sees('\\')) result += this.#escape(true)
      else {
        const character = this.#character()
        result += character === '-' ? '-' : quote(character)
      }
    }
    this.#at++
    return `${result}]`
  }

  #escape(inSet: boolean): string {
    this.#at++
    const character = this.#character()
    switch (character) {
      case 's':
        return WHITE_SPACE
      case 'S':
        return '\\P{White_Space}'
      case 'd':
        return '\\p{Nd}'
      case 'D':
        return '\\P{Nd}'
      case 'w':
        return inSet ? WORD : `[${WORD}]`
      case 'W':
        if (!inSet) return `[^${WORD}]`
        break
      case 'p':
      case 'P': {
        const name = /^(?:\{(\^?)([A-Za-z_]+)\}|()([A-Z]))/.exec(this.#source.slice(this.#at))
        if (!name) break
        this.#at += name[0].length
        const property = name[2] ?? name[4]!
        const letter = (character === 'P') !== (name[1] === '^') ? 'P' : 'p'
        if (SCRIPTS.has(property)) return `\\${letter}{Script=${property}}`
        if (PROPERTY.test(property)) return `\\${letter}{${property}}`
        break
      }
      case 'n':
      case 'r':
      case 't':
      case 'f':
      case 'v':
        return `\\${character}`
      case 'u':
      case 'x': {
        const code = /^(?:[0-9A-Fa-f]{4}|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#source.slice(this.#at))
        if (!code || (character === 'x' && code[1] === undefined)) break
        this.#at += code[0].length
        return `\\u{${code[1] ?? code[0]}}`
      }
      default:
        if (!/[A-Za-z0-9]/.test(character)) return quote(character)
    }
    throw unsupported('the regular expression', this.#source)
  }

  #character(): string {
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0xfffd)
    this.#at += character.length
    return character
  }

  #sees(text: string): boolean {
    return this.#source.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false
    this.#at += text.length
    return true
  }
}

function quote(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\u{${character.codePointAt(0)!.toString(16)}}` : character
}

function bothCases(character: string): string {
  const variants = new Set([character, character.toLowerCase(), character.toUpperCase()])
  if (variants.has('s')) variants.add('ſ')
  if (variants.has('k')) variants.add('\u212a')
  const single = Array.from(variants).filter((variant) => Array.from(variant).length === 1)
  return single.length === 1 ? quote(character) : `[${single.map(quote).join('')}]`
}
