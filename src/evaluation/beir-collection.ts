import { GroundlineError } from '../errors.ts'
import { describe, requireObject, requireString } from '../internal/argument.ts'
import type { CollectionDocument, CollectionQuery, TestCollection } from './evaluation.ts'

/** The three texts of a collection in BEIR form. */
export interface BeirTexts {
  /** `corpus.jsonl`: an object a line with `_id`, `text` and perhaps `title`. */
  readonly corpus: string
  /** `queries.jsonl`: an object a line with `_id` and `text`. */
  readonly queries: string
  /** `qrels/*.tsv`: query id, document id and grade, with or without a header line; four columns as trec_eval has them too. */
  readonly qrels: string
}

/**
 * Reads a test collection in BEIR form. Queries without judgments stay in; judgments of unknown documents count as
 * relevant documents that nobody can find. Throws `UNSUPPORTED_FORMAT` with the line that cannot be read.
 *
 * @example
 * const collection = parseBeirCollection({ corpus, queries, qrels })
 */
export function parseBeirCollection(texts: BeirTexts): TestCollection {
  requireObject('texts', texts, 'an object with corpus, queries and qrels')
  for (const name of ['corpus', 'queries', 'qrels'] as const) requireString(name, texts[name])
  const documents = jsonLines(texts.corpus, 'corpus').map(
    (line): CollectionDocument => ({ id: line._id, title: line.title ?? '', text: line.text }),
  )
  const queries = jsonLines(texts.queries, 'queries').map(
    (line): CollectionQuery => ({ id: line._id, text: line.text }),
  )
  return { documents, queries, judgments: parseQrels(texts.qrels) }
}

/** Reads judgments: `query document grade` or `query iteration document grade`, split by tabs or spaces. */
export function parseQrels(text: string): Map<string, Map<string, number>> {
  requireString('text', text)
  const judgments = new Map<string, Map<string, number>>()
  for (const { line, number } of linesOf(text)) {
    const fields = line.trim().split(line.includes('\t') ? /\t/ : /\s+/)
    const grade = Number(fields.at(-1))
    if (number === 1 && Number.isNaN(grade)) continue
    const [query, document] = [fields[0], fields.at(-2)]
    if (fields.length < 3 || fields.length > 4 || !Number.isFinite(grade) || !query || !document)
      throw unreadable('qrels', number, 'query id, document id and grade', line)
    let grades = judgments.get(query)
    if (grades === undefined) {
      grades = new Map()
      judgments.set(query, grades)
    }
    grades.set(document, grade)
  }
  return judgments
}

function jsonLines(text: string, file: string): { _id: string; title?: string; text: string }[] {
  return linesOf(text).map(({ line, number }) => {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      throw unreadable(file, number, 'a JSON object', line)
    }
    const { _id, title, text: body } = (value ?? {}) as Record<string, unknown>
    if (typeof _id !== 'string' || typeof body !== 'string')
      throw unreadable(file, number, 'an object with _id and text', line)
    return typeof title === 'string' ? { _id, title, text: body } : { _id, text: body }
  })
}

function linesOf(text: string): { line: string; number: number }[] {
  // A byte order mark is no part of the first line.
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== '')
}

function unreadable(file: string, number: number, expected: string, line: string): GroundlineError {
  return new GroundlineError(
    'UNSUPPORTED_FORMAT',
    `line ${number} of ${file} must be ${expected}, got ${describe(line)}`,
    { details: { file, line: number, expected } },
  )
}
