// Reads a chunking collection (Chroma's chunking evaluation): corpora/*.md and questions.jsonl with references whose
// offsets count code points.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The corpora by name, and the questions with their references as UTF-16 spans. */
export function readCollection(directory) {
  const corpora = new Map()
  for (const file of readdirSync(join(directory, 'corpora')).sort())
    corpora.set(file.replace(/\.[^.]+$/, ''), readFileSync(join(directory, 'corpora', file), 'utf8'))
  const units = new Map([...corpora].map(([name, text]) => [name, unitOffsets(text)]))
  const questions = readFileSync(join(directory, 'questions.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const { corpus, question, references } = JSON.parse(line)
      const spans = references.map(({ content, start_index, end_index }) => {
        const start = units.get(corpus)[start_index]
        const end = units.get(corpus)[end_index]
        if (corpora.get(corpus).slice(start, end) !== content)
          throw new Error(`a reference of "${question}" is not where it says`)
        return { start, end }
      })
      return { corpus, question, spans }
    })
  return { corpora, questions }
}

function unitOffsets(text) {
  const offsets = [0]
  let units = 0
  for (const character of text) {
    units += character.length
    offsets.push(units)
  }
  return offsets
}

export const budgets = [500, 1000, 2000, 4000]

/**
 * Mean metrics of ranked chunks. Recall counts reference characters covered. Within a budget chunks are taken in rank
 * order until one does not fit. Precision-omega is the precision if every chunk that touches a reference were found.
 */
export function score(questions, chunks, ranks) {
  const sums = { recall: 0, precision: 0, omega: 0, iou: 0, budgets: budgets.map(() => 0) }
  for (const [index, { corpus, spans }] of questions.entries()) {
    const total = sum(spans.map(({ start, end }) => end - start))
    const found = (list) =>
      covered(
        list.filter((chunk) => chunk.corpus === corpus),
        spans,
      )
    const top = ranks[index].slice(0, 5)
    const length = sum(top.map(({ start, end }) => end - start))
    const hit = found(top)
    sums.recall += hit / total
    sums.precision += length === 0 ? 0 : hit / length
    sums.iou += hit / (length + total - hit)
    const touching = chunks.filter((c) => c.corpus === corpus && spans.some((s) => c.start < s.end && c.end > s.start))
    sums.omega += found(touching) / sum(touching.map(({ start, end }) => end - start))
    for (const [slot, budget] of budgets.entries()) {
      let used = 0
      const taken = []
      for (const chunk of ranks[index]) {
        used += chunk.tokens
        if (used > budget) break
        taken.push(chunk)
      }
      sums.budgets[slot] += found(taken) / total
    }
  }
  const percent = (value) => (100 * value) / questions.length
  return {
    recall: percent(sums.recall),
    precision: percent(sums.precision),
    omega: percent(sums.omega),
    iou: percent(sums.iou),
    budgets: sums.budgets.map(percent),
  }
}

/** Reference characters that the chunks cover, each counted once. */
function covered(chunks, spans) {
  const pieces = []
  for (const chunk of chunks) {
    for (const span of spans) {
      const start = Math.max(span.start, chunk.start)
      const end = Math.min(span.end, chunk.end)
      if (end > start) pieces.push([start, end])
    }
  }
  pieces.sort((a, b) => a[0] - b[0])
  let count = 0
  let reached = 0
  for (const [start, end] of pieces) {
    count += Math.max(0, end - Math.max(start, reached))
    reached = Math.max(reached, end)
  }
  return count
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}
