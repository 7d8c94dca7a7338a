import { asArray, asId, asObject, asString, member, unsupported } from './json.ts'

/** What stands before and after the tokens of a single text. */
export interface TokenFrame {
  /** Ids before the text. */
  readonly before: readonly number[]
  /** Ids after it. */
  readonly after: readonly number[]
}

/** The special tokens that a file puts around a single text. */
export function readPostProcessor(value: unknown, where = 'post_processor'): TokenFrame {
  if (value === null || value === undefined) return { before: [], after: [] }
  const step = asObject(value, where)
  const type = asString(member(step, 'type'), `${where}.type`)
  switch (type) {
    case 'Sequence':
      return asArray(member(step, 'processors'), `${where}.processors`).reduce<TokenFrame>(
        (inner, one, index) => {
          const outer = readPostProcessor(one, `${where}.processors[${index}]`)
          return { before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] }
        },
        { before: [], after: [] },
      )
    case 'ByteLevel':
      return { before: [], after: [] }
    case 'BertProcessing':
    case 'RobertaProcessing':
      return {
        before: [pairedId(member(step, 'cls'), `${where}.cls`)],
        after: [pairedId(member(step, 'sep'), `${where}.sep`)],
      }
    case 'TemplateProcessing': {
      const before: number[] = []
      const after: number[] = []
      let target = before
      const known = asObject(member(step, 'special_tokens') ?? {}, `${where}.special_tokens`)
      for (const item of asArray(member(step, 'single'), `${where}.single`)) {
        const piece = asObject(item, `${where}.single`)
        if (member(piece, 'Sequence') !== undefined) {
          if (target === after) throw unsupported('a template', 'with the text twice')
          target = after
          continue
        }
        const name = asString(asObject(member(piece, 'SpecialToken'), `${where}.single`).id, `${where}.single`)
        const token = asObject(member(known, name), `${where}.special_tokens.${name}`)
        for (const id of asArray(member(token, 'ids'), `${where}.special_tokens.${name}.ids`)) {
          target.push(asId(id, `${where}.special_tokens.${name}.ids`))
        }
      }
      return { before, after }
    }
    default:
      throw unsupported('the post-processor', type)
  }
}

function pairedId(value: unknown, where: string): number {
  return asId(asArray(value, where)[1], where)
}
