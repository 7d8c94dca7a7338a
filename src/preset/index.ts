export { createGroundline, createTenants } from './create-groundline.ts'
export type {
  AskOptions,
  EncryptionOptions,
  Groundline,
  GroundlineInfo,
  GroundlineOptions,
  GroundlineReembedOptions,
  GroundlineSyncOptions,
  GroundlineTenants,
  QuestionOptions,
  ReaderOptions,
  RetrieverParts,
  TenantsOptions,
} from './groundline.ts'
export { createSession, type Session, type SessionJson, type SessionSettings, sessionFromJson } from './session.ts'
