import { describe, expect, it } from 'vitest'
import { type Answer, answer } from '../../src/language-model/index.ts'
import { promptAssembler } from '../../src/prompt-assembler/index.ts'
import { languageModelConformance } from '../../src/testing/language-model-conformance.ts'
import { type ScriptedReply, scriptedModel } from '../../src/testing/scripted-model.ts'
import { passage, wordCounter } from '../prompt-assembler/fixtures.ts'

const first = 'Keys rotate every 90 days. Nobody is told.'
const prompt = promptAssembler({ counter: wordCounter, contextWindow: 1000, outputReserve: 100 }).assemble({
  passages: [passage('a', first, { start: 50, score: 2 }), passage('b', 'Tokens expire after an hour.')],
  question: 'Do keys rotate?',
})

async function ask(reply: ScriptedReply): Promise<{ done: Answer; order: string[] }> {
  const order: string[] = []
  let done: Answer | undefined
  for await (const event of answer(scriptedModel(reply), prompt)) {
    order.push(event.type)
    if (event.type === 'done') done = event.answer
  }
  return { done: done!, order }
}
const verdicts = async (reply: ScriptedReply) =>
  (await ask(reply)).done.citations.map(({ number, verdict, reason, quote }) => [number, verdict, reason ?? quote])

describe('answer', () => {
  it('verifies a quotation before a mark, with its exact span', async () => {
    const { done } = await ask('They do: "every 90 days" [1].')
    expect(done.citations).toMatchObject([
      {
        number: 1,
        verdict: 'verified',
        quote: 'every 90 days',
        span: { start: 62, end: 75 },
        at: { start: 25, end: 28 },
        source: { chunkId: 'a' },
      },
    ])
  })

  it('says why a citation is not verified', async () => {
    expect(await verdicts('They do [1]. "Keys never rotate" [1]. Also [7].')).toEqual([
      [1, 'unverified', 'no-quote'],
      [1, 'unverified', 'quote-not-found'],
      [7, 'unverified', 'unknown-source'],
    ])
  })

  it('does not look for a quotation in other sources than the one cited', async () => {
    expect(await verdicts('"Tokens expire" [1]')).toEqual([[1, 'unverified', 'quote-not-found']])
  })

  it.each([
    ['“every 90 days” [1]', [1, 'verified', 'every 90 days']],
    ['«every 90 days» [1]', [1, 'verified', 'every 90 days']],
    ['"every 90 days," [1]', [1, 'verified', 'every 90 days,']],
    ['"every 90 days".[1]', [1, 'verified', 'every 90 days']],
    ['**"every 90 days"** [1]', [1, 'verified', 'every 90 days']],
    ['"every 90 days"【1】', [1, 'verified', 'every 90 days']],
    ['"every 90 days" [2][1]', [2, 'unverified', 'quote-not-found'], [1, 'verified', 'every 90 days']],
    ['facts [1, 2]', [1, 'unverified', 'no-quote'], [2, 'unverified', 'no-quote']],
    ['facts [1–2]', [1, 'unverified', 'no-quote'], [2, 'unverified', 'no-quote']],
    ['"a" and then plain words [1]', [1, 'unverified', 'no-quote']],
  ])('reads %s', async (text, ...expected) => {
    expect(await verdicts(text)).toEqual(expected)
  })

  it('takes no citation from code', async () => {
    expect(await verdicts('```js\nlist[1]\n```\nand `list[1]` but this [2]')).toEqual([[2, 'unverified', 'no-quote']])
  })

  it('finds the same citations however the text is cut into pieces', async () => {
    const text = 'They do: "every 90 days" [1]. Then [1, 2]. `x[1]`\n```\n[1]\n```\n"expire" [2] and [1–2]'
    const whole = await verdicts(text)
    expect(whole.length).toBe(6)
    for (const size of [1, 2, 3, 7]) {
      const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g'))!
      expect(await verdicts(pieces)).toEqual(whole)
    }
  })

  it('tells of a citation right after the text that completes it', async () => {
    const { order } = await ask(['Yes [', '1', '] and', ' more'])
    expect(order).toEqual(['text', 'text', 'text', 'citation', 'text', 'done'])
  })

  it('passes usage, reason and tool calls on', async () => {
    const { done } = await ask([
      'x',
      { type: 'tool-call', id: 'c', name: 'n', arguments: '{}' },
      { type: 'finish', reason: 'tool-call', usage: { inputTokens: 3 } },
    ])
    expect(done).toEqual({
      text: 'x',
      citations: [],
      toolCalls: [{ id: 'c', name: 'n', arguments: '{}' }],
      reason: 'tool-call',
      usage: { inputTokens: 3 },
    })
  })

  it('rethrows what the model throws, and the reason of an abort', async () => {
    const failure = new Error('no')
    await expect(ask([failure])).rejects.toBe(failure)
    const reason = new Error('stop')
    const events = answer(scriptedModel('x'), prompt, { signal: AbortSignal.abort(reason) })
    await expect(events.next()).rejects.toBe(reason)
  })

  it('rejects a stream that never finishes', async () => {
    const model = {
      id: 'x:y',
      stream: async function* () {
        yield { type: 'text' as const, text: 'half' }
      },
    }
    const drain = async () => {
      for await (const _ of answer(model, prompt));
    }
    await expect(drain()).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
  })
})

describe('scriptedModel', () => {
  const kit = languageModelConformance({
    withModel: ({ pieces, inputTokens, outputTokens }, use) =>
      use(scriptedModel([...pieces, { type: 'finish', reason: 'stop', usage: { inputTokens, outputTokens } }])),
  })
  for (const { name, run } of kit) it(name, run)

  it('gives its replies in turn and remembers the prompts', async () => {
    const model = scriptedModel('one', 'two')
    const say = async () => {
      let text = ''
      for await (const event of model.stream(prompt)) if (event.type === 'text') text += event.text
      return text
    }
    expect([await say(), await say(), await say()]).toEqual(['one', 'two', 'two'])
    expect(model.prompts).toHaveLength(3)
  })
})
