/** A value of a JSON text, with the key before it. Values come in text order, containers before their members. */
export interface JsonSpan {
  /** First unit of the key, or of the value of an array or the top. */
  readonly start: number
  /** One past the last unit of the value. */
  end: number
  /** 0 for a value at the top. */
  readonly depth: number
  /** Index of the container; −1 at the top. */
  readonly parent: number
  /** Key or position in the container; the number of the line at the top. */
  readonly key: string | number
}

/** Where and why a text is not JSON. */
export interface JsonFault {
  /** Offset of the first unit that cannot be. */
  readonly position: number
  /** What is wrong, in words; `depth` for nesting beyond the limit. */
  readonly problem: string
}

/** The spans of all values, or the fault that ended the scan. */
export interface JsonScan {
  /** The values. */
  readonly spans: readonly JsonSpan[]
  /** Absent when the text is JSON, or JSON values one after another. */
  readonly fault?: JsonFault
}

// Sticky patterns keep their position in themselves, so each scan makes its own.
const patterns = (): { ESCAPE: RegExp; SCALAR: RegExp; SPACE: RegExp } => ({
  ESCAPE: /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y,
  SCALAR: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y,
  SPACE: /[ \t\r\n]*/y,
})

/** Scans one JSON value or several one after another (JSON lines), without recursion, in linear time. */
export function jsonSpans(text: string, maxDepth = 512): JsonScan {
  const { ESCAPE, SCALAR, SPACE } = patterns()
  const spans: JsonSpan[] = []
  const open: number[] = []
  const counts: number[] = []
  let at = 0
  let records = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  /** A string, by a loop: a pattern with alternatives overflows the stack of the engine on some megabytes. */
  const matchString = (): string | undefined => {
    if (text[at] !== '"') return undefined
    for (let end = at + 1; end < text.length; ) {
      const code = text.charCodeAt(end)
      if (code === 34) {
        const found = text.slice(at, end + 1)
        at = end + 1
        return found
      }
      if (code < 32) return undefined
      ESCAPE.lastIndex = end
      if (code !== 92) end += 1
      else if (ESCAPE.test(text)) end = ESCAPE.lastIndex
      else return undefined
    }
    return undefined
  }
  const fault = (problem: string): JsonScan => ({ spans, fault: { position: at, problem } })
  match(SPACE)
  while (at < text.length || open.length > 0) {
    const parent = open[open.length - 1]
    const inObject = parent !== undefined && text[spans[parent]!.end] === '{'
    const start = at
    let key: string | number = parent === undefined ? records++ : counts[counts.length - 1]!
    if (inObject) {
      const quoted = matchString()
      if (quoted === undefined) return fault('expected a key in double quotes')
      key = JSON.parse(quoted) as string
      match(SPACE)
      if (text[at] !== ':') return fault('expected a colon')
      at += 1
      match(SPACE)
    }
    const opener = text[at]
    // The `end` of an open container is where its bracket stands.
    spans.push({ start, end: at, depth: open.length, parent: parent ?? -1, key })
    if (opener === '{' || opener === '[') {
      if (open.length >= maxDepth) return fault('depth')
      open.push(spans.length - 1)
      counts.push(0)
      at += 1
      match(SPACE)
      if (text[at] !== (opener === '{' ? '}' : ']')) continue
    } else {
      if ((opener === '"' ? matchString() : match(SCALAR)) === undefined) return fault('expected a value')
      // `01` and `truefalse` are not two values.
      if (/[\w".+-]/.test(text[at] ?? '')) return fault('expected white space after a value')
      spans[spans.length - 1]!.end = at
    }
    // Close every container that ends here; stop at a comma, which another member follows.
    for (;;) {
      match(SPACE)
      const container = open[open.length - 1]
      if (container === undefined) break
      const closer = text[spans[container]!.end] === '{' ? '}' : ']'
      if (text[at] === ',') {
        at += 1
        match(SPACE)
        counts[counts.length - 1]! += 1
        break
      }
      if (text[at] !== closer) return fault(`expected a comma or ${closer}`)
      at += 1
      spans[container]!.end = at
      open.pop()
      counts.pop()
    }
  }
  return records === 0 ? fault('expected a value') : { spans }
}

/** JSON Pointer (RFC 6901) of a value within its top-level value. */
export function jsonPointer(spans: readonly JsonSpan[], index: number): string {
  let pointer = ''
  for (let at = index; at >= 0 && spans[at]!.parent >= 0; at = spans[at]!.parent) {
    pointer = `/${String(spans[at]!.key).replaceAll('~', '~0').replaceAll('/', '~1')}${pointer}`
  }
  return pointer
}
