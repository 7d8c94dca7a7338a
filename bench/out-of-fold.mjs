// Chooses settings on some corpora of a chunking collection and reports them on the others.
import { score } from './chunking-collection.mjs'

/**
 * Leave one corpus out: for the questions of each corpus, the ranks of that setting which does best on the questions of
 * all the others. `value` is what a setting is chosen by.
 */
export function outOfFold(questions, list, settings, value) {
  const measured = settings.map(({ name, ranks }) => ({
    name,
    ranks,
    values: questions.map((question, index) => value(score([question], list, [ranks[index]]))),
  }))
  const chosen = new Map()
  for (const corpus of new Set(questions.map(({ corpus }) => corpus))) {
    const elsewhere = ({ values }) =>
      values.reduce((sum, each, i) => sum + (questions[i].corpus === corpus ? 0 : each), 0)
    chosen.set(
      corpus,
      measured.reduce((best, each) => (elsewhere(each) > elsewhere(best) ? each : best)),
    )
  }
  return {
    ranks: questions.map(({ corpus }, index) => chosen.get(corpus).ranks[index]),
    chosen: new Map([...chosen].map(([corpus, { name }]) => [corpus, name])),
  }
}
