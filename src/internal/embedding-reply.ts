import { ProviderError } from '../errors.ts'
import { invalidResponse } from './provider-error.ts'
import { vectorNorm } from './vector-math.ts'

/** What a provider's answer became: a vector for each input, in order, and what it cost. */
interface Reply {
  /** One vector an input. */
  readonly vectors: readonly Float32Array[]
  /** What the call cost. */
  readonly usage: { readonly tokens?: number }
}

/** What an {@link checkReply} error keeps of an answer in which single vectors are unusable. */
export interface PartialReply {
  /** The vectors, undefined where unusable. */
  readonly vectors: readonly (Float32Array | undefined)[]
  /** Why each unusable one is, by index. */
  readonly faults: ReadonlyMap<number, string>
  /** What the call cost. */
  readonly usage: { readonly tokens?: number }
}

/**
 * The reply, if it has one vector for each input and each is finite, not zero, and of the dimensions. Otherwise throws
 * `INVALID_RESPONSE`; when only single vectors are at fault, `details.partial` is a {@link PartialReply}, so that the
 * others need not be paid for again.
 */
export function checkReply(provider: string, reply: Reply, count: number, dimensions: number): Reply {
  const { vectors, usage } = reply
  if (vectors.length !== count) throw invalidResponse(provider, `${count} vectors`, `${vectors.length}`)
  const faults = new Map<number, string>()
  for (const [index, vector] of vectors.entries()) {
    const fault = faultOf(vector, dimensions)
    if (fault !== undefined) faults.set(index, fault)
  }
  if (faults.size === 0) return reply
  const [first] = faults
  const partial: PartialReply = {
    vectors: vectors.map((vector, index) => (faults.has(index) ? undefined : vector)),
    faults,
    usage,
  }
  throw new ProviderError(
    `${provider} sent ${faults.size} unusable of ${count} vectors; vector ${first?.[0]} ${first?.[1]}`,
    { provider, retryable: false, code: 'INVALID_RESPONSE', details: { partial } },
  )
}

/** What is left of an answer whose error {@link checkReply} threw; undefined for any other error. */
export function partialReply(error: unknown): PartialReply | undefined {
  const partial = error instanceof ProviderError ? error.details.partial : undefined
  return typeof partial === 'object' && partial !== null && 'faults' in partial ? (partial as PartialReply) : undefined
}

function faultOf(vector: Float32Array, dimensions: number): string | undefined {
  if (!(vector instanceof Float32Array)) return 'is not a Float32Array'
  if (vector.length !== dimensions) return `has ${vector.length} dimensions instead of ${dimensions}`
  const norm = vectorNorm(vector)
  if (!Number.isFinite(norm)) return 'has a component that is not a finite number'
  return norm === 0 ? 'is zero' : undefined
}

/**
 * Rows of an answer put into the order of the inputs by their `index` member. Throws `INVALID_RESPONSE` unless there is
 * exactly one row for each input.
 */
export function rowsByIndex(provider: string, rows: unknown, count: number): readonly Record<string, unknown>[] {
  if (!Array.isArray(rows)) throw invalidResponse(provider, `an array of ${count} embeddings`, typeof rows)
  if (rows.length !== count) throw invalidResponse(provider, `${count} embeddings`, `${rows.length}`)
  const ordered = new Array<Record<string, unknown> | undefined>(count)
  for (const row of rows) {
    const index: unknown = typeof row === 'object' && row !== null ? row.index : undefined
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count)
      throw invalidResponse(provider, `an index from 0 to ${count - 1} with each embedding`, String(index))
    if (ordered[index] !== undefined) throw invalidResponse(provider, 'each index once', `${index} twice`)
    ordered[index] = row
  }
  return ordered as Record<string, unknown>[]
}

/** A vector as providers write it: an array of numbers, or little-endian 32-bit floats in base64. */
export function readVector(provider: string, value: unknown): Float32Array {
  if (value instanceof Float32Array) return value
  if (typeof value === 'string') return fromBase64(provider, value)
  if (!Array.isArray(value)) throw invalidResponse(provider, 'a vector of numbers', typeof value)
  // Number('') and Number(null) are 0: only numbers count, everything else becomes NaN and is refused with its item.
  return Float32Array.from(value, (component) => (typeof component === 'number' ? component : Number.NaN))
}

function fromBase64(provider: string, text: string): Float32Array {
  let binary: string
  try {
    binary = atob(text)
  } catch {
    throw invalidResponse(provider, 'a vector in base64', `a string of ${text.length} units that is not base64`)
  }
  if (binary.length % 4 !== 0) throw invalidResponse(provider, 'whole 32-bit floats', `${binary.length} bytes`)
  const bytes = Uint8Array.from(binary, (unit) => unit.charCodeAt(0))
  const view = new DataView(bytes.buffer)
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true))
}

/** A count of tokens as a provider reports it; undefined when it is no whole number, so that sums never become NaN. */
export function readTokens(value: unknown): { readonly tokens?: number } {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? { tokens: value } : {}
}
