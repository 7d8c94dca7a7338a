import { requireArray, requireObject, requireString } from '../internal/argument.ts'
import type { EvaluationResult } from './evaluation.ts'

/** A system with what it is worth. */
export interface NamedResult {
  /** Shown in tables and plots. */
  readonly name: string
  /** What it is worth. */
  readonly result: EvaluationResult
}

/** Options of {@link evaluationHtml}. */
export interface EvaluationHtmlOptions {
  /** Heading of the page. Default `Evaluation`. */
  readonly title?: string
  /** The metric that plots and the table of queries show. Default: the first of the first result. */
  readonly metric?: string
  /** Texts of the queries by id, shown beside the ids. */
  readonly queries?: ReadonlyMap<string, string>
}

const WIDTH = 640
const HEIGHT = 220

/**
 * A page with the means of several systems, a plot of each one's queries from worst to best, and the table of queries.
 * One file without scripts or links. Every text is escaped.
 *
 * @example
 * const page = evaluationHtml([{ name: 'BM25', result }], { title: 'Manuals' })
 */
export function evaluationHtml(results: readonly NamedResult[], options: EvaluationHtmlOptions = {}): string {
  requireArray('results', results)
  for (const [at, each] of results.entries()) {
    requireObject(`results[${at}]`, each, 'an object with name and result')
    requireString(`results[${at}].name`, each.name)
    requireObject(`results[${at}].result`, each.result, 'what evaluateRun gives')
  }
  requireObject('options', options)
  const { title = 'Evaluation', queries } = options
  requireString('title', title)
  const names = Object.keys(results[0]?.result.means ?? {})
  const metric = options.metric ?? names[0] ?? ''
  // By id: two systems may have been asked different queries.
  const byQuery = results.map(({ result }) => new Map(result.queries.map(({ id, values }) => [id, values[metric]])))
  const means = [
    row(['System', ...names], 'th'),
    ...results.map(({ name, result }) => row([name, ...names.map((each) => figure(result.means[each]))])),
  ]
  const table = [
    row(['Query', ...(queries ? ['Text'] : []), ...results.map(({ name }) => name)], 'th'),
    ...Array.from(new Set(byQuery.flatMap((values) => [...values.keys()])), (id) => {
      const text = queries ? [queries.get(id) ?? ''] : []
      return row([id, ...text, ...byQuery.map((values) => figure(values.get(id)))])
    }),
  ]
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<title>${escapeHtml(title)}</title>`,
    '<style>body{font:14px system-ui;margin:2em;max-width:72em}table{border-collapse:collapse;margin:1em 0}',
    'td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left}svg{background:#fafafa;border:1px solid #ccc}</style>',
    `</head><body><h1>${escapeHtml(title)}</h1>`,
    `<table>${means.join('')}</table>`,
    `<h2>${escapeHtml(metric)} of each query, worst to best</h2>`,
    plot(results, metric),
    `<h2>Queries</h2><table>${table.join('')}</table></body></html>`,
  ].join('\n')
}

function plot(results: readonly NamedResult[], metric: string): string {
  const lines = results.map(({ name, result }, i) => {
    const values = result.queries.map(({ values: each }) => each[metric] ?? 0).sort((a, b) => a - b)
    const points = values.map((value, at) => {
      const x = (at / Math.max(1, values.length - 1)) * (WIDTH - 20) + 10
      return `${x.toFixed(1)},${(HEIGHT - 10 - value * (HEIGHT - 20)).toFixed(1)}`
    })
    const colour = `hsl(${(i * 137) % 360} 70% 40%)`
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>`,
      `<text x="16" y="${20 + i * 16}" fill="${colour}" font-size="12">${escapeHtml(name)}</text>`,
    ].join('')
  })
  return `<svg width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escapeHtml(metric)}">${lines.join('')}</svg>`
}

function row(cells: readonly string[], tag: 'td' | 'th' = 'td'): string {
  return `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(4)
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
