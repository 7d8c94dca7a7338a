// Splitters of other libraries behind one shape: text in, slices out. Where a library gives no offsets its pieces are
// searched for, which is what its users must do.

/** Peers that are installed, each with its splitters at a token limit. */
export async function loadPeers() {
  const peers = []
  const missing = []
  const attempt = async (name, load) => {
    try {
      peers.push(await load())
    } catch (error) {
      missing.push(`${name}: ${error.code ?? error.message}`)
    }
  }
  await attempt('LangChain.js', async () => {
    const { RecursiveCharacterTextSplitter } = await import('@langchain/textsplitters')
    return {
      name: 'LangChain.js Recursive',
      split: async (text, limit, count) => {
        const lengthFunction = (piece) => count(piece)
        const splitter = new RecursiveCharacterTextSplitter({ chunkSize: limit, chunkOverlap: 0, lengthFunction })
        return { pieces: (await splitter.splitText(text)).map((piece) => ({ text: piece })) }
      },
    }
  })
  await attempt('chonkiejs', async () => {
    const { RecursiveChunker } = await import('@chonkiejs/core')
    return {
      name: 'chonkiejs Recursive',
      split: async (text, limit, count) => {
        const tokenizer = tokenizerOf(count)
        const chunker = await RecursiveChunker.create({ tokenizer, chunkSize: limit })
        const chunks = await chunker.chunk(text)
        return {
          pieces: chunks.map(({ text: piece, startIndex, endIndex, tokenCount }) => ({
            text: piece,
            tokenCount,
            start: startIndex,
            end: endIndex,
          })),
        }
      },
    }
  })
  await attempt('LlamaIndexTS', async () => {
    const { SentenceSplitter } = await import('@llamaindex/core/node-parser')
    return {
      name: 'LlamaIndexTS Sentence',
      // Super-linear on long lines: minutes on the collection.
      slow: true,
      split: async (text, limit, count) => {
        const tokenizer = { encode: (piece) => new Uint32Array(count(piece)), decode: () => '' }
        const splitter = new SentenceSplitter({ chunkSize: limit, chunkOverlap: 0, tokenizer })
        return { pieces: splitter.splitText(text).map((piece) => ({ text: piece })) }
      },
    }
  })
  return { peers, missing }
}

/** What chonkiejs asks of a tokenizer, with characters as the tokens of its last resort. */
function tokenizerOf(count) {
  const encode = (text) => Array.from(text, (character) => character.codePointAt(0))
  const decode = (tokens) => String.fromCodePoint(...tokens)
  const decodeBatch = (lists) => lists.map(decode)
  return { countTokens: count, encode, decode, encodeBatch: (texts) => texts.map(encode), decodeBatch }
}

/** Finds where pieces without offsets stand, in order; pieces that occur nowhere are left out. */
export function locate(text, pieces) {
  let from = 0
  const located = []
  for (const piece of pieces) {
    const start = piece.text === '' ? -1 : text.indexOf(piece.text, from)
    if (start < 0) continue
    located.push({ text: piece.text, start, end: start + piece.text.length })
    from = start + 1
  }
  return located
}
