import type { Clock } from '../internal/clock.ts'

/** A clock that a test moves by hand. */
export interface ManualClock extends Clock {
  /**
   * Moves time forward, running what falls due in order and letting promises settle in between, so that what they
   * schedule within the span runs too.
   */
  advance(ms: number): Promise<void>
  /** Advances from task to task until `done` settles; rejects when nothing is scheduled and it has not. */
  runUntil<T>(done: Promise<T>): Promise<T>
}

/**
 * Time for tests of anything that waits: no test sleeps.
 *
 * @example
 * const clock = manualClock()
 */
export function manualClock(): ManualClock {
  let now = 0
  const tasks = new Map<object, { readonly at: number; readonly task: () => void }>()
  // A turn of the event loop, the shortest the platform has.
  const turn = typeof setImmediate === 'function' ? setImmediate : (task: () => void) => setTimeout(task, 0)
  const settle = () => new Promise<void>((resolve) => void turn(resolve))
  /** Runs what falls due next, if that is by `until`. */
  const step = (until: number): boolean => {
    let next = Number.POSITIVE_INFINITY
    for (const { at } of tasks.values()) next = Math.min(next, at)
    if (tasks.size === 0 || next > until) return false
    now = Math.max(now, next)
    for (const [handle, { at, task }] of [...tasks]) {
      // An earlier one of the same moment may have cancelled it.
      if (at <= now && tasks.delete(handle)) task()
    }
    return true
  }
  return {
    now: () => now,
    schedule(ms, task) {
      const handle = {}
      tasks.set(handle, { at: now + Math.max(ms, 0), task })
      return () => tasks.delete(handle)
    },
    async advance(ms) {
      const until = now + ms
      await settle()
      while (step(until)) await settle()
      now = until
    },
    async runUntil(done) {
      let settled = false
      const watch = () => {
        settled = true
      }
      done.then(watch, watch)
      await settle()
      while (!settled) {
        const ran = step(Number.POSITIVE_INFINITY)
        await settle()
        if (!ran && !settled && tasks.size === 0)
          throw new Error('nothing is scheduled, and the promise has not settled')
      }
      return done
    },
  }
}
