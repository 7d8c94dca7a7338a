export { accessFilter } from './access-filter.ts'
export type { AuditEntry } from './audit.ts'
export { type BackupReport, restoreCorpus } from './backup.ts'
export { checksumSealer } from './checksum-sealer.ts'
export type { Cipher, KeyProvider } from './cipher.ts'
export { type ComparedQuery, type CompareSpacesOptions, compareSpaces, type SpaceComparison } from './compare-spaces.ts'
export type {
  Commit,
  Corpus,
  CorpusChange,
  CorpusEntry,
  CorpusInfo,
  Damage,
  DocumentEntry,
  DocumentRecord,
  DocumentVectors,
  Source,
  SourceFailure,
  SourceItem,
  SyncProgress,
  SyncReport,
  WatchableSource,
} from './corpus.ts'
export { type DerivedFile, type DerivedFiles, derivedFiles } from './derived-files.ts'
export { type IterableSourceOptions, iterableSource, type StreamedInput } from './iterable-source.ts'
export { type Keyring, type KeyringOptions, openKeyring } from './keyring.ts'
export { memoryStorage } from './memory-storage.ts'
export { type NearDuplicateOptions, nearDuplicates } from './near-duplicates.ts'
export { type OpenCorpusOptions, openCorpus } from './open-corpus.ts'
export { documentFingerprint } from './prepare-entry.ts'
export { expireDocuments, type PurgeReport } from './purge.ts'
export { findPrivateText, type PrivateKind, type PrivateSpan, type RedactionOptions, redactor } from './redaction.ts'
export type {
  EmbedAllChunks,
  PlanReembedOptions,
  ReembedOptions,
  ReembedPlan,
  ReembedProgress,
} from './reembed.ts'
export { type ScanOptions, scanCorpus } from './scan-corpus.ts'
export type { FileSealer, SealedFile, Sealer } from './sealer.ts'
export { type ServedFiles, type ServedVersion, servedFiles } from './served-files.ts'
export type { ByteRange, ReadOptions, Storage } from './storage.ts'
export { planSync, syncCorpus } from './sync.ts'
export type { DuplicateFinder, DuplicateOptions, EmbedChunks, SyncOptions, SyncPlan } from './sync-options.ts'
export { folderStorage, type OpenTenantsOptions, openTenants, type Tenant, type Tenants } from './tenants.ts'
export type {
  CollectReport,
  KeepOptions,
  TagInfo,
  TagOptions,
  VersionedCorpus,
  VersionInfo,
} from './versioned-corpus.ts'
