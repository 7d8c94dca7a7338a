/**
 * Every way a call of this library can fail, as a closed union. The code is the contract; messages may change.
 * docs/errors.md explains each one.
 */
export type GroundlineErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_DOCUMENT'
  | 'INVALID_METADATA'
  | 'INVALID_FILTER'
  | 'INVALID_VECTOR'
  | 'INVALID_TOKEN'
  | 'DUPLICATE_ID'
  | 'DIMENSION_MISMATCH'
  | 'SPACE_MISMATCH'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'READ_ONLY'
  | 'CLOSED'
  | 'CONFLICT'
  | 'LEGAL_HOLD'
  | 'CORRUPT_DATA'
  | 'UNSUPPORTED_FORMAT'
  | 'LIMIT_EXCEEDED'
  | 'BUDGET_EXCEEDED'
  | 'MISSING_DEPENDENCY'
  | 'INSECURE_TRANSPORT'
  | 'STORAGE_FAILED'
  | 'PROVIDER_FAILED'
  | 'INVALID_RESPONSE'
  | 'UNKNOWN_MODEL'

const BRAND = 'groundline.error'

/** What an error says beyond its message. */
export interface GroundlineErrorOptions {
  /** The error or value that led to this one. */
  readonly cause?: unknown
  /** Plain data for programs: the item, the expected and the actual value. Never holds secrets or document text. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The one error class of this library. Recognise it with {@link isGroundlineError}: `instanceof` is false across two
 * installed copies of the package.
 */
export class GroundlineError extends Error {
  /** The machine-readable reason. */
  readonly code: GroundlineErrorCode
  /** Plain data for programs: the item, the expected and the actual value. */
  readonly details: Readonly<Record<string, unknown>>
  /** Marks instances across copies of the package. */
  readonly brand: string = BRAND

  constructor(code: GroundlineErrorCode, message: string, options: GroundlineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GroundlineError'
    this.code = code
    this.details = options.details ?? {}
  }

  /** What `JSON.stringify` writes of it, for logs: its members, without cause and stack. */
  toJSON(): object {
    return { ...this, message: this.message }
  }
}

/** What a failed call to a provider says beyond its message. */
export interface ProviderErrorOptions extends GroundlineErrorOptions {
  /** Which provider: `openai`, `anthropic`, … */
  readonly provider: string
  /** The HTTP status, when there was an answer. */
  readonly status?: number | undefined
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  /** How long the provider asked to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** `PROVIDER_FAILED` unless the answer arrived and was wrong (`INVALID_RESPONSE`). */
  readonly code?: 'PROVIDER_FAILED' | 'INVALID_RESPONSE'
}

/** A call to a model or embedding provider that failed. */
export class ProviderError extends GroundlineError {
  /** Which provider: `openai`, `anthropic`, … */
  readonly provider: string
  /** The HTTP status, when there was an answer. */
  readonly status: number | undefined
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  /** How long the provider asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: ProviderErrorOptions) {
    super(options.code ?? 'PROVIDER_FAILED', message, options)
    this.name = 'ProviderError'
    this.provider = options.provider
    this.status = options.status
    this.retryable = options.retryable
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Whether a caught value is an error of this library, from whichever installed copy. */
export function isGroundlineError(value: unknown): value is GroundlineError {
  return value instanceof Error && (value as Partial<GroundlineError>).brand === BRAND
}

/** Whether a caught value is a {@link ProviderError}, from whichever installed copy. */
export function isProviderError(value: unknown): value is ProviderError {
  return isGroundlineError(value) && typeof (value as Partial<ProviderError>).provider === 'string'
}
