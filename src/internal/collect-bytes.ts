import { GroundlineError } from '../errors.ts'
import { joinBytes } from './join-bytes.ts'

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
  return joinBytes(parts)
}

/** A file or stream beyond its limit. */
export function tooManyBytes(id: string, actual: number | bigint, limit: number): GroundlineError {
  return new GroundlineError(
    'LIMIT_EXCEEDED',
    `${id} has more than ${limit} bytes (${actual}): take it in as textParts, or raise maxBytes`,
    { details: { id, limit, actual: Number(actual) } },
  )
}
