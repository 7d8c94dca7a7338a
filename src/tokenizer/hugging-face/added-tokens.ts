import { asArray, asFlag, asId, asObject, asString, member } from './json.ts'

/** A token that is cut out of the text before anything else sees it. */
export interface AddedToken {
  /** Its id. */
  readonly id: number
  /** Its spelling. */
  readonly content: string
  /** Whether it controls the model; ordinary text must not yield it. */
  readonly special: boolean
  /** Whether it is looked for in the normalized text. */
  readonly normalized: boolean
  /** Whether it stands for whole words only. */
  readonly singleWord: boolean
  /** Whether it takes the white space before it. */
  readonly lstrip: boolean
  /** Whether it takes the white space after it. */
  readonly rstrip: boolean
}

/** A stretch of ordinary text, or an added token. */
export type AddedPiece = { readonly text: string; readonly start: number; readonly id: number | undefined }

/** The file's added tokens. */
export function readAddedTokens(value: unknown): readonly AddedToken[] {
  if (value === undefined || value === null) return []
  return asArray(value, 'added_tokens').map((entry, index) => {
    const where = `added_tokens[${index}]`
    const token = asObject(entry, where)
    const special = asFlag(member(token, 'special'), `${where}.special`, false)
    return {
      id: asId(member(token, 'id'), `${where}.id`),
      content: asString(member(token, 'content'), `${where}.content`),
      special,
      normalized: asFlag(member(token, 'normalized'), `${where}.normalized`, !special),
      singleWord: asFlag(member(token, 'single_word'), `${where}.single_word`, false),
      lstrip: asFlag(member(token, 'lstrip'), `${where}.lstrip`, false),
      rstrip: asFlag(member(token, 'rstrip'), `${where}.rstrip`, false),
    }
  })
}

/** Cuts a text at added tokens, leftmost first and longest of those; `allowed` decides whether one counts. */
export type AddedTokenCutter = (text: string, allowed: (token: AddedToken) => boolean) => readonly AddedPiece[]

/** A cutter for tokens under the spellings given. */
export function addedTokenCutter(entries: readonly (readonly [string, AddedToken])[]): AddedTokenCutter {
  const byFirstUnit = new Map<number, (readonly [string, AddedToken])[]>()
  for (const entry of entries) {
    if (entry[0] === '') continue
    const unit = entry[0].charCodeAt(0)
    byFirstUnit.set(unit, [...(byFirstUnit.get(unit) ?? []), entry])
  }
  for (const list of byFirstUnit.values()) list.sort((a, b) => b[0].length - a[0].length)

  return (text, allowed) => {
    const pieces: AddedPiece[] = []
    let start = 0
    for (let at = 0; at < text.length; ) {
      const match = byFirstUnit.get(text.charCodeAt(at))?.find(([spelling]) => text.startsWith(spelling, at))
      if (!match) {
        at++
        continue
      }
      const [spelling, token] = match
      const end = at + spelling.length
      if (allowed(token) && (!token.singleWord || standsAlone(text, at, end))) {
        const from = token.lstrip ? at - /\p{White_Space}*$/u.exec(text.slice(start, at))![0].length : at
        const to = token.rstrip ? end + /^\p{White_Space}*/u.exec(text.slice(end))![0].length : end
        if (from > start) pieces.push({ text: text.slice(start, from), start, id: undefined })
        pieces.push({ text: text.slice(from, to), start: from, id: token.id })
        start = to
      }
      at = Math.max(end, start)
    }
    if (start < text.length) pieces.push({ text: text.slice(start), start, id: undefined })
    return pieces
  }
}

function standsAlone(text: string, start: number, end: number): boolean {
  return (
    !/[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u.test(text.slice(Math.max(0, start - 2), start)) &&
    !/^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u.test(text.slice(end, end + 2))
  )
}
