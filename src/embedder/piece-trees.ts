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
  // More places than edges; words share their beginnings, so that a quarter of them is filled with the shipped vocabulary.
  const mask = (1 << (32 - Math.clz32(units))) - 1
  /** Edges by their key, node and unit, above 0: key, then the node it leads to. */
  const edges = new Int32Array(2 * mask + 2)
  const ends = new Int32Array(units + 2).fill(-1)
  const place = (key: number): number => {
    let slot = (Math.imul(key, 0x9e3779b1) >>> 7) & mask
    while (edges[2 * slot] !== 0 && edges[2 * slot] !== key) slot = (slot + 1) & mask
    return 2 * slot
  }
  let nodes = 2
  for (let id = 0; id < vocabulary.length; id++) {
    const token = vocabulary[id] as string
    const rest = goesOn(token)
    let node = rest ? 1 : 0
    let at = rest ? 2 : 0
    for (; at < token.length; at++) {
      const code = token.charCodeAt(at)
      // What was laid of a token beyond the alphabet leads to no end.
      if (code >= alphabetEnd) break
      const key = node * alphabetEnd + code + 1
      const edge = place(key)
      if (edges[edge] === 0) {
        edges[edge] = key
        edges[edge + 1] = nodes++
      }
      node = edges[edge + 1] as number
    }
    if (at === token.length) ends[node] = id
  }
  let length = 0
  return {
    longest(part, start, end) {
      let found = -1
      let node = start === 0 ? 0 : 1
      for (let at = start; at < end; at++) {
        const code = part[at] as number
        const edge = code < alphabetEnd ? place(node * alphabetEnd + code + 1) : -1
        if (edge === -1 || edges[edge] === 0) break
        node = edges[edge + 1] as number
        if (ends[node] === -1) continue
        found = ends[node] as number
        length = at + 1 - start
      }
      return found
    },
    length: () => length,
  }
}
