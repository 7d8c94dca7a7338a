import { expect, test } from 'vitest'
import { addContext, chunkNotes, contextText, markdownChunker } from '../../src/chunker/index.ts'

const document = {
  id: 'd',
  text: '# Guide\n\nHello.\n\n## Install\n\nRun it, and wait for a while until it is done.\n',
}
const chunks = [...markdownChunker({ maxTokens: 12 }).chunk(document)]

test('context goes before the text and never into it', () => {
  const last = chunks.at(-1)!
  expect(contextText(last, { title: 'Manual' })).toBe(`Manual › Guide › Install\n\n${last.text}`)
  expect(document.text.slice(last.start, last.end)).toBe(last.text)
})

test('a written context line is cached by writer, document version and text', async () => {
  const cache = new Map<string, string>()
  let calls = 0
  const write = async (chunk: { text: string }) => {
    calls += 1
    return ` About ${chunk.text.length} units. `
  }
  const first = await addContext(document, chunks, { write, writerId: 'w/1', cache })
  expect(calls).toBe(chunks.length)
  expect(chunkNotes(first[0]!).context).toBe(`About ${chunks[0]!.text.length} units.`)
  expect(contextText(first[0]!)).toContain('About ')
  expect(await addContext(document, chunks, { write, writerId: 'w/1', cache })).toEqual(first)
  expect(calls).toBe(chunks.length)
  await addContext(document, chunks, { write, writerId: 'w/2', cache })
  expect(calls).toBe(chunks.length * 2)
})

test('an abort stops the writing with its own reason', async () => {
  const reason = new Error('enough')
  const write = async () => 'x'
  await expect(addContext(document, chunks, { write, writerId: 'w', signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  )
})
