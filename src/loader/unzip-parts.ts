import { GroundlineError } from '../errors.ts'
import { joinBytes } from '../internal/join-bytes.ts'
import { fatalDecoder, markedEncoding } from './decode.ts'
import type { LoaderInput } from './loader.ts'

/** Bytes of the archive unzipped between two looks at limit and signal. */
const STEP = 16_384

/**
 * The named parts of a zip archive as text, unzipped in a stream that stops at `maxExpandedBytes` of all wanted parts
 * together. Throws `LIMIT_EXCEEDED` there, and `UNSUPPORTED_FORMAT` for bytes that are no readable archive.
 */
export async function unzipParts(
  input: LoaderInput,
  names: readonly string[],
  maxExpandedBytes: number,
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  const { content, id } = input
  const refuse = (problem: string, cause?: unknown): GroundlineError =>
    new GroundlineError('UNSUPPORTED_FORMAT', `${JSON.stringify(id)} ${problem}`, { cause, details: { id } })
  if (typeof content === 'string' || content[0] !== 0x50 || content[1] !== 0x4b) throw refuse('is not a zip archive')
  const { Unzip, UnzipInflate } = await import('fflate')
  const chunks = new Map<string, Uint8Array[]>()
  let expanded = 0
  let failure: GroundlineError | undefined
  const unzip = new Unzip((file) => {
    if (!names.includes(file.name) || chunks.has(file.name)) return
    const parts: Uint8Array[] = []
    chunks.set(file.name, parts)
    file.ondata = (error, data) => {
      if (error !== null && error !== undefined) failure ??= refuse(`has a damaged part ${file.name}`, error)
      else {
        expanded += data.length
        if (expanded <= maxExpandedBytes) parts.push(data.slice())
        else
          failure ??= new GroundlineError(
            'LIMIT_EXCEEDED',
            `${JSON.stringify(id)} unzips to more than maxExpandedBytes (${maxExpandedBytes}); raise it if that is meant`,
            { details: { id, limit: 'maxExpandedBytes', expected: maxExpandedBytes } },
          )
      }
    }
    file.start()
  })
  unzip.register(UnzipInflate)
  for (let at = 0; at < content.length; at += STEP) {
    signal?.throwIfAborted()
    try {
      unzip.push(content.subarray(at, at + STEP), at + STEP >= content.length)
    } catch (cause) {
      throw failure ?? refuse('is a damaged zip archive', cause)
    }
    if (failure !== undefined) throw failure
  }
  return new Map(
    [...chunks].map(([name, parts]) => {
      const bytes = joinBytes(parts)
      try {
        return [name, fatalDecoder(markedEncoding(bytes) ?? 'utf-8').decode(bytes)]
      } catch (cause) {
        throw refuse(`has a part ${name} that is neither UTF-8 nor UTF-16`, cause)
      }
    }),
  )
}
