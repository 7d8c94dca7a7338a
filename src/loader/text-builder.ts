import type { Mark, OffsetPiece } from '../document.ts'

/** Builds a readable text beside the way back to its original: a piece for each stretch that maps in one go. */
export class TextBuilder {
  /** Where the text so far came from, without gaps. */
  readonly pieces: OffsetPiece[] = []
  /** Recognised spans, in the order they were opened. */
  readonly marks: Mark[] = []
  /** Length of the text so far. */
  length = 0
  /** Whether the text so far ends with white space, or is empty. */
  endsBlank = true
  private readonly parts: string[] = []
  private pendingBreak = 0
  /** Line ends that the text so far ends with. */
  private newlines = 0

  /** The text. Ends every break that nothing followed. */
  get text(): string {
    return this.parts.join('')
  }

  /** Asks for at least so many line ends before whatever comes next; nothing at the start. */
  breakBefore(lines: number): void {
    if (this.length > 0) this.pendingBreak = Math.max(this.pendingBreak, lines)
  }

  /** Writes the line ends that are due. Marks begin after them. */
  flushBreak(source: number): void {
    if (this.pendingBreak === 0) return
    const lines = this.pendingBreak - this.newlines
    this.pendingBreak = 0
    if (lines <= 0) return
    this.push('\n'.repeat(lines), source, source)
    this.endsBlank = true
  }

  /** Adds text as it stands at the source: unit by unit when the lengths agree, else as a whole. */
  append(text: string, sourceStart: number, sourceEnd: number): void {
    if (text === '') return
    this.flushBreak(sourceStart)
    this.push(text, sourceStart, sourceEnd)
    this.endsBlank = isBlank(text.charCodeAt(text.length - 1))
  }

  /** Adds text with its white space collapsed as HTML does. `exact` says that it stands at the source unit by unit. */
  appendCollapsed(text: string, sourceStart: number, sourceEnd: number, exact: boolean): void {
    if (!exact) {
      const collapsed = text.replace(/[ \t\r\n\f]+/g, ' ')
      this.append(
        this.endsBlank || this.pendingBreak > 0 ? collapsed.replace(/^ /, '') : collapsed,
        sourceStart,
        sourceEnd,
      )
      return
    }
    let at = 0
    while (at < text.length) {
      let end = at
      if (isBlank(text.charCodeAt(at))) {
        while (end < text.length && isBlank(text.charCodeAt(end))) end += 1
        if (!this.endsBlank && this.pendingBreak === 0) this.append(' ', sourceStart + at, sourceStart + end)
      } else {
        // A single space needs no piece of its own.
        while (
          end < text.length &&
          !(isBlank(text.charCodeAt(end)) && (text.charCodeAt(end) !== 32 || isBlank(text.charCodeAt(end + 1))))
        )
          end += 1
        this.append(text.slice(at, end), sourceStart + at, sourceStart + end)
      }
      at = end
    }
  }

  /** Opens a mark where the next text will stand, and gives the call that closes it. */
  open(mark: Omit<Mark, 'start' | 'end'>, source: number): (label?: string) => void {
    this.flushBreak(source)
    const start = this.length
    const index = this.marks.push({ ...mark, start, end: start }) - 1
    return (label) => {
      const end = this.length
      this.marks[index] = { ...mark, ...(label === undefined || label === '' ? {} : { label }), start, end }
    }
  }

  /** The text from an offset on; for short stretches such as headings. */
  since(start: number): string {
    let from = this.length
    let index = this.parts.length
    let tail = ''
    while (from > start && index > 0) {
      index -= 1
      tail = this.parts[index]! + tail
      from -= this.parts[index]!.length
    }
    return tail.slice(start - from)
  }

  private push(text: string, sourceStart: number, sourceEnd: number): void {
    this.parts.push(text)
    const bare = text.length - (/\n*$/.exec(text.slice(-4))?.[0].length ?? 0)
    this.newlines = bare === 0 ? this.newlines + text.length : text.length - bare
    const start = this.length
    this.length += text.length
    const last = this.pieces[this.pieces.length - 1]
    const exact = sourceEnd - sourceStart === text.length
    // Neighbours that both map unit by unit, one after the other, are one piece.
    if (
      exact &&
      last !== undefined &&
      last.sourceEnd === sourceStart &&
      last.sourceEnd - last.sourceStart === last.end - last.start
    )
      this.pieces[this.pieces.length - 1] = { ...last, end: this.length, sourceEnd }
    else this.pieces.push({ start, end: this.length, sourceStart, sourceEnd })
  }
}

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9 || code === 12
}
