import { type GroundlineErrorCode, isGroundlineError } from '../errors.ts'

/** One law that every implementation of an interface must keep, free of any test runner. */
export interface ConformanceCase {
  /** A sentence that says the law. */
  readonly name: string
  /** Throws when the law does not hold. */
  readonly run: () => void | Promise<void>
}

/** Thrown by a conformance case whose law does not hold. */
export class ConformanceError extends Error {
  override readonly name: string = 'ConformanceError'
}

/** Fails a case unless `condition` holds. */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message)
}

/** Fails a case unless both values have the same JSON (numbers as they are, typed arrays as arrays). */
export function checkEqual(actual: unknown, expected: unknown, message: string): void {
  const plain = (_: string, value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value)
  const [left, right] = [JSON.stringify(actual, plain), JSON.stringify(expected, plain)]
  if (left !== right) throw new ConformanceError(`${message}: expected ${right}, got ${left}`)
}

/** Fails a case unless `call` throws or rejects with the code. */
export async function checkThrows(call: () => unknown, code: GroundlineErrorCode, message: string): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (isGroundlineError(error) && error.code === code) return
    throw new ConformanceError(`${message}: expected ${code}, got ${String(error)}`)
  }
  throw new ConformanceError(`${message}: expected ${code}, but nothing was thrown`)
}

/** Fails a case unless `call`, given a signal that is already aborted, rejects with the signal's own reason. */
export async function checkAborts(call: (signal: AbortSignal) => unknown, message: string): Promise<void> {
  const reason = new Error('aborted by the conformance case')
  try {
    await call(AbortSignal.abort(reason))
  } catch (error) {
    if (error === reason) return
    throw new ConformanceError(`${message}: expected the signal's reason untouched, got ${String(error)}`)
  }
  throw new ConformanceError(`${message}: expected a rejection, but nothing was thrown`)
}
