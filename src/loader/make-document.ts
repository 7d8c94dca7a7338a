import type { Document, Mark, Metadata, OffsetMap } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { describe } from '../internal/argument.ts'
import type { LoaderInput } from './loader.ts'

/** What a loader found in a file. */
export interface LoadedParts {
  /** The readable text. */
  readonly text: string
  /** The title, when the file says one. */
  readonly title?: string | undefined
  /** Metadata of the file; those of the input win. */
  readonly metadata?: Metadata | undefined
  /** Recognised spans, in text order. */
  readonly outline?: readonly Mark[] | undefined
  /** The way back, when the text is not the original. */
  readonly sourceMap?: OffsetMap | undefined
}

/** Joins what was given with what was found. */
export function makeDocument<M extends Metadata>(input: LoaderInput<M>, parts: LoadedParts): Document<M> {
  const { text, title, outline, sourceMap } = parts
  const found: Metadata = parts.metadata ?? {}
  const metadata = { ...found, ...input.metadata } as M
  return {
    id: input.id,
    text,
    ...(input.uri === undefined ? {} : { uri: input.uri }),
    ...(title === undefined || title === '' ? {} : { title }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(outline === undefined || outline.length === 0 ? {} : { outline }),
    ...(sourceMap === undefined ? {} : { sourceMap }),
  }
}

/** Throws unless the input has an id and content. */
export function requireInput(input: LoaderInput, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  const wrong = (field: string, expected: string, value: unknown): never => {
    throw new GroundlineError('INVALID_ARGUMENT', `${field} must be ${expected}, got ${describe(value)}`, {
      details: { argument: field, expected, actual: describe(value) },
    })
  }
  if (typeof input.id !== 'string' || input.id === '') wrong('input.id', 'a string that is not empty', input.id)
  if (typeof input.content !== 'string' && !(input.content instanceof Uint8Array))
    wrong('input.content', 'a string or a Uint8Array', input.content)
}
