import type { Omission, Prompt } from './prompt-assembler.ts'

const WHY: Readonly<Record<Omission['reason'], string>> = {
  budget: 'there was no room',
  duplicate: 'it has the same text as',
  overlap: 'its text lies within',
  limit: 'a cap on passages was reached',
  requirement: 'it needs a part that is not there:',
  cut: 'the history begins later',
}

/** Says in lines of plain text where the tokens of a prompt went, what is in it, what was left out and why. */
export function explainPrompt(prompt: Prompt): string {
  const { ledger, sources, omitted, warnings, cachePlan, guarantee } = prompt
  const lines = [
    `${ledger.total} of ${ledger.budget} tokens (${guarantee}); window ${ledger.contextWindow}, kept free: answer ${ledger.outputReserve}, reasoning ${ledger.reasoningReserve}, margin ${ledger.margin}`,
    ...ledger.entries.map(({ part, tokens }) => `  ${part}: ${tokens}`),
  ]
  for (const source of sources) {
    const form = source.form === 'full' ? '' : `, ${source.form}`
    lines.push(
      `source ${source.number}: ${source.chunkIds.join(', ')} (${source.start}–${source.end} of ${source.documentId}${form})`,
    )
  }
  for (const { id, reason, tokens, instead } of omitted) {
    const cost = tokens === undefined ? '' : `, ${tokens} tokens`
    const why = reason === 'duplicate' && instead === undefined ? 'it has no text' : WHY[reason]
    lines.push(`left out ${id}: ${why}${instead === undefined ? '' : ` ${instead}`}${cost}`)
  }
  for (const { id, kind, at, found } of warnings)
    lines.push(`warning: ${kind} ${JSON.stringify(found)} at ${at} of ${id}`)
  lines.push(
    `cache: ${cachePlan.stableTokens} tokens stay the same next turn, breakpoints after messages ${cachePlan.breakpoints.join(', ') || 'none'}`,
  )
  return lines.join('\n')
}
