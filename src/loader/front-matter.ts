import { parse } from 'yaml'
import type { Metadata, MetadataValue } from '../document.ts'
import { GroundlineError } from '../errors.ts'

/**
 * The values of a YAML front matter, dates as the strings that stand there. Undefined when it is not a mapping, which
 * makes it ordinary text between two rules. Throws `UNSUPPORTED_FORMAT` for broken YAML.
 */
export function parseFrontMatter(source: string, id: string): Metadata | undefined {
  const yaml = source.replace(/^---[^\n]*\n/, '').replace(/\r?\n?(?:---|\.\.\.)[ \t]*\r?\n?$/, '\n')
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
