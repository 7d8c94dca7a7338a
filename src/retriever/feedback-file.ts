import type { Sealer } from '../corpus/sealer.ts'
import { GroundlineError } from '../errors.ts'
import { sha256Hex } from '../internal/hash.ts'
import { joinBytes } from '../internal/join-bytes.ts'
import type { FeedbackRecord } from './retrieval-feedback.ts'

const [SALT, EPOCH, DIGEST] = [16, 4, 64]

/** Records as the bytes of a file: their digest and JSON, or salt, epoch and JSON under a seal that is bound to the name. */
export async function encodeFeedback(
  name: string,
  records: readonly FeedbackRecord[],
  sealer: Sealer | undefined,
): Promise<Uint8Array> {
  const json = new TextEncoder().encode(JSON.stringify(records))
  if (sealer === undefined) return joinBytes([new TextEncoder().encode(sha256Hex(json)), json])
  const salt = globalThis.crypto.getRandomValues(new Uint8Array(SALT))
  const epoch = new Uint8Array(EPOCH)
  new DataView(epoch.buffer).setUint32(0, sealer.epoch, true)
  const file = await sealer.forFile({ name, salt, epoch: sealer.epoch })
  return joinBytes([salt, epoch, await file.seal(json, 0, 0)])
}

/** What {@link encodeFeedback} was given. Throws `CORRUPT_DATA`. */
export async function decodeFeedback(
  name: string,
  bytes: Uint8Array,
  sealer: Sealer | undefined,
): Promise<readonly FeedbackRecord[]> {
  const json = sealer === undefined ? checked(bytes) : await opened(name, bytes, sealer)
  if (json !== undefined) return JSON.parse(new TextDecoder().decode(json)) as readonly FeedbackRecord[]
  throw new GroundlineError(
    'CORRUPT_DATA',
    `${name} is damaged, or sealed under another key; remove it to go on without its verdicts`,
    { details: { name } },
  )
}

function checked(bytes: Uint8Array): Uint8Array | undefined {
  const json = bytes.subarray(DIGEST)
  return new TextDecoder().decode(bytes.subarray(0, DIGEST)) === sha256Hex(json) ? json : undefined
}

async function opened(name: string, bytes: Uint8Array, sealer: Sealer): Promise<Uint8Array | undefined> {
  const head = SALT + EPOCH
  if (bytes.length < head + sealer.overhead) return undefined
  const epoch = new DataView(bytes.buffer, bytes.byteOffset).getUint32(SALT, true)
  const file = await sealer.forFile({ name, salt: bytes.slice(0, SALT), epoch })
  return file.open(bytes.subarray(head), 0, 0)
}
