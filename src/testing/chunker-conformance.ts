import type { Chunker } from '../chunker/chunker.ts'
import type { Chunk, Document } from '../document.ts'
import { type ConformanceCase, check, checkAborts, checkEqual } from './conformance.ts'

/** What the cases need to know of the chunker under test. */
export interface ChunkerConformanceOptions {
  /** Makes the chunker, with a limit small enough that a few hundred characters make several chunks and no overlap. */
  readonly create: () => Chunker
  /** The chunker's token limit. */
  readonly maxTokens: number
  /** Counts tokens as the chunker does. */
  readonly count: (text: string) => number
  /** Documents of the chunker's own kind, beside the built-in plain texts. */
  readonly documents?: readonly Document[]
}

/**
 * The laws of {@link Chunker}: exact slices in order that cover the text, a hard limit, no cut inside a character, and
 * ids that are unique and repeat.
 */
export function chunkerConformance(options: ChunkerConformanceOptions): readonly ConformanceCase[] {
  const { create, maxTokens, count } = options
  const documents = [...texts.map((text, index) => ({ id: `text-${index}`, text })), ...(options.documents ?? [])]
  const each = (name: string, law: (document: Document, chunks: readonly Chunk[]) => unknown): ConformanceCase => ({
    name,
    run: async () => {
      for (const document of documents) await law(document, await collect(create(), document))
    },
  })
  return [
    each('every chunk is the slice of the text that its offsets say', ({ text }, chunks) => {
      for (const chunk of chunks) checkEqual(chunk.text, text.slice(chunk.start, chunk.end), 'text of the slice')
    }),
    each('chunks cover the text without gaps, in order', ({ text }, chunks) => {
      let end = 0
      for (const chunk of chunks) {
        check(chunk.start <= end && chunk.end > end, `chunk ${chunk.start}–${chunk.end} after ${end}`)
        end = chunk.end
      }
      checkEqual(end, text.length, 'end of the last chunk')
    }),
    each('no chunk of more than one grapheme exceeds the limit', (_, chunks) => {
      for (const { text } of chunks)
        check(count(text) <= maxTokens || graphemes(text).length === 1, `${count(text)} tokens, at most ${maxTokens}`)
    }),
    each('no cut parts a grapheme cluster', ({ text }, chunks) => {
      const starts = new Set(graphemes(text))
      for (const { start } of chunks) check(starts.has(start), `a cut inside a grapheme at ${start}`)
    }),
    each('ids are unique within the document and repeat for the same input', async (document, chunks) => {
      const ids = chunks.map(({ id }) => id)
      checkEqual(new Set(ids).size, ids.length, 'distinct ids')
      const again = await collect(create(), document)
      checkEqual(
        again.map(({ id }) => id),
        ids,
        'ids of a second run',
      )
    }),
    each('chunks name their document and carry its metadata', async (document) => {
      for (const chunk of await collect(create(), { ...document, metadata: { kept: true } })) {
        checkEqual(chunk.documentId, document.id, 'documentId')
        checkEqual(chunk.metadata.kept, true, 'metadata of the document')
      }
    }),
    {
      name: 'an empty text has no chunks',
      run: async () => checkEqual(await collect(create(), { id: 'empty', text: '' }), [], 'chunks'),
    },
    {
      name: 'an aborted signal stops it with the reason untouched',
      run: () => checkAborts((signal) => collect(create(), { id: 'a', text: 'Some text.' }, signal), 'chunk'),
    },
  ]
}

async function collect(chunker: Chunker, document: Document, signal?: AbortSignal): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of chunker.chunk(document, { signal })) chunks.push(chunk)
  return chunks
}

function graphemes(text: string): number[] {
  return Array.from(new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text), ({ index }) => index)
}

const texts: readonly string[] = [
  'A short text.',
  'The same paragraph, again and again.\n\n'.repeat(12),
  'No white space: '.concat('x'.repeat(900)),
  '👩‍👩‍👧‍👦👍🏽🇩🇪🇫🇷ẹ́ '.repeat(25),
  'Line one\r\nLine two\r\n\r\nA new paragraph, with a lone \ud83d surrogate.\r\n'.repeat(8),
  'שלום עולם. مرحبا بالعالم، كيف حالك؟ नमस्ते दुनिया। สวัสดีชาวโลก\n'.repeat(8),
  '日本語の文章です。空白はありません。「引用」も含みます。'.repeat(15),
  ' \n\t \n'.repeat(150),
]
