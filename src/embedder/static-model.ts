import { GroundlineError } from '../errors.ts'
import { FNV_BASIS, FNV_PRIME } from '../internal/string-hash.ts'

/** A static embedding model: a vocabulary and one row of int8 components a token. */
export interface StaticModel {
  /** First 16 hexadecimal digits of the SHA-256 of the payload: which model it is. */
  readonly revision: string
  /** Length of a row. */
  readonly dimensions: number
  /** Tokens by row; word continuations start with `##`. */
  readonly vocabulary: readonly string[]
  /** What a component of each row is multiplied by. */
  readonly scales: Float32Array
  /** The rows, one after another. */
  readonly rows: Int8Array
}

/** `GLSTATIC` in ASCII. */
const MAGIC = [0x47, 0x4c, 0x53, 0x54, 0x41, 0x54, 0x49, 0x43]
const VERSION = 1
const HEADER = 64
const MOST_ROWS = 1 << 20
const MOST_DIMENSIONS = 4096

/**
 * Reads a model file. Little-endian throughout:
 *
 * | offset | content |
 * |---|---|
 * | 0 | `GLSTATIC` |
 * | 8 | u32 format version, 1 |
 * | 12 | u32 rows R |
 * | 16 | u32 dimensions D |
 * | 20 | u32 bytes V of the vocabulary, a multiple of 4 |
 * | 24 | u32 checksum of the payload |
 * | 28 | u32 zero |
 * | 32 | SHA-256 of the payload, 32 bytes |
 * | 64 | payload: vocabulary (UTF-8, a line feed between tokens, zero bytes at the end), R f32 scales, R × D int8, zero bytes to a multiple of 4 |
 *
 * The checksum is verified here (FNV-1a over 32-bit words: any change within one word shows); the SHA-256 is the
 * model's identity and is compared by the release tests, since hashing 8 MB would cost more than the whole load.
 *
 * @throws GroundlineError `UNSUPPORTED_FORMAT` for another format or version, `CORRUPT_DATA` for a wrong length, count
 * or checksum.
 */
export function readStaticModel(bytes: Uint8Array): StaticModel {
  if (!(bytes instanceof Uint8Array) || bytes.length < HEADER || MAGIC.some((byte, at) => bytes[at] !== byte))
    throw new GroundlineError(
      'UNSUPPORTED_FORMAT',
      'These bytes are not a static embedding model: they do not start with GLSTATIC. Pass the content of models/*.bin.',
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const field = (offset: number) => view.getUint32(offset, true)
  const version = field(8)
  if (version !== VERSION)
    throw new GroundlineError(
      'UNSUPPORTED_FORMAT',
      `The static embedding model has format version ${version}; this release reads version ${VERSION}.`,
      { details: { expected: VERSION, actual: version } },
    )
  const [rows, dimensions, vocabularyBytes] = [field(12), field(16), field(20)]
  const plausible = rows > 0 && rows <= MOST_ROWS && dimensions > 0 && dimensions <= MOST_DIMENSIONS
  const expected = HEADER + vocabularyBytes + 4 * rows + 4 * Math.ceil((rows * dimensions) / 4)
  if (!plausible || vocabularyBytes % 4 !== 0 || bytes.length !== expected)
    throw damaged(`it is ${bytes.length} bytes long, its header tells ${expected}`)
  if (checksum(view) !== field(24)) throw damaged('its checksum does not match its content')

  const text = new TextDecoder().decode(bytes.subarray(HEADER, HEADER + vocabularyBytes))
  const vocabulary = text.replace(/\0+$/, '').split('\n')
  if (vocabulary.length !== rows) throw damaged(`it has ${vocabulary.length} tokens for ${rows} rows`)
  const scales = new Float32Array(rows)
  const scalesAt = HEADER + vocabularyBytes
  for (let row = 0; row < rows; row++) scales[row] = view.getFloat32(scalesAt + 4 * row, true)
  let revision = ''
  for (const byte of bytes.subarray(32, 40)) revision += byte.toString(16).padStart(2, '0')
  return {
    revision,
    dimensions,
    vocabulary,
    scales,
    rows: new Int8Array(bytes.buffer, bytes.byteOffset + scalesAt + 4 * rows, rows * dimensions),
  }
}

function checksum(view: DataView): number {
  // The checksum is over little-endian words, so a typed array serves only where that is the machine's order.
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  const typed = littleEndian && view.byteOffset % 4 === 0
  const words = typed ? new Int32Array(view.buffer, view.byteOffset, view.byteLength >> 2) : undefined
  let hash = FNV_BASIS
  if (words)
    for (let at = HEADER / 4; at < words.length; at++) hash = Math.imul(hash ^ (words[at] as number), FNV_PRIME)
  else
    for (let offset = HEADER; offset < view.byteLength; offset += 4)
      hash = Math.imul(hash ^ view.getInt32(offset, true), FNV_PRIME)
  return hash >>> 0
}

function damaged(reason: string): GroundlineError {
  return new GroundlineError(
    'CORRUPT_DATA',
    `The static embedding model is damaged: ${reason}. Install the package again, or pass the bytes of a whole file.`,
  )
}
