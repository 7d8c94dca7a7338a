/** Bytes of a length that is not known beforehand. */
export class ByteSink {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1 << 12)
  #length = 0

  /** How many there are so far. */
  get length(): number {
    return this.#length
  }

  /** Adds a byte. */
  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** Adds an unsigned 32-bit integer, seven bits a byte, low bits first, the high bit set on all bytes but the last. */
  varint(value: number): void {
    this.#reserve(5)
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  /** Adds a 32-bit float, low byte first. */
  float(value: number): void {
    this.#reserve(4)
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true)
    this.#length += 4
  }

  /** Adds a text as UTF-8. */
  text(value: string): void {
    this.#reserve(value.length * 3)
    this.#length += encoder.encodeInto(value, this.#bytes.subarray(this.#length)).written
  }

  /** What was added: a view, good until more is. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#length + more, this.#bytes.length * 2))
    grown.set(this.bytes())
    this.#bytes = grown
  }
}

const encoder = new TextEncoder()
