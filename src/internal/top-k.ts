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
      this.#down()
    }
  }

  /** What was kept, best first. */
  sorted(): { readonly item: number; readonly score: number }[] {
    const kept = this.#items.map((item, i) => ({ item, score: this.#scores[i]! }))
    return kept.sort((a, b) => b.score - a.score || (this.#isBefore(a.item, b.item) ? -1 : 1))
  }

  #worse(i: number, j: number): boolean {
    const [a, b] = [this.#scores[i]!, this.#scores[j]!]
    return a < b || (a === b && this.#isBefore(this.#items[j]!, this.#items[i]!))
  }

  #swap(i: number, j: number): void {
    const item = this.#items[i]!
    const score = this.#scores[i]!
    this.#items[i] = this.#items[j]!
    this.#scores[i] = this.#scores[j]!
    this.#items[j] = item
    this.#scores[j] = score
  }

  #up(start: number): void {
    let i = start
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#worse(i, parent)) return
      this.#swap(i, parent)
      i = parent
    }
  }

  #down(): void {
    let i = 0
    for (;;) {
      const left = 2 * i + 1
      if (left >= this.#items.length) return
      const right = left + 1
      const child = right < this.#items.length && this.#worse(right, left) ? right : left
      if (!this.#worse(child, i)) return
      this.#swap(i, child)
      i = child
    }
  }
}
