import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'

/** Alphabets whose mixtures reach every branch of the splitters. */
const alphabets: readonly (readonly string[])[] = [
  [...'abcdefghijklmnopqrstuvwxyz'],
  [...'ABCXYZ'],
  [' ', ' ', '\n', '\t', '\r\n', '  ', '\u00a0', '\u3000', '\u2028', '\u000b'],
  [...'0123456789', '½', '٣', 'Ⅷ'],
  [...`.,;:!?'"()[]{}<>/\\|@#$%^&*-_=+~\``],
  ["'s", "'S", "'ll", "'Re", "'ſ", "'", "'v", "'d"],
  [...'éßñΩжשا日本語한국कि', 'ǅ', 'ʰ', '\u0301', '\u20dd', 'ª'],
  ['👍', '👩‍👧', '🇫🇷', '👍🏽', '\u200d'],
  ['hasOwnProperty', '__proto__', 'constructor', '<|endoftext|>', 'https://example.com/a?b=c', 'toString'],
]

/** Random text that switches between alphabets, as real text does. */
export const mixedText: fc.Arbitrary<string> = fc
  .array(
    fc
      .integer({ min: 0, max: alphabets.length - 1 })
      .chain((kind) => fc.array(fc.constantFrom(...alphabets[kind]!), { minLength: 1, maxLength: 8 })),
    { maxLength: 12 },
  )
  .map((runs) => runs.flat().join(''))

/** Any text at all, of any code points. */
export const anyText: fc.Arbitrary<string> = fc.string({ unit: 'binary', maxLength: 60 })

/** Real text that every checkout has: documentation, code and JSON of installed packages. */
export function realTexts(): ReadonlyMap<string, string> {
  const root = new URL('../../../node_modules/', import.meta.url)
  const read = (path: string) => readFileSync(new URL(path, root), 'utf8').slice(0, 300_000)
  return new Map([
    ['markdown', read('fast-check/README.md') + read('zod/README.md') + read('vitest/README.md')],
    ['typescript', read('typescript/lib/lib.dom.d.ts')],
    ['json', read('zod/package.json') + read('openai/package.json')],
    ['languages', zodLocales(root)],
  ])
}

function zodLocales(root: URL): string {
  const folder = new URL('zod/v4/locales/', root)
  const names = readdirSync(folder).filter((name) => /^(zh-CN|ja|ko|ar|he|ru|th|ta|fa|ur|km|ka|hy)\.js$/.test(name))
  return names.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
}
