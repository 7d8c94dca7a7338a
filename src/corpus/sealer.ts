/** What a file says of itself in the clear, bound into every seal within it. */
export interface SealedFile {
  /** Its storage name. */
  readonly name: string
  /** 16 random bytes, written once a file. */
  readonly salt: Uint8Array
  /** Number of the key it is sealed under; 0 without a key. */
  readonly epoch: number
}

/** Seals and opens the records of one file. A record is known by its position, so none can stand for another. */
export interface FileSealer {
  /** The sealed form of a record; `overhead` bytes longer. */
  seal(record: Uint8Array, position: number, kind: number): Uint8Array | Promise<Uint8Array>
  /** What the sealed form has behind the record, where it begins with the record as it is; absent where it does not. */
  trailer?(record: Uint8Array, position: number, kind: number): Uint8Array
  /** The record of a sealed form, or undefined when it is damaged, from elsewhere, or forged. */
  open(sealed: Uint8Array, position: number, kind: number): Uint8Array | undefined | Promise<Uint8Array | undefined>
}

/**
 * Protects the records of a corpus: by checksum against damage, or by encryption against reading and forging too.
 * The corpus never stores a record unsealed.
 */
export interface Sealer {
  /** Stands in each file's header: 0 a checksum, 1 AES-256-GCM. A file of another kind is refused. */
  readonly kind: 0 | 1
  /** How many bytes longer a record gets. */
  readonly overhead: number
  /** Number of the key that new files are sealed under; 0 without a key. */
  readonly epoch: number
  /** The sealer of one file. Throws `NOT_FOUND` when the key of its epoch is gone. */
  forFile(file: SealedFile): FileSealer | Promise<FileSealer>
}
