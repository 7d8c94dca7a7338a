export type {
  AbortOptions,
  Chunk,
  Document,
  Mark,
  MarkKind,
  Metadata,
  MetadataValue,
  OffsetMap,
  OffsetPiece,
  Passage,
  Span,
  StageScore,
} from './document.ts'
export {
  GroundlineError,
  type GroundlineErrorCode,
  type GroundlineErrorOptions,
  isGroundlineError,
  isProviderError,
  ProviderError,
  type ProviderErrorOptions,
} from './errors.ts'
