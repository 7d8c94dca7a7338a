/** Lets other work of the event loop run: resolves in a later task. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}

/** When to let other work run, and doing so. */
export interface Pace {
  /** Whether it is time. */
  due(): boolean
  /** Lets other work run; throws the signal's reason when it was aborted. */
  pause(): Promise<void>
}

/**
 * Splits long synchronous work: `await pace()` now and then pauses once about `budgetMs` have passed since the last
 * pause, and throws the signal's reason when it was aborted.
 */
export function createPace(signal: AbortSignal | undefined, budgetMs = 6): Pace {
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

/** Takes steps to their end, with pauses between them. */
export async function inSteps<T>(steps: Generator<void, T>, pace: Pace): Promise<T> {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    if (pace.due()) await pace.pause()
  }
}
