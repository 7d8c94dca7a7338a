import { describe, expect, test } from 'vitest'
import { findPrivateText, type PrivateKind, redactor } from '../../src/corpus/index.ts'

/** Private texts between `«` and `»`, with their kind; everything else must stay. Numbers and keys are made up. */
const PRIVATE: readonly [PrivateKind, string][] = [
  ['email', 'Write to «jane.doe@example.com» today.'],
  ['email', '<«a_b+tag@mail.sub.example.co.uk»>, please'],
  ['email', 'mailto:«info@xn--mnchen-3ya.de»'],
  ['email', 'Cc: «o.brien%x@example-domain.org»; thanks'],
  ['phone', 'Call «+49 30 1234567» now'],
  ['phone', 'Tel. «+1 (415) 555-2671»'],
  ['phone', '«415-555-2671» is the old one'],
  ['phone', 'Fax «(030) 123 45 67»'],
  ['phone', 'mobile: «0171 2345678»'],
  ['phone', 'UK «+44 20 7946 0958», any time'],
  ['phone', 'Rückruf «089/12345678» bitte'],
  ['iban', 'IBAN «DE89 3704 0044 0532 0130 00»'],
  ['iban', 'IBAN: «GB82WEST12345698765432».'],
  ['iban', '«FR14 2004 1010 0505 0001 3M02 606»'],
  ['card', 'card «4111 1111 1111 1111» exp 12/29'],
  ['card', '«5500-0000-0000-0004»'],
  ['card', 'Amex «340000000000009»'],
  ['key', 'OPENAI_API_KEY=«sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789»'],
  ['key', 'token «ghp_abcdefghijklmnopqrstuvwxyz0123456789»'],
  ['key', 'aws «AKIAIOSFODNN7EXAMPLE»'],
  ['key', '«-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----»'],
  [
    'key',
    'Authorization: Bearer «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U»',
  ],
  ['key', 'slack «xoxb-123456789012-abcdefghijkl»'],
  // Formats it is known to miss.
  ['phone', 'ring «1234567» in the office'],
  ['email', 'jane (at) example (dot) com is «jane at example dot com»'],
  ['key', 'password: «hunter2hunter2»'],
]

const HARMLESS: readonly string[] = [
  'Version 1.2.3-beta.4 of 2024-05-17, build 20240517123456.',
  'The hash is 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.',
  'npm i @scope/package@1.2.3 and @types/node@20',
  'Order 4111 1111 1111 1112 fails the check digit.',
  'DE89 3704 0044 0532 0130 01 is no IBAN.',
  'pi is 3.14159265358979323846 and e is 2.718281828459045',
  'See RFC 9110, pages 120-135, ISBN 978-3-16-148410-0.',
  'Coordinates 52.520008, 13.404954; IP 192.168.178.112; port 8080',
  'From 10:00 to 12:30 on 01.02.2024 in room 0042',
  'uuid 123e4567-e89b-12d3-a456-426614174000',
  'sk-learn and pk-fields are words, eyJ too.',
  'The range 100-200 and the sum 1,234,567.89 EUR',
]

const marked = PRIVATE.map(([kind, text]) => {
  const start = text.indexOf('«')
  const end = text.indexOf('»') - 1
  return { kind, text: text.replace(/[«»]/g, ''), start, end }
})

describe('findPrivateText', () => {
  test('on the fixed set its precision is at least 0.95 and its recall at least 0.85', () => {
    let [right, found] = [0, 0]
    for (const { kind, text, start, end } of marked) {
      const spans = findPrivateText(text)
      found += spans.length
      if (spans.some((span) => span.kind === kind && span.start === start && span.end === end)) right++
    }
    for (const text of HARMLESS) found += findPrivateText(text).length
    expect({ precision: right / found >= 0.95, recall: right / marked.length >= 0.85 }).toEqual({
      precision: true,
      recall: true,
    })
  })

  test.each(HARMLESS)('nothing is found in: %s', (text) => {
    expect(findPrivateText(text)).toEqual([])
  })

  test('covering keeps every offset', () => {
    const redact = redactor()
    for (const { text, start, end } of marked.slice(0, -3)) {
      const covered = redact(text)
      expect(covered).toHaveLength(text.length)
      expect(covered.slice(start, end)).toBe('█'.repeat(end - start))
      expect(covered.slice(0, start) + covered.slice(end)).toBe(text.slice(0, start) + text.slice(end))
    }
    expect(redactor({ kinds: ['email'] })('+49 30 1234567, a@b.de')).toBe('+49 30 1234567, ██████')
    expect(() => redactor({ mask: '[x]' })).toThrow('mask')
  })

  test('time grows with length, not faster, on hostile text', () => {
    for (const part of ['a@', '0 ', '1-', '-----BEGIN PRIVATE KEY-----', 'DE12 ', 'eyJa.', '+1 (', 'a.a@a.']) {
      const time = (count: number): number => {
        const text = part.repeat(count)
        const start = performance.now()
        findPrivateText(text)
        return performance.now() - start
      }
      time(1_000)
      const whole = time(20_000)
      expect(whole, part).toBeLessThan(3_000)
    }
  })
})
