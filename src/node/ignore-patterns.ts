/** Patterns of one ignore file, or of one option, over paths relative to the folder they hold for. */
export interface IgnorePatterns {
  /** What the last pattern that matches says of a path itself, whatever the folders above it are; undefined when none does. */
  verdict(path: string, kind: 'file' | 'folder'): 'ignored' | 'kept' | undefined
  /** Whether a path is ignored, or a folder above it is. */
  covers(path: string, kind: 'file' | 'folder'): boolean
}

interface Pattern {
  readonly verdict: 'ignored' | 'kept'
  readonly foldersOnly: boolean
  /** Matches a whole path, or a last segment. */
  readonly of: 'path' | 'name'
  readonly matches: RegExp
}

/**
 * Patterns with the syntax and the meaning of .gitignore, as git documents them (gitignore(5)) and matches them
 * (wildmatch.c), by characters where git goes by bytes: of all lines the last that matches decides. Letters differ by
 * case, as with git, where file systems tell them apart; `folded` makes `*.md` list `README.MD` everywhere.
 */
export function ignorePatterns(lines: readonly string[], letters?: 'folded'): IgnorePatterns {
  const isFolded = letters === 'folded' || process.platform === 'win32' || process.platform === 'darwin'
  const patterns = lines.flatMap((line) => patternOf(line, isFolded) ?? [])

  const verdict: IgnorePatterns['verdict'] = (path, kind) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const last = patterns.findLast(
      ({ foldersOnly, of, matches }) =>
        (kind === 'folder' || !foldersOnly) && matches.test(of === 'name' ? name : path),
    )
    return last?.verdict
  }

  return {
    verdict,
    covers: (path, kind) => {
      for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
        if (verdict(path.slice(0, at), 'folder') === 'ignored') return true
      return verdict(path, kind) === 'ignored'
    },
  }
}

/** The lines of an ignore file. */
export function ignoreLines(content: string): readonly string[] {
  return content.replace(/^\uFEFF/, '').split(/\r?\n/)
}

function patternOf(line: string, isFolded: boolean): Pattern | undefined {
  if (line.startsWith('#')) return undefined
  let glob = line
  while (glob.endsWith(' ') && !/(?:^|[^\\])(?:\\\\)*\\ $/.test(glob)) glob = glob.slice(0, -1)
  const isKept = glob.startsWith('!')
  if (isKept) glob = glob.slice(1)
  const foldersOnly = glob.endsWith('/')
  if (foldersOnly) glob = glob.slice(0, -1)
  if (glob === '') return undefined
  const of = glob.includes('/') ? 'path' : 'name'
  const source = sourceOf(glob.startsWith('/') ? glob.slice(1) : glob)
  if (source === undefined) return undefined
  const matches = new RegExp(`^${source}$`, isFolded ? 'isu' : 'su')
  return { verdict: isKept ? 'kept' : 'ignored', foldersOnly, of, matches }
}

/**
 * A glob as the source of a regular expression; undefined for one that matches nothing. What stands between two stars is
 * taken where it comes first and not looked for again: it may always come first, and looking again takes time that is
 * exponential in the number of stars.
 */
function sourceOf(glob: string): string | undefined {
  let source = ''
  let groups = 0
  // Where the last star of the segment, and the last `**/`, begin.
  let [star, stars]: (number | undefined)[] = []
  const settle = (from: number | undefined): void => {
    if (from === undefined) return
    const name = `g${groups++}`
    source = `${source.slice(0, from)}(?=(?<${name}>${source.slice(from)}))\\k<${name}>`
  }
  for (let at = 0; at < glob.length; ) {
    const unit = glob[at]!
    if (unit === '*') {
      let end = at
      while (glob[end] === '*') end++
      const isAlone = end - at === 2 && (at === 0 || glob[at - 1] === '/')
      if (isAlone && glob[end] === '/') {
        settle(stars)
        stars = source.length
        source += '(?:[^/]*/)*?'
        end++
      } else if (isAlone && end === glob.length) source += '.*'
      else {
        settle(star)
        star = source.length
        source += '[^/]*?'
      }
      at = end
    } else if (unit === '[') {
      const found = classAt(glob, at)
      if (!found) return undefined
      source += found.source
      at = found.end
    } else if (unit === '?') {
      source += '[^/]'
      at++
    } else {
      if (unit === '\\') at++
      const point = glob.codePointAt(at)
      if (point === undefined) return undefined
      const text = String.fromCodePoint(point)
      source += literal(text)
      if (text === '/') star = undefined
      at += text.length
    }
  }
  return source
}

/** `[a-z]`, `[!a-z]`, `[[:digit:]]`: undefined when it does not end. */
function classAt(glob: string, start: number): { readonly source: string; readonly end: number } | undefined {
  let at = start + 1
  const isNegated = glob[at] === '!' || glob[at] === '^'
  if (isNegated) at++
  const next = (): string | undefined => {
    if (glob[at] === '\\') at++
    const point = glob.codePointAt(at)
    if (point === undefined) return undefined
    const text = String.fromCodePoint(point)
    at += text.length
    return text
  }
  let members = ''
  for (let isFirst = true; isFirst || glob[at] !== ']'; isFirst = false) {
    const named = /^\[:([a-z]+):\]/.exec(glob.slice(at))
    if (named) {
      const set = CLASSES[named[1]!]
      if (set === undefined) return undefined
      members += set
      at += named[0].length
      continue
    }
    const from = next()
    if (from === undefined) return undefined
    if (glob[at] !== '-' || glob[at + 1] === ']' || at + 1 >= glob.length) {
      members += member(from)
      continue
    }
    at++
    const to = next()
    if (to === undefined) return undefined
    // A range the wrong way round holds nothing but its first member.
    members += from.codePointAt(0)! <= to.codePointAt(0)! ? `${member(from)}-${member(to)}` : member(from)
  }
  const end = at + 1
  return { source: isNegated ? `[^/${members}]` : `(?!/)[${members}]`, end }
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
}

function literal(text: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(text) ? `\\${text}` : text
}

/** The same within a class, where a hyphen would make a range. */
function member(text: string): string {
  return text === '-' ? '\\-' : literal(text)
}
