/**
 * Keeps the best `k` of many scored items, ties broken by a caller's order: a binary heap whose root is the worst kept.
 * Memory is O(k), one offer O(log k), and O(1) for an item that is worse than all kept.
 */
export class TopK {
  readonly #k: number
  readonly #isBefore: (a: number, b: number) => boolean
  readonly #items: number[] = []
  readonly #scores: number[] = []

  /** `isBefore(a, b)` decides between items of equal score: whether `a` comes first. */
  constructor(k: number, isBefore: (a: number, b: number) => boolean) {
    this.#k = k
    this.#isBefore = isBefore
  }

  /** How many items are kept. */
  get size(): number {
    return this.#items.length
  }

  /** The score an item must reach to have a chance; −∞ while there is room. */
  get threshold(): number {
    return this.#items.length < this.#k ? Number.NEGATIVE_INFINITY : this.#scores[0]!
  }

  /** Takes an item when it is among the best so far. */
  offer(item: number, score: number): void {
    const items = this.#items
    if (items.length < this.#k) {
      items.push(item)
      this.#scores.push(score)
      this.#up(items.length - 1)
    } else if (score > this.#scores[0]! || (score === this.#scores[0]! && this.#isBefore(item, items[0]!))) {
      items[0] = item
      this.#scores[0] = score
      this.#down(items, this.#scores, items.length)
    }
  }

  /** What was kept, best first. */
  sorted(): { readonly item: number; readonly score: number }[] {
    const [items, scores] = [this.#items.slice(), this.#scores.slice()]
    const kept: { item: number; score: number }[] = []
    for (let size = items.length; size > 0; size--) {
      kept.push({ item: items[0]!, score: scores[0]! })
      items[0] = items[size - 1]!
      scores[0] = scores[size - 1]!
      this.#down(items, scores, size - 1)
    }
    return kept.reverse()
  }

  #up(start: number): void {
    const [items, scores] = [this.#items, this.#scores]
    const item = items[start]!
    const score = scores[start]!
    let i = start
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#isWorse(item, score, items[parent]!, scores[parent]!)) break
      items[i] = items[parent]!
      scores[i] = scores[parent]!
      i = parent
    }
    items[i] = item
    scores[i] = score
  }

  /** Lets the root sink to its place in a heap of the first `size` items. */
  #down(items: number[], scores: number[], size: number): void {
    const item = items[0]!
    const score = scores[0]!
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= size) break
      const right = child + 1
      if (right < size && this.#isWorse(items[right]!, scores[right]!, items[child]!, scores[child]!)) child = right
      if (!this.#isWorse(items[child]!, scores[child]!, item, score)) break
      items[i] = items[child]!
      scores[i] = scores[child]!
      i = child
    }
    items[i] = item
    scores[i] = score
  }

  #isWorse(a: number, aScore: number, b: number, bScore: number): boolean {
    return aScore < bScore || (aScore === bScore && this.#isBefore(b, a))
  }
}
