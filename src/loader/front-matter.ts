import { parse } from 'yaml'
import type { Metadata, MetadataValue } from '../document.ts'
import { GroundlineError } from '../errors.ts'

/** Deepest nesting. The parser recurses, and at some thousands ends the process where no error can be caught. */
const MAX_DEPTH = 64

/**
 * The values of a YAML front matter, dates as the strings that stand there. Undefined when it is not a mapping, which
 * makes it ordinary text between two rules. Throws `UNSUPPORTED_FORMAT` for broken YAML, `LIMIT_EXCEEDED` where it nests
 * deeper than 64.
 */
export function parseFrontMatter(source: string, id: string): Metadata | undefined {
  const yaml = source.replace(/^---[^\n]*\n/, '').replace(/\r?\n?(?:---|\.\.\.)[ \t]*\r?\n?$/, '\n')
  if (nestsDeeper(yaml, MAX_DEPTH)) {
    throw new GroundlineError(
      'LIMIT_EXCEEDED',
      `front matter of ${JSON.stringify(id)} nests deeper than ${MAX_DEPTH}`,
      {
        details: { id, part: 'front matter', expected: MAX_DEPTH },
      },
    )
  }
  let value: unknown
  try {
    value = parse(yaml, { schema: 'core', maxAliasCount: 20, logLevel: 'error' })
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
    throw new GroundlineError('UNSUPPORTED_FORMAT', `front matter of ${JSON.stringify(id)} is not YAML: ${problem}`, {
      cause,
      details: { id, part: 'front matter' },
    })
  }
  if (value === null && /^[\s#]/.test(yaml)) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const metadata = plain(value, 0)
  return metadata as Metadata
}

/**
 * Whether brackets or indentation may nest deeper than a limit. Brackets in strings count too: what is refused for them
 * alone has more than the limit of them open.
 */
function nestsDeeper(yaml: string, limit: number): boolean {
  let brackets = 0
  for (let at = 0; at < yaml.length; at += 1) {
    const sign = yaml[at]
    if (sign === '[' || sign === '{') brackets += 1
    else if ((sign === ']' || sign === '}') && brackets > 0) brackets -= 1
    if (brackets > limit) return true
  }
  const columns: number[] = []
  for (const line of yaml.split(/\r\n?|\n/)) {
    // Each dash of `- - a` begins a list of its own, indented as far as it stands.
    const place = /[ \t]*(?:[-?:](?=[ \t]))?/y
    for (let end = -1; place.lastIndex > end; ) {
      end = place.lastIndex
      let column = end
      while (line[column] === ' ' || line[column] === '\t') column += 1
      if (column === line.length) break
      while (columns.length > 0 && columns[columns.length - 1]! >= column) columns.pop()
      if (columns.push(column) > limit) return true
      place.exec(line)
    }
  }
  return false
}

/** JSON values only: numbers that JSON cannot hold become strings, other kinds of values are left out. */
function plain(value: unknown, depth: number): MetadataValue | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || depth > 16) return undefined
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const converted = plain(item, depth + 1)
      return converted === undefined ? [] : [converted]
    })
  }
  const entries: [string, MetadataValue][] = []
  for (const [key, member] of Object.entries(value)) {
    const converted = plain(member, depth + 1)
    if (converted !== undefined && key !== '__proto__') entries.push([key, converted])
  }
  return Object.fromEntries(entries)
}
