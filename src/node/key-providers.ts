import { createHash, randomBytes, scrypt } from 'node:crypto'
import type { KeyProvider } from '../corpus/cipher.ts'
import { GroundlineError } from '../errors.ts'
import { nodeCipher } from './node-cipher.ts'

const NONCE_BYTES = 12
const SALT_BYTES = 16

/**
 * A {@link KeyProvider} with a key of 32 bytes that the application holds. Its id is a hash of the key.
 *
 * @example
 * ```ts
 * import { localKey } from 'groundline/node'
 *
 * const keyProvider = localKey(crypto.getRandomValues(new Uint8Array(32)))
 * ```
 */
export function localKey(key: Uint8Array): KeyProvider {
  if (!(key instanceof Uint8Array) || key.length !== 32) {
    throw new GroundlineError('INVALID_ARGUMENT', 'key must be 32 bytes: crypto.getRandomValues(new Uint8Array(32))')
  }
  const own = Uint8Array.from(key)
  const id = `local:${createHash('sha256').update('groundline key id').update(own).digest('hex').slice(0, 16)}`
  return {
    id,
    wrap: async (data, context) => sealWith(own, data, context),
    unwrap: async (wrapped, context) => openWith(own, wrapped, context),
  }
}

/** How much work a guess of the passphrase costs. */
export interface PassphraseOptions {
  /** scrypt's N, a power of two; with r = 8 each guess takes 1,024 × N bytes. Default 131,072: 128 MiB, about 0.4 s. */
  readonly cost?: number
}

/**
 * A {@link KeyProvider} whose key is made from a passphrase by scrypt (r = 8, p = 1) with a random salt for each wrapped
 * key. Salt and cost are stored with it.
 *
 * @example
 * ```ts
 * import { passphraseKey } from 'groundline/node'
 *
 * const keyProvider = passphraseKey('correct horse battery staple')
 * ```
 */
export function passphraseKey(passphrase: string, { cost = 131_072 }: PassphraseOptions = {}): KeyProvider {
  if (typeof passphrase !== 'string' || passphrase === '') {
    throw new GroundlineError('INVALID_ARGUMENT', 'passphrase must be a string that is not empty')
  }
  if (!Number.isInteger(Math.log2(cost)) || cost < 1024 || cost > 2 ** 22) {
    throw new GroundlineError('INVALID_ARGUMENT', `cost must be a power of two from 1,024 to 4,194,304, got ${cost}`)
  }
  return {
    id: 'passphrase',
    wrap: async (data, context) => {
      const salt = randomBytes(SALT_BYTES)
      const key = await stretch(passphrase, salt, cost)
      return Uint8Array.from([Math.log2(cost), ...salt, ...sealWith(key, data, context)])
    },
    unwrap: async (wrapped, context) => {
      const exponent = wrapped[0] ?? 0
      if (exponent < 10 || exponent > 22) throw new Error('not wrapped by a passphrase')
      const key = await stretch(passphrase, wrapped.subarray(1, 1 + SALT_BYTES), 2 ** exponent)
      return openWith(key, wrapped.subarray(1 + SALT_BYTES), context)
    },
  }
}

function sealWith(key: Uint8Array, data: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const sealed = nodeCipher().seal(key, nonce, data, new TextEncoder().encode(context))
  return Uint8Array.from([...nonce, ...(sealed as Uint8Array)])
}

function openWith(key: Uint8Array, wrapped: Uint8Array, context: string): Uint8Array {
  const nonce = wrapped.subarray(0, NONCE_BYTES)
  const data = nodeCipher().open(key, nonce, wrapped.subarray(NONCE_BYTES), new TextEncoder().encode(context))
  if (!(data instanceof Uint8Array)) throw new Error('wrapped by another key, or damaged')
  return data
}

function stretch(passphrase: string, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, 32, { N: cost, r: 8, p: 1, maxmem: 256 * 8 * cost }, (error, key) => {
      if (error) reject(error)
      else resolve(new Uint8Array(key))
    })
  })
}
