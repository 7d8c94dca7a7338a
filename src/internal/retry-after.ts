/**
 * How long an answer asked to wait, in milliseconds: `retry-after-ms`, `retry-after` as seconds or as an HTTP date
 * (RFC 9110, 10.2.3), or the `retryDelay` that Google's APIs put into the body. Undefined when it did not say.
 */
export function retryAfterMs(
  header: ((name: string) => string | null) | undefined,
  body: string = '',
  now: number = Date.now(),
): number | undefined {
  const milliseconds = header?.('retry-after-ms')
  if (milliseconds && /^\s*\d+(?:\.\d+)?\s*$/.test(milliseconds)) return Number(milliseconds)
  const value = header?.('retry-after')
  if (value) {
    if (/^\s*\d+(?:\.\d+)?\s*$/.test(value)) return Number(value) * 1000
    const date = /[A-Za-z]{3}/.test(value) ? Date.parse(value) : Number.NaN
    if (!Number.isNaN(date)) return Math.max(0, date - now)
  }
  const delay = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(body)
  return delay ? Number(delay[1]) * 1000 : undefined
}
