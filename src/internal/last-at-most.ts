/** Index of the last of `ascending` whose key is at most `value`; −1 where there is none. A binary search. */
export function lastAtMost<T>(ascending: ArrayLike<T>, value: number, key: (item: T) => number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (key(ascending[middle]!) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
