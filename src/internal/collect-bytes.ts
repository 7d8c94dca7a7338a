import { GroundlineError } from '../errors.ts'

/** The bytes of a stream as one array. Throws `LIMIT_EXCEEDED` as soon as there are more than `maxBytes`, and reads no further. */
export async function collectBytes(
  id: string,
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of stream) {
    signal?.throwIfAborted()
    length += part.length
    if (length > maxBytes) throw tooManyBytes(id, length, maxBytes)
    parts.push(part)
  }
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** A file or stream beyond its limit. */
export function tooManyBytes(id: string, actual: number | bigint, limit: number): GroundlineError {
  return new GroundlineError(
    'LIMIT_EXCEEDED',
    `${id} has more than ${limit} bytes (${actual}): take it in as textParts, or raise maxBytes`,
    { details: { id, limit, actual: Number(actual) } },
  )
}
