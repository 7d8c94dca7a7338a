/** Where waiting and measuring get their time from. Tests pass one that they move by hand. */
export interface Clock {
  /** Milliseconds since some fixed moment; never runs backwards. */
  now(): number
  /** Runs `task` once, `ms` milliseconds from now. The returned function cancels it. */
  schedule(ms: number, task: () => void): () => void
}

/** The longest delay that timers of the platform keep. */
const LONGEST = 2_147_483_647

/** The platform's own time: `performance.now` and `setTimeout`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(ms, task) {
    const timer = setTimeout(task, Math.min(Math.max(ms, 0), LONGEST))
    return () => clearTimeout(timer)
  },
}

/** Waits. Rejects with the signal's reason as soon as it is aborted. */
export function sleep(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
