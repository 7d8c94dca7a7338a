export type {
  Commit,
  Corpus,
  CorpusChange,
  CorpusInfo,
  DocumentEntry,
  DocumentRecord,
  Source,
  SourceFailure,
  SourceItem,
  SyncProgress,
  SyncReport,
} from './corpus.ts'
export type { Storage } from './storage.ts'
