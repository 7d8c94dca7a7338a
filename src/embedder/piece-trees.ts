const HASH = 0x23

/** Finds pieces in words. */
export interface PieceTrees {
  /** The id of the longest piece that stands at `start` of a part of `end` units; −1 without one. */
  longest(part: Uint16Array, start: number, end: number): number
  /** How long the piece found last is. */
  length(): number
}

/** Whether a token goes on a word: `##ing`. */
export function goesOn(token: string): boolean {
  return token.charCodeAt(0) === HASH && token.charCodeAt(1) === HASH
}

/**
 * The tokens of a vocabulary as two trees of code units below `alphabetEnd`, one for the start of a word and one for its
 * rest, in one hash table of edges.
 */
export function pieceTrees(vocabulary: readonly string[], alphabetEnd: number): PieceTrees {
  let units = 0
  for (const token of vocabulary) units += token.length
  const mask = (1 << (32 - Math.clz32(units * 2))) - 1
  const keys = new Int32Array(mask + 1).fill(-1)
  const targets = new Int32Array(mask + 1)
  const ends = new Int32Array(units + 2).fill(-1)
  const place = (key: number): number => {
    let slot = Math.imul(key, 0x9e3779b1) >>> 7
    for (slot &= mask; keys[slot] !== -1 && keys[slot] !== key; ) slot = (slot + 1) & mask
    return slot
  }
  let nodes = 2
  for (let id = 0; id < vocabulary.length; id++) {
    const token = vocabulary[id] as string
    if (isBeyond(token, alphabetEnd)) continue
    const rest = goesOn(token)
    let node = rest ? 1 : 0
    for (let at = rest ? 2 : 0; at < token.length; at++) {
      const key = node * alphabetEnd + token.charCodeAt(at)
      const slot = place(key)
      if (keys[slot] === -1) {
        keys[slot] = key
        targets[slot] = nodes++
      }
      node = targets[slot] as number
    }
    ends[node] = id
  }
  let length = 0
  return {
    longest(part, start, end) {
      let found = -1
      let node = start === 0 ? 0 : 1
      for (let at = start; at < end; at++) {
        const code = part[at] as number
        const slot = code < alphabetEnd ? place(node * alphabetEnd + code) : -1
        if (slot === -1 || keys[slot] === -1) break
        node = targets[slot] as number
        if (ends[node] === -1) continue
        found = ends[node] as number
        length = at + 1 - start
      }
      return found
    },
    length: () => length,
  }
}

function isBeyond(piece: string, alphabetEnd: number): boolean {
  for (let at = 0; at < piece.length; at++) if (piece.charCodeAt(at) >= alphabetEnd) return true
  return false
}
