import { expect, test } from 'vitest'
import { contentHash } from '../../src/internal/hash.ts'
import { textVersion } from '../../src/internal/text-version.ts'

test('the version is the hash of the text, also of an object whose text was replaced', () => {
  const document = { text: 'before' }
  expect(textVersion(document)).toBe(contentHash('before'))
  expect(textVersion(document)).toBe(contentHash('before'))
  document.text = 'after'
  expect(textVersion(document)).toBe(contentHash('after'))
  expect(textVersion({ text: 'before' })).toBe(contentHash('before'))
})
