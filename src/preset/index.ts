export { createGroundline } from './create-groundline.ts'
export type {
  AskOptions,
  Groundline,
  GroundlineInfo,
  GroundlineOptions,
  GroundlineSyncOptions,
  QuestionOptions,
  RetrieverParts,
} from './groundline.ts'
export { createSession, type Session, type SessionJson, type SessionSettings, sessionFromJson } from './session.ts'
