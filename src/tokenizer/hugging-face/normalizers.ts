import { spellBytes } from './byte-level.ts'
import { asArray, asFlag, asObject, asString, type JsonObject, malformed, member, unsupported } from './json.ts'
import { precompiledNormalizer } from './precompiled.ts'
import { literalRegex, translateRegex } from './regex.ts'

/** Rewrites a text before it is cut into words. */
export type Normalizer = (text: string) => string

/** The normalizer that a file describes. Throws `UNSUPPORTED_FORMAT` for a step that is not implemented. */
export function readNormalizer(value: unknown, where = 'normalizer'): Normalizer {
  if (value === null || value === undefined) return (text) => text
  const step = asObject(value, where)
  const type = asString(member(step, 'type'), `${where}.type`)
  switch (type) {
    case 'Sequence': {
      const steps = asArray(member(step, 'normalizers'), `${where}.normalizers`).map((one, index) =>
        readNormalizer(one, `${where}.normalizers[${index}]`),
      )
      return (text) => steps.reduce((current, apply) => apply(current), text)
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => text.normalize(type)
    case 'Lowercase':
      return lowerCase
    case 'StripAccents':
      return (text) => text.replace(/\p{M}/gu, '')
    case 'Strip': {
      const left = asFlag(member(step, 'strip_left'), where, true)
      const right = asFlag(member(step, 'strip_right'), where, true)
      return (text) => text.slice(left ? leading(text) : 0, right ? trailing(text) : text.length)
    }
    case 'Replace': {
      const pattern = readPattern(member(step, 'pattern'), `${where}.pattern`)
      const content = asString(member(step, 'content'), `${where}.content`)
      return (text) => text.replace(pattern, () => content)
    }
    case 'Prepend': {
      const prefix = asString(member(step, 'prepend'), `${where}.prepend`)
      return (text) => (text === '' ? '' : prefix + text)
    }
    case 'Nmt':
      return nmt
    case 'ByteLevel':
      return spellBytes
    case 'Precompiled':
      return precompiledNormalizer(asString(member(step, 'precompiled_charsmap'), `${where}.precompiled_charsmap`))
    case 'BertNormalizer':
      return bertNormalizer(step, where)
    default:
      throw unsupported('the normalizer', type)
  }
}

/** `{ String }` or `{ Regex }` as an expression. */
export function readPattern(value: unknown, where: string): RegExp {
  const pattern = asObject(value, where)
  if (member(pattern, 'String') !== undefined) return literalRegex(asString(member(pattern, 'String'), where))
  if (member(pattern, 'Regex') !== undefined) return translateRegex(asString(member(pattern, 'Regex'), where))
  throw malformed(where, 'a String or a Regex', value)
}

function bertNormalizer(step: JsonObject, where: string): Normalizer {
  const lower = asFlag(member(step, 'lowercase'), `${where}.lowercase`, true)
  const strip = asFlag(member(step, 'strip_accents'), `${where}.strip_accents`, lower)
  const clean = asFlag(member(step, 'clean_text'), `${where}.clean_text`, true)
  const chinese = asFlag(member(step, 'handle_chinese_chars'), `${where}.handle_chinese_chars`, true)
  return (input) => {
    let text = input
    if (clean) {
      text = text.replace(/[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]/gu, '').replace(/\p{White_Space}/gu, ' ')
    }
    if (chinese) {
      // The ranges of the reference implementation, which starts the sixth at U+2B920.
      text = text.replace(
        /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu,
        ' $& ',
      )
    }
    if (strip) text = text.normalize('NFD').replace(/\p{Mn}/gu, '')
    return lower ? lowerCase(text) : text
  }
}

/** Character by character: JavaScript's own lower case looks at neighbours for the final sigma, the reference does not. */
function lowerCase(text: string): string {
  return text.includes('Σ') ? text.replaceAll('Σ', 'σ').toLowerCase() : text.toLowerCase()
}

function nmt(text: string): string {
  return text
    .replace(/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g, '')
    .replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' ')
}

function leading(text: string): number {
  return /^\p{White_Space}*/u.exec(text)![0].length
}

function trailing(text: string): number {
  let end = text.length
  while (end > 0 && /\p{White_Space}/u.test(text[end - 1]!)) end--
  return end
}
