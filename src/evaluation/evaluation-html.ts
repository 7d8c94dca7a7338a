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

const WIDTH = 680
const HEIGHT = 280
/** What axes and their labels take of the plot on each side. */
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 14, 14, 44]
const TICKS = [0, 0.25, 0.5, 0.75, 1]

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
  const most = Math.max(1, ...results.map(({ result }) => result.queries.length))
  const x = (share: number) => (LEFT + share * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const y = (value: number) => (HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)).toFixed(1)
  const lines = results.map(({ name, result }, i) => {
    const values = result.queries.map(({ values: each }) => each[metric] ?? 0).sort((a, b) => a - b)
    const points = values.map((value, at) => `${x(at / Math.max(1, values.length - 1))},${y(value)}`)
    const colour = `hsl(${(i * 137) % 360} 70% 40%)`
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>`,
      `<text x="${LEFT + 8}" y="${TOP + 14 + i * 16}" fill="${colour}">${escapeHtml(name)}</text>`,
    ].join('')
  })
  const across = TICKS.map((value) =>
    [
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>`,
      `<text x="${LEFT - 6}" y="${y(value)}" dy="4" text-anchor="end">${value.toFixed(2)}</text>`,
    ].join(''),
  )
  // Ranks of queries, each once where there are few.
  const ranks = [...new Set(TICKS.map((share) => 1 + Math.round(share * (most - 1))))]
  const along = ranks.map((rank) => {
    const at = x((rank - 1) / Math.max(1, most - 1))
    return `<text x="${at}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${rank}</text>`
  })
  const middle = (HEIGHT - BOTTOM + TOP) / 2
  return [
    `<svg width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escapeHtml(metric)} of each query" font-size="12">`,
    ...across,
    ...along,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">queries, worst to best</text>`,
    `<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escapeHtml(metric)}</text>`,
    ...lines,
    '</svg>',
  ].join('')
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
