import { describe, expect, it } from 'vitest'
import { redact } from '../../src/internal/redact.ts'

/** Made-up keys in the formats that vendors publish; none was ever valid. */
const KEYS = [
  'sk-proj-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df',
  'sk-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'sk-ant-api03-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df-AA',
  'sk-or-v1-0123456789abcdef0123456789abcdef',
  'AIzaSyA4fGh7Kl2Qw9Er5Ty8Ui1Op3As6Df_x',
  'pa-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7JkLz',
  'hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH',
  'gsk_4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'xai-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'r8_4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'jina_4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'pcsk_4fGh7K_l2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'pplx-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'nvapi-4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'fw_4fGh7Kl2Qw9Er5Ty8Ui1Op3As6D',
  'ghp_4fGh7Kl2Qw9Er5Ty8Ui1Op3As6DfGh7Jk',
  'github_pat_11ABCDEFG0_4fGh7Kl2Qw9Er5Ty8',
  'glpat-4fGh7Kl2Qw9Er5Ty8Ui1',
  'xoxb-123456789012-4fGh7Kl2Qw9Er5Ty8Ui1',
  'AKIA4FGH7KL2QW9ER5TY',
  'ya29.a0AfH6SMB4fGh7Kl2Qw9Er5Ty8Ui1',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P',
  '4f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c',
  '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
  'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7k',
]

describe('redact', () => {
  it('masks 25 key formats in the sentences that providers write', () => {
    for (const key of KEYS) {
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
