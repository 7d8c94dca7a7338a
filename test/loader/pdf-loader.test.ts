import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { pdfLoader, toSource } from '../../src/loader/index.ts'
import { type PdfExtractorOptions, pdfExtractor } from '../../src/node/pdf-extractor.ts'
import { loaderConformance } from '../../src/testing/loader-conformance.ts'
import { page, pdf } from './pdf-file.ts'

const two = pdf([page('(Hello page one) Tj T* (and its second line) Tj'), page('(Page two) Tj')])
// The worker is a built file: `npm test` builds first.
const workerUrl = new URL('../../dist/node/pdf-worker.js', import.meta.url)
const loader = (options: PdfExtractorOptions = {}) => pdfLoader({ extract: pdfExtractor({ workerUrl, ...options }) })

describe('pdfLoader', () => {
  for (const { name, run } of loaderConformance({
    create: loader,
    sample: { content: two, contains: 'Hello page one' },
  }))
    test(name, run)
})

test('every span knows its pages', async () => {
  const document = await loader().load({ id: 'a.pdf', content: two })
  expect(document.text).toBe('Hello page one\nand its second line\n\nPage two')
  expect(toSource(document, { start: 0, end: 5 })).toEqual({ page: 1, endPage: 1 })
  expect(toSource(document, { start: 20, end: document.text.length })).toEqual({ page: 1, endPage: 2 })
})

test('too many pages, too much text and too much time are typed errors', async () => {
  const limit = (options: PdfExtractorOptions) => loader(options).load({ id: 'a.pdf', content: two })
  await expect(limit({ maxPages: 1 })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 'maxPages' } })
  await expect(limit({ maxUnits: 5 })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 'maxUnits' } })
  await expect(limit({ timeoutMs: 1 })).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'timeoutMs' },
  })
})

test('a stream that inflates without end stops at a limit and leaves the process alive', async () => {
  const bomb = pdf([deflateSync(Buffer.alloc(150_000_000, '(x) Tj '))], '/Filter /FlateDecode')
  expect(bomb.length).toBeLessThan(2_000_000)
  await expect(
    loader({ timeoutMs: 4000, memoryMb: 64, maxUnits: 100_000 }).load({ id: 'b.pdf', content: bomb }),
  ).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
})

test('a scan without text and damaged bytes are refused', async () => {
  await expect(loader().load({ id: 'scan.pdf', content: pdf([Buffer.from('')]) })).rejects.toMatchObject({
    code: 'UNSUPPORTED_FORMAT',
  })
  await expect(
    loader().load({ id: 'x.pdf', content: new TextEncoder().encode('%PDF-1.4\nnothing') }),
  ).rejects.toMatchObject({ code: 'UNSUPPORTED_FORMAT' })
})

test('an abort while the worker reads ends it with the reason', async () => {
  const controller = new AbortController()
  const loading = loader().load({ id: 'a.pdf', content: two }, { signal: controller.signal })
  const reason = new Error('enough')
  queueMicrotask(() => controller.abort(reason))
  await expect(loading).rejects.toBe(reason)
})

test('a loader without an extractor is refused at once', () => {
  expect(() => pdfLoader(undefined as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})
