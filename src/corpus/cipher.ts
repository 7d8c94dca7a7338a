/** AES-256-GCM and HKDF-SHA-256, from whichever library the platform has. */
export interface Cipher {
  /** 32 bytes derived from a key: HKDF-SHA-256. */
  derive(key: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** Ciphertext followed by the 16-byte tag. */
  seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, associated: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** The plaintext, or undefined when key, nonce, associated data or any bit is not that of the seal. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    associated: Uint8Array,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined>
}

/** Wraps the data keys of a corpus: a local key, a passphrase, or a key management service. */
export interface KeyProvider {
  /** Names the wrapping key; stored in the clear beside what it wrapped. */
  readonly id: string
  /** The wrapped form of a data key. `context` must be bound into it. */
  wrap(key: Uint8Array, context: string): Promise<Uint8Array>
  /** The data key. Throws when the wrapping key or the context is another. */
  unwrap(wrapped: Uint8Array, context: string): Promise<Uint8Array>
}
