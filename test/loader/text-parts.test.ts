import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textParts } from '../../src/loader/index.ts'

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function partsOf(text: string, maxUnits: number, pieceSize = 7) {
  const parts = []
  for await (const part of textParts('t', inPieces(new TextEncoder().encode(text), pieceSize), { maxUnits }))
    parts.push(part)
  return parts
}

describe('textParts', () => {
  test('parts joined are the text, none over the limit, each where its metadata says, for any text and any pieces', async () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ' ', '\n', '\r\n', '\n\n', 'é', '中', '😀', '👩‍👩‍👧'),
      maxLength: 120,
    })
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (whole, max, size) => {
          const parts = await partsOf(whole, max, size)
          expect(parts.map(({ content }) => content).join('')).toBe(whole)
          for (const [index, { id, content, metadata }] of parts.entries()) {
            expect(content.length).toBeLessThanOrEqual(max)
            expect((content as string).isWellFormed?.() ?? true).toBe(true)
            expect(id).toBe(`t#${index + 1}`)
            expect(metadata).toMatchObject({ part: index + 1 })
            const { partStart } = metadata!
            expect(whole.slice(partStart, partStart + content.length)).toBe(content)
          }
          // A line break of two units stays whole.
          for (const { content } of parts.slice(0, -1)) {
            if ((content as string).endsWith('\r')) expect(whole).not.toContain('\r\n')
          }
        },
      ),
    )
  })

  test('a part ends after an empty line, else after a line', async () => {
    const contents = async (text: string, max: number) => (await partsOf(text, max)).map(({ content }) => content)
    expect(await contents('one two three\n\nfour\nfive six', 20)).toEqual(['one two three\n\n', 'four\nfive six'])
    expect(await contents('four\nfive six', 9)).toEqual(['four\n', 'five six'])
    expect(await contents('aaaaaaaa', 3)).toEqual(['aaa', 'aaa', 'aa'])
    expect(await contents('', 3)).toEqual([])
  })

  test('bytes that are invalid in the encoding, and unknown encodings, are refused by name', async () => {
    const read = async (bytes: number[], encoding?: string) => {
      for await (const _ of textParts('log', inPieces(Uint8Array.from(bytes), 2), { ...(encoding && { encoding }) })) {
      }
    }
    await expect(read([0x61, 0xff])).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT', details: { id: 'log' } })
    await expect(read([0x61, 0xe4, 0xb8])).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
    await expect(read([0x61], 'klingon')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('an abort ends it with its reason, and the stream is let go', async () => {
    const controller = new AbortController()
    let released = false
    const endless = async function* () {
      try {
        for (;;) yield new TextEncoder().encode('line of a log\n')
      } finally {
        released = true
      }
    }
    const reading = async () => {
      for await (const { metadata } of textParts('t', endless(), { maxUnits: 100, signal: controller.signal })) {
        if (metadata!.part === 3) controller.abort('enough')
      }
    }
    await expect(reading()).rejects.toBe('enough')
    expect(released).toBe(true)
  })
})
