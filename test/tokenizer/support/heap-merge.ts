/** The oracle of the merge loops: the definition, with a binary heap. Slow to set up, O(n log n), knows no vocabulary tricks. */
export function heapMerge(bytes: Uint8Array, rankOf: (part: string) => number | undefined): number[] {
  const length = bytes.length
  const text = Buffer.from(bytes).toString('latin1')
  const next = new Int32Array(length + 1)
  const previous = new Int32Array(length + 1)
  const pair = new Float64Array(length).fill(-1)
  const heap: number[] = []
  const POSITIONS = 2 ** 30
  const push = (key: number) => {
    let at = heap.push(key) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (heap[parent]! <= key) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = key
  }
  const pop = () => {
    const top = heap[0]!
    const key = heap.pop()!
    if (heap.length > 0) {
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++
        if (heap[child]! >= key) break
        heap[at] = heap[child]!
        at = child
      }
      heap[at] = key
    }
    return top
  }
  const offer = (at: number) => {
    const middle = next[at]!
    const rank = middle < length ? rankOf(text.slice(at, next[middle]!)) : undefined
    pair[at] = rank ?? -1
    if (rank !== undefined) push(rank * POSITIONS + at)
  }
  for (let index = 0; index < length; index++) {
    next[index] = index + 1
    previous[index] = index - 1
  }
  for (let index = 0; index < length; index++) offer(index)
  while (heap.length > 0) {
    const key = pop()
    const at = key % POSITIONS
    if (pair[at] !== Math.floor(key / POSITIONS)) continue
    const middle = next[at]!
    pair[middle] = -1
    next[at] = next[middle]!
    if (next[at]! < length) previous[next[at]!] = at
    offer(at)
    if (previous[at]! >= 0) offer(previous[at]!)
  }
  const tokens: number[] = []
  for (let at = 0; at < length; at = next[at]!) tokens.push(rankOf(text.slice(at, next[at]!))!)
  return tokens
}
