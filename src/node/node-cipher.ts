import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Cipher } from '../corpus/cipher.ts'

const TAG_BYTES = 16

/**
 * A {@link Cipher} over OpenSSL: about 1 GB/s to seal and 2 GB/s to open on a processor with AES instructions.
 *
 * @example
 * ```ts
 * import { nodeCipher } from 'groundline/node'
 *
 * const cipher = nodeCipher()
 * ```
 */
export function nodeCipher(): Cipher {
  return {
    derive: (key, salt, info) => new Uint8Array(hkdfSync('sha256', key, salt, info, 32)),
    seal: (key, nonce, plain, associated) => {
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(associated)
      const sealed = new Uint8Array(plain.length + TAG_BYTES)
      sealed.set(cipher.update(plain))
      cipher.final()
      sealed.set(cipher.getAuthTag(), plain.length)
      return sealed
    },
    open: (key, nonce, sealed, associated) => {
      if (sealed.length < TAG_BYTES) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(associated)
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
      const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES))
      try {
        decipher.final()
      } catch {
        // OpenSSL says no more than that the tag is wrong.
        return undefined
      }
      return new Uint8Array(plain.buffer, plain.byteOffset, plain.length)
    },
  }
}
