import { joinBytes } from '../internal/join-bytes.ts'
import { crc32c } from './crc32c.ts'
import type { FileSealer, SealedFile, Sealer } from './sealer.ts'

const encoder = new TextEncoder()

/**
 * The {@link Sealer} of a corpus without a key: CRC-32C over the file's name and salt, the record's position and kind,
 * and the record. Finds damage and swapped files; hides nothing.
 */
// @__NO_SIDE_EFFECTS__
export function checksumSealer(): Sealer {
  return { kind: 0, overhead: 4, epoch: 0, forFile: checksums }
}

function checksums({ name, salt }: SealedFile): FileSealer {
  const ofFile = crc32c(salt, crc32c(encoder.encode(name)))
  const place = new DataView(new ArrayBuffer(16))
  const placeBytes = new Uint8Array(place.buffer)
  const checksum = (record: Uint8Array, position: number, kind: number): number => {
    place.setUint32(0, position, true)
    place.setUint32(4, position / 2 ** 32, true)
    place.setUint32(8, kind, true)
    place.setUint32(12, record.length, true)
    return crc32c(record, crc32c(placeBytes, ofFile))
  }
  const trailer = (record: Uint8Array, position: number, kind: number): Uint8Array => {
    const sum = checksum(record, position, kind)
    return Uint8Array.of(sum, sum >>> 8, sum >>> 16, sum >>> 24)
  }
  return {
    seal: (record, position, kind) => joinBytes([record, trailer(record, position, kind)]),
    trailer,
    open: (sealed, position, kind) => {
      if (sealed.length < 4) return undefined
      const record = sealed.subarray(0, sealed.length - 4)
      const at = record.length
      const stored = sealed[at]! | (sealed[at + 1]! << 8) | (sealed[at + 2]! << 16) | (sealed[at + 3]! << 24)
      return stored >>> 0 === checksum(record, position, kind) ? record : undefined
    },
  }
}
