/** A document of a test collection. */
export interface CollectionDocument {
  /** Its id. */
  readonly id: string
  /** Its title; empty where there is none. */
  readonly title: string
  /** Its text. */
  readonly text: string
}

/** A query of a test collection. */
export interface CollectionQuery {
  /** Its id. */
  readonly id: string
  /** What is asked. */
  readonly text: string
}

/** Grades by query id and document id: 0 is not relevant, larger is more relevant; a document without a grade counts as 0. */
export type Judgments = ReadonlyMap<string, ReadonlyMap<string, number>>

/** A test collection: documents, queries, and which document answers which query. */
export interface TestCollection {
  /** What is searched. */
  readonly documents: readonly CollectionDocument[]
  /** What is asked. */
  readonly queries: readonly CollectionQuery[]
  /** What is right. */
  readonly judgments: Judgments
}

/** One answer of a system. */
export interface RankedResult {
  /** The document's id. */
  readonly id: string
  /** Bigger is better. */
  readonly score: number
}

/** What a system answered, by query id: best first. */
export type Run = ReadonlyMap<string, readonly RankedResult[]>

/** The names of metrics: `ndcg@10`, `recall@100`, `precision@5`, `mrr@10`, `map@100`, or without a cut the whole list. */
export type MetricName = `${'ndcg' | 'recall' | 'precision' | 'mrr' | 'map'}@${number}` | 'ndcg' | 'mrr' | 'map'

/** What a run is worth. */
export interface EvaluationResult {
  /** Means over the queries that have a relevant document; a query without an answer counts as 0. */
  readonly means: Readonly<Record<string, number>>
  /** The metrics of each query, in the order of the judgments. */
  readonly queries: readonly QueryResult[]
}

/** What a run is worth for one query. */
export interface QueryResult {
  /** The query's id. */
  readonly id: string
  /** Values by metric. */
  readonly values: Readonly<Record<string, number>>
  /** Ids answered, best first. */
  readonly ids: readonly string[]
}
