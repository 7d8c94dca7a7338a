import { spellBytes } from './byte-level.ts'
import { asArray, asFlag, asObject, asString, type JsonObject, malformed, member, unsupported } from './json.ts'
import { readPattern } from './normalizers.ts'
import { asBehavior, splitText } from './split-text.ts'

/** Cuts a stretch of text into words. `atStart` says whether it stands at the very start of the input. */
export type PreTokenizer = (text: string, atStart: boolean) => readonly string[]

/** The pre-tokenizer that a file describes. Throws `UNSUPPORTED_FORMAT` for a step that is not implemented. */
export function readPreTokenizer(value: unknown, where = 'pre_tokenizer'): PreTokenizer {
  if (value === null || value === undefined) return (text) => (text === '' ? [] : [text])
  const step = asObject(value, where)
  const type = asString(member(step, 'type'), `${where}.type`)
  switch (type) {
    case 'Sequence': {
      const steps = asArray(member(step, 'pretokenizers'), `${where}.pretokenizers`).map((one, index) =>
        readPreTokenizer(one, `${where}.pretokenizers[${index}]`),
      )
      return (text, atStart) =>
        steps.reduce<readonly string[]>(
          (words, apply) => words.flatMap((word, index) => apply(word, atStart && index === 0)),
          text === '' ? [] : [text],
        )
    }
    case 'ByteLevel': {
      const prefix = asFlag(member(step, 'add_prefix_space'), `${where}.add_prefix_space`, true)
      const split = asFlag(member(step, 'use_regex'), `${where}.use_regex`, true)
      const pattern =
        /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu
      return (text) => {
        const prefixed = prefix && !text.startsWith(' ') ? ` ${text}` : text
        return (split ? splitText(prefixed, pattern, 'Isolated') : [prefixed]).map(spellBytes)
      }
    }
    case 'Split': {
      const pattern = readPattern(member(step, 'pattern'), `${where}.pattern`)
      const behavior = asBehavior(member(step, 'behavior'), `${where}.behavior`)
      const invert = asFlag(member(step, 'invert'), `${where}.invert`, false)
      return (text) => splitText(text, pattern, behavior, invert)
    }
    case 'Metaspace':
      return metaspace(step, where)
    case 'Whitespace': {
      const words =
        /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu
      return (text) => splitText(text, words, 'Removed', true)
    }
    case 'WhitespaceSplit':
      return (text) => splitText(text, /\p{White_Space}/gu, 'Removed')
    case 'BertPreTokenizer':
      return (text) =>
        splitText(text, /\p{White_Space}/gu, 'Removed').flatMap((word) => splitText(word, punctuation(), 'Isolated'))
    case 'Punctuation': {
      const behavior = asBehavior(member(step, 'behavior') ?? 'Isolated', `${where}.behavior`)
      return (text) => splitText(text, punctuation(), behavior)
    }
    case 'Digits': {
      const each = asFlag(member(step, 'individual_digits'), `${where}.individual_digits`, false)
      return (text) => splitText(text, /\p{N}/gu, each ? 'Isolated' : 'Contiguous')
    }
    case 'CharDelimiterSplit': {
      const delimiter = asString(member(step, 'delimiter'), `${where}.delimiter`)
      return (text) => text.split(delimiter).filter((word) => word !== '')
    }
    default:
      throw unsupported('the pre-tokenizer', type)
  }
}

/** When Metaspace puts its mark before a text: `always`, `never`, or at the start of the input (`first`). */
export function readPrependScheme(step: JsonObject, where: string): 'always' | 'never' | 'first' {
  const scheme = member(step, 'prepend_scheme')
  if (scheme === undefined) return asFlag(member(step, 'add_prefix_space'), where, true) ? 'always' : 'never'
  if (scheme === 'always' || scheme === 'never' || scheme === 'first') return scheme
  throw malformed(`${where}.prepend_scheme`, 'always, never or first', scheme)
}

function metaspace(step: JsonObject, where: string): PreTokenizer {
  const mark = asString(member(step, 'replacement'), `${where}.replacement`)
  const scheme = readPrependScheme(step, where)
  const split = asFlag(member(step, 'split'), `${where}.split`, true)
  return (text, atStart) => {
    let marked = text.replaceAll(' ', mark)
    if (!marked.startsWith(mark) && (scheme === 'always' || (scheme === 'first' && atStart))) marked = mark + marked
    if (!split) return [marked]
    const words: string[] = []
    for (let start = 0; start < marked.length; ) {
      const next = marked.indexOf(mark, start + mark.length)
      const end = next < 0 ? marked.length : next
      words.push(marked.slice(start, end))
      start = end
    }
    return words
  }
}

/** ASCII punctuation, signs such as `$` and `+` included, and what Unicode calls punctuation. */
function punctuation(): RegExp {
  return /[!-/:-@[-`{-~\p{P}]/gu
}
