export { createGroundline, createTenants } from './create-groundline.ts'
export type {
  AddOptions,
  AskOptions,
  EncryptionOptions,
  Groundline,
  GroundlineCompareOptions,
  GroundlineInfo,
  GroundlineOptions,
  GroundlinePlanOptions,
  GroundlinePlanReembedOptions,
  GroundlineReembedOptions,
  GroundlineSyncOptions,
  GroundlineTenants,
  GroundlineView,
  QuestionOptions,
  ReaderOptions,
  RetrieverParts,
  TenantsOptions,
} from './groundline.ts'
export { createSession, type Session, type SessionJson, type SessionSettings, sessionFromJson } from './session.ts'
