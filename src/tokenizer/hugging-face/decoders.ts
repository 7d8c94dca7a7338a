import { characterBytes } from './byte-level.ts'
import { asArray, asFlag, asObject, asString, type JsonObject, malformed, member, unsupported } from './json.ts'
import { readPattern } from './normalizers.ts'
import { readPrependScheme } from './pre-tokenizers.ts'

/** Turns the spellings of tokens into stretches of text that are joined at the end. */
export type TokenSpellingDecoder = (tokens: readonly string[]) => readonly string[]

/** The decoder that a file describes; without one, tokens are joined by blanks. */
export function readDecoder(value: unknown, where = 'decoder'): TokenSpellingDecoder {
  if (value === null || value === undefined) return (tokens) => [tokens.join(' ')]
  const step = asObject(value, where)
  const type = asString(member(step, 'type'), `${where}.type`)
  switch (type) {
    case 'Sequence': {
      const steps = asArray(member(step, 'decoders'), `${where}.decoders`).map((one, index) =>
        readDecoder(one, `${where}.decoders[${index}]`),
      )
      return (tokens) => steps.reduce((current, apply) => apply(current), tokens)
    }
    case 'ByteLevel':
      return (tokens) => [decodeUtf8(tokens.flatMap(bytesOf))]
    case 'ByteFallback':
      return decodeFallback
    case 'Fuse':
      return (tokens) => [tokens.join('')]
    case 'WordPiece':
      return wordPiece(step, where)
    case 'Metaspace': {
      const mark = asString(member(step, 'replacement'), `${where}.replacement`)
      const drops = readPrependScheme(step, where) !== 'never'
      return (tokens) =>
        tokens.map((token, index) => {
          const rest = drops && index === 0 && token.startsWith(mark) ? token.slice(mark.length) : token
          return rest.replaceAll(mark, ' ')
        })
    }
    case 'Replace': {
      const pattern = readPattern(member(step, 'pattern'), `${where}.pattern`)
      const content = asString(member(step, 'content'), `${where}.content`)
      return (tokens) => tokens.map((token) => token.replace(pattern, () => content))
    }
    case 'Strip': {
      const content = asString(member(step, 'content'), `${where}.content`)
      const [start, stop] = [asCount(step, 'start', where), asCount(step, 'stop', where)]
      return (tokens) => tokens.map((token) => strip(token, content, start, stop))
    }
    case 'BPEDecoder': {
      const suffix = asString(member(step, 'suffix') ?? '</w>', `${where}.suffix`)
      return (tokens) => tokens.map((token, index) => token.replaceAll(suffix, index === tokens.length - 1 ? '' : ' '))
    }
    default:
      throw unsupported('the decoder', type)
  }
}

function bytesOf(token: string): readonly number[] {
  const table = characterBytes()
  const bytes = Array.from(token, (character) => table.get(character))
  return bytes.every((byte) => byte !== undefined) ? bytes : Array.from(new TextEncoder().encode(token))
}

function decodeUtf8(bytes: readonly number[]): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
}

/** `<0xE2>` and its like are bytes; a run of them that is not UTF-8 gives one U+FFFD a byte. */
function decodeFallback(tokens: readonly string[]): readonly string[] {
  const result: string[] = []
  let run: number[] = []
  const flush = () => {
    if (run.length === 0) return
    try {
      result.push(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(run)))
    } catch {
      for (const _ of run) result.push('\ufffd')
    }
    run = []
  }
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)
    if (byte) run.push(Number.parseInt(byte[1]!, 16))
    else {
      flush()
      result.push(token)
    }
  }
  flush()
  return result
}

function wordPiece(step: JsonObject, where: string): TokenSpellingDecoder {
  const prefix = asString(member(step, 'prefix') ?? '##', `${where}.prefix`)
  const cleanup = asFlag(member(step, 'cleanup'), `${where}.cleanup`, true)
  const clean = (text: string) =>
    text
      .replaceAll(' .', '.')
      .replaceAll(' ?', '?')
      .replaceAll(' !', '!')
      .replaceAll(' ,', ',')
      .replaceAll(" ' ", "'")
      .replaceAll(" n't", "n't")
      .replaceAll(" 'm", "'m")
      .replaceAll(' do not', " don't")
      .replaceAll(" 's", "'s")
      .replaceAll(" 've", "'ve")
      .replaceAll(" 're", "'re")
  return (tokens) =>
    tokens.map((token, index) => {
      const text = index === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
      return cleanup ? clean(text) : text
    })
}

function strip(token: string, content: string, start: number, stop: number): string {
  const characters = Array.from(token)
  let from = 0
  while (from < start && characters[from] === content) from++
  let to = characters.length
  while (characters.length - to < stop && to > from && characters[to - 1] === content) to--
  return characters.slice(from, to).join('')
}

function asCount(step: JsonObject, key: string, where: string): number {
  const value = member(step, key) ?? 0
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw malformed(`${where}.${key}`, 'a number of characters', value)
}
