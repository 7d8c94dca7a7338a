import { Worker } from 'node:worker_threads'
import { GroundlineError } from '../errors.ts'
import { requireInteger } from '../internal/argument.ts'
import type { PdfExtractor, PdfText } from '../loader/pdf-loader.ts'

/** Limits of {@link pdfExtractor}. */
export interface PdfExtractorOptions {
  /** The longest time a file may take, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number
  /** The most memory for objects the worker may use, in MB. Default 512. */
  readonly memoryMb?: number
  /** The most pages a file may have. Default 5,000. */
  readonly maxPages?: number
  /** The most UTF-16 units of text a file may hold. Default 50,000,000. */
  readonly maxUnits?: number
  /** Where the worker's script is, when a bundler moved it. Default `pdf-worker.js` beside this module. */
  readonly workerUrl?: URL
}

/** What the worker answers. */
export type PdfWorkerAnswer =
  | { readonly text: PdfText }
  | { readonly failure: 'missing' | 'password' | 'damaged' | 'pages' | 'units'; readonly message: string }

/**
 * Reads the text layer of PDFs with `pdfjs-dist` (an optional peer) in a worker of its own per file, so that a hostile
 * file can neither block nor exhaust the process: time, memory, pages and text are limited.
 *
 * @example
 * const loader = pdfLoader({ extract: pdfExtractor({ timeoutMs: 20_000 }) })
 */
// @__NO_SIDE_EFFECTS__
export function pdfExtractor(options: PdfExtractorOptions = {}): PdfExtractor {
  const { timeoutMs = 60_000, memoryMb = 512, maxPages = 5000, maxUnits = 50_000_000 } = options
  for (const [name, value] of Object.entries({ timeoutMs, memoryMb, maxPages, maxUnits }))
    requireInteger(name, value, 1)
  const workerUrl = options.workerUrl ?? new URL('./pdf-worker.js', import.meta.url)
  return (bytes, { id, signal }) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const worker = new Worker(workerUrl, {
        workerData: { bytes: bytes.slice(), maxPages, maxUnits },
        resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      })
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        void worker.terminate()
        finish()
      }
      const exceeded = (limit: string, value: number, cause?: unknown): GroundlineError =>
        new GroundlineError(
          'LIMIT_EXCEEDED',
          `${JSON.stringify(id)} exceeds ${limit} (${value}); raise it or leave the file out`,
          {
            cause,
            details: { id, limit, expected: value },
          },
        )
      const abort = (): void => settle(() => reject(signal?.reason))
      const timer = setTimeout(() => settle(() => reject(exceeded('timeoutMs', timeoutMs))), timeoutMs)
      signal?.addEventListener('abort', abort, { once: true })
      worker.once('message', (answer: PdfWorkerAnswer) => {
        settle(() => {
          if ('text' in answer) resolve(answer.text)
          else if (answer.failure === 'pages') reject(exceeded('maxPages', maxPages))
          else if (answer.failure === 'units') reject(exceeded('maxUnits', maxUnits))
          else reject(failureOf(id, answer.failure, answer.message))
        })
      })
      worker.once('error', (cause: Error & { code?: string }) => {
        settle(() =>
          reject(
            cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
              ? exceeded('memoryMb', memoryMb, cause)
              : failureOf(id, 'damaged', cause.message, cause),
          ),
        )
      })
    })
}

function failureOf(
  id: string,
  failure: 'missing' | 'password' | 'damaged',
  message: string,
  cause?: unknown,
): GroundlineError {
  const name = JSON.stringify(id)
  if (failure === 'missing') {
    return new GroundlineError('MISSING_DEPENDENCY', 'reading PDFs needs pdfjs-dist: npm install pdfjs-dist', {
      cause,
      details: { dependency: 'pdfjs-dist' },
    })
  }
  return failure === 'password'
    ? new GroundlineError('UNSUPPORTED_FORMAT', `${name} is protected by a password; remove it first`, {
        cause,
        details: { id },
      })
    : new GroundlineError('UNSUPPORTED_FORMAT', `${name} cannot be read as a PDF: ${message}`, {
        cause,
        details: { id },
      })
}
