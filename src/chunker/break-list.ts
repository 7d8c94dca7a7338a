/** How good a place to cut is: bigger is better. Headings add their rank to `section`. */
export const breakLevel = {
  /** Between characters, offered only inside very long runs without white space. */
  forced: 0,
  /** Before a word. */
  word: 1,
  /** After a comma, colon or semicolon. */
  clause: 2,
  /** After a sentence. */
  sentence: 3,
  /** Before a line, list item or table row. */
  line: 4,
  /** Before a paragraph or block. */
  paragraph: 5,
  /** Before a heading of level 6; a heading of level 1 is at `section + 5`. */
  section: 6,
  /** Where a cut must be. */
  wall: 240,
} as const

/** The level of the cut before a heading of level 1–6; deeper ones count as 6. */
export function headingLevel(rank: number): number {
  return breakLevel.section + 6 - Math.min(6, Math.max(1, rank))
}

/** The places where a text may be cut, in ascending order, each with its `breakLevel`. Position 0 is never one. */
export class BreakList {
  /** Offsets; only the first `size` count. */
  positions: Uint32Array
  /** Level of each offset. */
  levels: Uint8Array
  /** How many there are. */
  size = 0

  /** Makes room for so many at first. */
  constructor(room = 256) {
    this.positions = new Uint32Array(room)
    this.levels = new Uint8Array(room)
  }

  /** Adds a place at or after the last one; the same place again keeps the better level. */
  add(position: number, level: number): void {
    if (position <= 0) return
    if (this.size > 0 && this.positions[this.size - 1] === position) {
      if (level > this.levels[this.size - 1]!) this.levels[this.size - 1] = level
      return
    }
    if (this.size === this.positions.length) this.grow()
    this.positions[this.size] = position
    this.levels[this.size] = level
    this.size += 1
  }

  /** Closes the list with the end of the text. */
  end(length: number): void {
    this.add(length, breakLevel.wall)
  }

  /** Index of the first place after `position`. */
  after(position: number): number {
    let low = 0
    let high = this.size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.positions[middle]! <= position) low = middle + 1
      else high = middle
    }
    return low
  }

  private grow(): void {
    const positions = new Uint32Array(this.size * 2)
    const levels = new Uint8Array(this.size * 2)
    positions.set(this.positions)
    levels.set(this.levels)
    this.positions = positions
    this.levels = levels
  }
}

/** All places of both lists. */
export function mergeBreaks(a: BreakList, b: BreakList): BreakList {
  const merged = new BreakList()
  let left = 0
  let right = 0
  while (left < a.size || right < b.size) {
    if (right === b.size || (left < a.size && a.positions[left]! <= b.positions[right]!)) {
      merged.add(a.positions[left]!, a.levels[left]!)
      left += 1
    } else {
      merged.add(b.positions[right]!, b.levels[right]!)
      right += 1
    }
  }
  return merged
}
