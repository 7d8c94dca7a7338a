/** Every tokenizer behind one shape: `{ count, encode }` of ordinary text. */

const peers = {
  groundline: async (name) => {
    const [file, factory] = { cl100k_base: ['cl100k-base', 'cl100kBase'], o200k_base: ['o200k-base', 'o200kBase'] }[
      name
    ]
    const module = await import(`../dist/tokenizer/${file}.js`)
    const tokenizer = module[factory]()
    return { count: (text) => tokenizer.count(text), encode: (text) => tokenizer.encode(text) }
  },
  'gpt-tokenizer': async (name) => {
    const { countTokens, encode } = await import(`gpt-tokenizer/encoding/${name}`)
    const options = { disallowedSpecial: new Set() }
    return { count: (text) => countTokens(text, options), encode: (text) => encode(text, options) }
  },
  'ai-tokenizer': async (name) => {
    const [{ default: Tokenizer }, encoding] = await Promise.all([
      import('ai-tokenizer'),
      import(`ai-tokenizer/encoding/${name}`),
    ])
    const tokenizer = new Tokenizer(encoding)
    return { count: (text) => tokenizer.count(text), encode: (text) => tokenizer.encode(text, [], []) }
  },
  'js-tiktoken': async (name) => {
    const [{ Tiktoken }, { default: ranks }] = await Promise.all([
      import('js-tiktoken/lite'),
      import(`js-tiktoken/ranks/${name}`),
    ])
    const tokenizer = new Tiktoken(ranks)
    const encode = (text) => tokenizer.encode(text, [], [])
    return { count: (text) => encode(text).length, encode }
  },
  tiktoken: async (name) => {
    const { get_encoding } = await import('tiktoken')
    const tokenizer = get_encoding(name)
    const encode = (text) => tokenizer.encode(text, [], [])
    return { count: (text) => encode(text).length, encode }
  },
}

export const peerNames = Object.keys(peers)

/** Loads a tokenizer for a vocabulary. */
export function open(peer, vocabulary) {
  return peers[peer](vocabulary)
}

// As a program: times one call in a process of its own, for cold starts and for inputs that may never end.
if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [, , peer, vocabulary, kind, length] = process.argv
  const { pathological } = await import('./tokenizer-texts.mjs')
  const text = kind === 'cold' ? 'Hello, world! How many tokens is this?' : pathological[kind](Number(length))
  let start = performance.now()
  const tokenizer = await open(peer, vocabulary)
  if (kind !== 'cold') {
    tokenizer.count('Hello, world!')
    start = performance.now()
  }
  tokenizer.count(text)
  console.log(performance.now() - start)
}
