/** An embedder whose vectors follow from the first number in a text: what bench/corpus.mjs stores and bench/reopen.mjs asks for. */
const dimensions = 256
export const vectorOf = (number) =>
  Float32Array.from({ length: dimensions }, (_, at) => Math.sin(number * 12.9898 + at * 78.233))
export const madeEmbedder = {
  space: { model: 'made', dimensions, normalized: false },
  dimensions,
  embed: async (texts) => ({ vectors: texts.map((text) => vectorOf(Number(text.match(/\d+/)[0]))), usage: {} }),
}
