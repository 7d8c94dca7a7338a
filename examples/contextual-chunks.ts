/** Small chunks, scored together with what stands around them: the parts of the preset that say so. */
import { hierarchicalChunker, markdownChunker } from 'groundline/chunker'
import { lexicalIndex } from 'groundline/lexical-index'
import { createGroundline } from 'groundline/preset'
import { contextualLexicalRetriever, denseRetriever, hybridRetriever } from 'groundline/retriever'
import { o200kBase } from 'groundline/tokenizer/o200k-base'

const tokenizer = o200kBase()
await using ground = await createGroundline({
  tokenizer,
  chunker: hierarchicalChunker({
    levels: [1000, 24].map((maxTokens) => markdownChunker({ maxTokens, counter: tokenizer })),
  }),
  // English only: `recommendation` counts a little where `recommend` is asked for.
  lexicalIndex: () => lexicalIndex({ families: 0.3 }),
  retriever: ({ lexicalIndex: index, vectorIndex, embedder, store }) =>
    hybridRetriever({
      lexical: contextualLexicalRetriever({ index, store }),
      dense: denseRetriever({ index: vectorIndex, embedder, store }),
      weights: { lexical: 1, dense: 0.3 },
    }),
})

const birds = [
  ['kestrel', 'open fields', 'in old buildings'],
  ['dipper', 'fast streams', 'behind waterfalls'],
  ['siskin', 'spruce woods', 'high in the crowns'],
]
await ground.add(
  birds.map(([bird, home, nest]) => ({
    id: `${bird}.md`,
    text: `The ${bird} is a bird of ${home}, seen there all year round in pairs.\n\nIt nests ${nest}. Four young leave in June.\n`,
  })),
)
// The chunk that answers does not name the bird; the one before it does.
for (const [bird] of birds) {
  const { passages } = await ground.retrieve(`Where does the ${bird} nest?`, { topK: 2 })
  console.log(`${bird}: ${passages.find(({ text }) => text.includes('nests'))?.text.trim()}`)
}
