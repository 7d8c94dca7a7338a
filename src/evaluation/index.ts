export { type BeirTexts, parseBeirCollection, parseQrels } from './beir-collection.ts'
export { compareRuns, type MetricComparison } from './compare-runs.ts'
export {
  actOnDrift,
  type DriftAction,
  type DriftHandlers,
  type DriftOutcome,
  driftActions,
} from './drift-actions.ts'
export {
  type CanaryQuery,
  type DriftCheck,
  type DriftMonitor,
  type DriftMonitorOptions,
  type DriftReport,
  type DriftSample,
  type DriftTest,
  driftMonitor,
} from './drift-monitor.ts'
export { type EvaluateRunOptions, evaluateRun } from './evaluate-run.ts'
export type {
  CollectionDocument,
  CollectionQuery,
  EvaluationResult,
  Judgments,
  MetricName,
  QueryResult,
  RankedResult,
  Run,
  TestCollection,
} from './evaluation.ts'
export { type EvaluationHtmlOptions, evaluationHtml, type NamedResult } from './evaluation-html.ts'
export { averagePrecision, type Grades, ndcgAt, precisionAt, recallAt, reciprocalRank } from './metrics.ts'
export { type RunRetrieverOptions, runRetriever } from './run-retriever.ts'
export {
  type BootstrapResult,
  pairedBootstrap,
  permutationTest,
  type SignificanceOptions,
} from './significance.ts'
