import fc from 'fast-check'
import { expect, test } from 'vitest'
import { characterCounter, chunkNotes, jsonChunker } from '../../src/chunker/index.ts'
import { jsonPointer, jsonSpans } from '../../src/internal/json-spans.ts'
import { describeLaws } from './laws.ts'

const json = fc.tuple(fc.json({ maxDepth: 4 }), fc.constantFrom(0, 2, '\t')).map(([text, space]) => ({
  id: 'doc',
  text: JSON.stringify(JSON.parse(text), null, space),
}))
describeLaws('jsonChunker on JSON', jsonChunker, { documents: json })

test('the scan accepts what JSON.parse accepts and finds every value', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json({ maxDepth: 5 }),
        fc.string(),
        fc.json().map((text) => text.slice(1)),
        fc
          .array(fc.constantFrom('0', '1', '-', '.5', 'e1', 'true', 'null', '"a"', ' ', '\n', '[1]', '{}', ','), {
            maxLength: 8,
          })
          .map((parts) => parts.join('')),
      ),
      (text) => {
        let value: unknown
        let valid = true
        try {
          value = JSON.parse(text)
        } catch {
          valid = false
        }
        const { spans, fault } = jsonSpans(text)
        if (!valid) {
          // Several values one after another are JSON lines.
          if (fault !== undefined) return
          const records = spans.filter(({ depth }) => depth === 0)
          expect(records.length).toBeGreaterThan(1)
          for (const [index, { start, end }] of records.entries()) {
            JSON.parse(text.slice(start, end))
            const gap = text.slice(records[index - 1]?.end ?? 0, start)
            expect(gap.trim()).toBe('')
            if (index > 0 && gap === '')
              expect(/[\]}][\s\S]|[\s\S][[{]/.test(text.slice(start - 1, start + 1))).toBe(true)
          }
          return
        }
        expect(fault).toBeUndefined()
        for (const [index, span] of spans.entries()) {
          let found: unknown = value
          const keys = jsonPointer(spans, index).split('/').slice(1)
          for (const key of keys)
            found = (found as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')]
          const raw = text.slice(span.start, span.end)
          const slice = typeof span.key === 'string' ? raw.replace(/^"(?:[^"\\]|\\.)*"\s*:/, '') : raw
          expect(JSON.stringify(JSON.parse(slice))).toBe(JSON.stringify(found))
        }
      },
    ),
    { numRuns: 500, seed: 7 },
  )
})

test('records that fit stay whole and carry their pointer', () => {
  const users = Array.from({ length: 20 }, (_, id) => ({ id, name: `User ${id}`, tags: ['a', 'b/c'] }))
  const text = JSON.stringify({ users }, null, 2)
  const chunks = [...jsonChunker({ maxTokens: 120, counter: characterCounter() }).chunk({ id: 'd', text })]
  for (const user of users) {
    const whole = JSON.stringify(user, null, 2).replaceAll('\n', '\n    ')
    expect(chunks.some((chunk) => chunk.text.includes(whole))).toBe(true)
  }
  expect(chunks.some((chunk) => chunkNotes(chunk).pointer === '/users/7')).toBe(true)
})

test('JSON lines name the record', () => {
  const text = Array.from({ length: 9 }, (_, n) => JSON.stringify({ n, text: 'word '.repeat(12) })).join('\n')
  const chunks = [...jsonChunker({ maxTokens: 90, counter: characterCounter() }).chunk({ id: 'd', text })]
  expect(chunks.map((chunk) => chunkNotes(chunk).record)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('text that is not JSON is cut as text, with a note', () => {
  const [first] = jsonChunker().chunk({ id: 'd', text: '{"a": }' })
  expect(chunkNotes(first!).note).toBe('not JSON at offset 6: cut as text')
})
