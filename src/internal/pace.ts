/** Lets other work of the event loop run: resolves in a later task. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}

/**
 * Splits long synchronous work: `await pace()` now and then pauses once about `budgetMs` have passed since the last
 * pause, and throws the signal's reason when it was aborted.
 */
export function createPace(signal: AbortSignal | undefined, budgetMs = 6): { due(): boolean; pause(): Promise<void> } {
  let start = performance.now()
  return {
    due: () => performance.now() - start > budgetMs,
    async pause() {
      await nextTask()
      start = performance.now()
      signal?.throwIfAborted()
    },
  }
}
