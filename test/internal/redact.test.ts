import { describe, expect, it } from 'vitest'
import { redact } from '../../src/internal/redact.ts'
import { KEY_FORMATS } from '../providers/key-formats.ts'

describe('redact', () => {
  it('masks 25 key formats in the sentences that providers write', () => {
    for (const key of KEY_FORMATS) {
      for (const sentence of [
        `Incorrect API key provided: ${key}. You can find your key at https://example.com/keys.`,
        `{"error":{"message":"bad key","headers":{"authorization":"Bearer ${key}"}}}`,
        `GET https://example.com/v1/embed?key=${key}&alt=json failed`,
        `https://user:${key}@example.com/`,
        `x-api-key: ${key}`,
        key,
      ]) {
        const masked = redact(sentence)
        expect(masked, sentence).not.toContain(key)
        expect(masked, sentence).not.toContain(key.slice(6, 24))
      }
    }
  })

  it('masks a given secret of any format, also percent-encoded', () => {
    expect(redact('the word p@ss/word is wrong, p%40ss%2Fword too', ['p@ss/word'])).not.toMatch(/ss.{0,3}word/)
  })

  it('leaves model names, numbers and plain words alone', () => {
    const text =
      'text-embedding-3-small takes at most 8192 tokens; mistral-embed, models/gemini-embedding-001, status 429'
    expect(redact(text)).toBe(text)
  })

  it('is linear and bounded', () => {
    expect(redact('a1'.repeat(1_000_000)).length).toBeLessThan(5000)
  })
})
