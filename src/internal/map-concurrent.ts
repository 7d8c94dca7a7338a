import pLimit, { type LimitFunction } from 'p-limit'

/**
 * Maps inputs with at most `concurrency` calls under way, or within a limit that others share; results keep the order of the inputs. The first failure or
 * abort rejects at once; calls not yet started never start.
 */
export async function mapConcurrent<T, R>(
  inputs: readonly T[],
  concurrency: number | LimitFunction,
  map: (input: T, index: number) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  signal?.throwIfAborted()
  const limit = typeof concurrency === 'number' ? pLimit(concurrency) : concurrency
  let stopped = false
  const run = (input: T, index: number) =>
    limit(async () => {
      if (stopped) throw new Error('not started: an earlier call failed')
      signal?.throwIfAborted()
      try {
        return await map(input, index)
      } catch (error) {
        stopped = true
        throw error
      }
    })
  return Promise.all(inputs.map(run))
}
