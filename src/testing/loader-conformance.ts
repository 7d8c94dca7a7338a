import type { Document } from '../document.ts'
import type { Loader, LoaderInput } from '../loader/loader.ts'
import { type ConformanceCase, check, checkAborts, checkEqual, checkThrows } from './conformance.ts'

/** What the cases need to know of the loader under test. */
export interface LoaderConformanceOptions {
  /** Makes the loader with its default options. */
  readonly create: () => Loader
  /** A file that it reads, with a text that occurs in the result. */
  readonly sample: { readonly content: Uint8Array | string; readonly contains: string }
  /** A file that is not of its kind. Default: bytes that begin as a PNG image does. */
  readonly foreign?: Uint8Array
}

/** The laws of {@link Loader}: what was given comes back, marks lie within the text, and foreign bytes are refused. */
export function loaderConformance(options: LoaderConformanceOptions): readonly ConformanceCase[] {
  const { create, sample } = options
  const input: LoaderInput = { id: 'sample', content: sample.content, uri: 'file:///sample', metadata: { kept: 1 } }
  const law = (name: string, run: (document: Document) => void): ConformanceCase => ({
    name,
    run: async () => run(await create().load(input)),
  })
  return [
    law('id, uri and metadata of the input come back', (document) => {
      checkEqual([document.id, document.uri], [input.id, input.uri], 'id and uri')
      checkEqual(document.metadata?.kept, 1, 'metadata')
    }),
    law('the readable text of the file is the text', ({ text }) => {
      check(text.includes(sample.contains), `the text does not contain ${JSON.stringify(sample.contains)}`)
    }),
    law('marks are in text order and lie within the text', ({ text, outline = [] }) => {
      let last = 0
      for (const { start, end } of outline) {
        check(start >= last && end >= start && end <= text.length, `mark ${start}–${end} in ${text.length} units`)
        last = start
      }
    }),
    law('the source map covers the text without gaps', ({ text, sourceMap }) => {
      if (sourceMap === undefined || sourceMap.pieces.length === 0) return
      let end = 0
      for (const piece of sourceMap.pieces) {
        checkEqual(piece.start, end, 'start of a piece')
        end = piece.end
      }
      checkEqual(end, text.length, 'end of the last piece')
    }),
    {
      name: 'the same bytes give the same document',
      run: async () => checkEqual(await create().load(input), await create().load(input), 'second load'),
    },
    {
      name: 'the bytes of another kind of file are refused',
      run: () => {
        const content = options.foreign ?? Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13)
        return checkThrows(() => create().load({ id: 'foreign', content }), 'UNSUPPORTED_FORMAT', 'load')
      },
    },
    {
      name: 'an aborted signal stops it with the reason untouched',
      run: () => checkAborts((signal) => create().load(input, { signal }), 'load'),
    },
  ]
}
