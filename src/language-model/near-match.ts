import type { Span } from '../document.ts'

/** A stretch of a text that is nearly the words looked for. */
export interface NearMatch extends Span {
  /** Single-character insertions, deletions and substitutions between the two. */
  readonly edits: number
  /** The most edits that stand together, at most two characters apart: three or more replace a word. */
  readonly cluster: number
}

/** Cells of alignment computed for one quotation at the most; beyond, it counts as not found. */
const EFFORT = 8_000_000

/**
 * The stretch of `text` nearest to `words` with at most `limit` edits. Cuts the words into `limit` + 1 pieces, of which one at
 * least must stand in the text unchanged (the pigeonhole principle), and aligns the words around each place where one does,
 * within a band of the diagonal.
 */
export function nearMatch(text: string, words: string, limit: number): NearMatch | undefined {
  const size = words.length / (limit + 1)
  if (size < 3) return undefined
  const tried = new Set<number>()
  let best: NearMatch | undefined
  let effort = EFFORT
  for (let piece = 0; piece <= limit; piece++) {
    const from = Math.floor(piece * size)
    const part = words.slice(from, Math.floor((piece + 1) * size))
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
      // Starts that differ by fewer than the edits allowed lie in one band.
      const window = Math.floor((at - from) / (limit + 1))
      if (tried.has(window)) continue
      tried.add(window)
      effort -= words.length * (4 * limit + 3)
      if (effort < 0) return best
      const found = align(text, words, Math.max(0, at - from - limit), limit)
      if (found !== undefined && (best === undefined || found.edits < best.edits)) best = found
      if (best?.edits === 1) return best
    }
  }
  return best
}

/** Aligns all of `words` with a stretch of `text` that begins within 2 × `limit` units of `start`. */
function align(text: string, words: string, start: number, limit: number): NearMatch | undefined {
  const width = 4 * limit + 3
  const far = limit + 1
  // Column c of row r stands for the position start + r + c − limit − 1 of the text.
  let row = new Uint16Array(width).fill(far)
  let next = new Uint16Array(width)
  const steps = new Uint8Array((words.length + 1) * width)
  for (let column = limit + 1; column <= 3 * limit + 1; column++)
    if (start + column - limit - 1 <= text.length) row[column] = 0
  for (let at = 1; at <= words.length; at++) {
    const unit = words.charCodeAt(at - 1)
    next.fill(far)
    let least = far
    for (let column = 0; column < width; column++) {
      const position = start + at + column - limit - 1
      if (position < 0 || position > text.length) continue
      // 1: same or substituted; 2: a unit of the words more; 3: a unit of the text more.
      let cost = position > 0 ? row[column]! + (text.charCodeAt(position - 1) === unit ? 0 : 1) : far
      let step = 1
      const dropped = column + 1 < width ? row[column + 1]! + 1 : far
      if (dropped < cost) [cost, step] = [dropped, 2]
      const added = column > 0 ? next[column - 1]! + 1 : far
      if (added < cost) [cost, step] = [added, 3]
      next[column] = Math.min(cost, far)
      steps[at * width + column] = step
      if (cost < least) least = cost
    }
    if (least > limit) return undefined
    ;[row, next] = [next, row]
  }
  let end = 0
  for (let column = 1; column < width; column++) if (row[column]! < row[end]!) end = column
  if (row[end]! > limit) return undefined
  return trace(text, words, start - limit - 1, end, row[end]!, steps, width)
}

/** Walks an alignment back to its beginning and sees how its edits stand. */
function trace(
  text: string,
  words: string,
  shift: number,
  last: number,
  edits: number,
  steps: Uint8Array,
  width: number,
): NearMatch {
  let [at, column] = [words.length, last]
  const end = shift + at + column
  let [cluster, together, before] = [0, 0, Number.POSITIVE_INFINITY]
  while (at > 0) {
    const step = steps[at * width + column]!
    const position = shift + at + column
    if (step !== 1 || text.charCodeAt(position - 1) !== words.charCodeAt(at - 1)) {
      together = before - at <= 3 ? together + 1 : 1
      cluster = Math.max(cluster, together)
      before = at
    }
    if (step === 1) at--
    else if (step === 2) {
      at--
      column++
    } else column--
  }
  return { start: shift + column, end, edits, cluster }
}
