import { createHash } from 'node:crypto'

/** A model file as scripts/model/export.py writes it, for a vocabulary and int8 rows. */
export function staticModelFile(
  vocabulary: readonly string[],
  rows: readonly (readonly number[])[],
  scales: readonly number[] = vocabulary.map(() => 0.01),
): Uint8Array<ArrayBuffer> {
  const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
  const words = padded(Buffer.from(vocabulary.join('\n')))
  const scaleBytes = Buffer.alloc(4 * scales.length)
  for (const [row, scale] of scales.entries()) scaleBytes.writeFloatLE(scale, 4 * row)
  const payload = Buffer.concat([words, scaleBytes, padded(Buffer.from(Int8Array.from(rows.flat()).buffer))])
  const header = Buffer.alloc(64)
  header.write('GLSTATIC')
  for (const [at, value] of [1, vocabulary.length, rows[0]?.length ?? 0, words.length, fnv(payload), 0].entries())
    header.writeUInt32LE(value, 8 + 4 * at)
  createHash('sha256').update(payload).digest().copy(header, 32)
  return new Uint8Array(Buffer.concat([header, payload]))
}

function fnv(payload: Buffer): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < payload.length; at += 4) hash = Math.imul(hash ^ payload.readInt32LE(at), 0x01000193)
  return hash >>> 0
}
