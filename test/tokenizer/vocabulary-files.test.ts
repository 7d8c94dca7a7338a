import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loopbackServer } from '../../src/testing/loopback-server.ts'
import { byteBoundCounter } from '../../src/tokenizer/index.ts'
import { o200kBase } from '../../src/tokenizer/o200k-base.ts'
import { readRankTable } from '../../src/tokenizer/rank-table.ts'
import { splitGpt2 } from '../../src/tokenizer/split-gpt2.ts'
import { loadVocabulary, openVocabulary, type VocabularyDefinition } from '../../src/tokenizer/vocabulary.ts'

const file = new URL('../../vocabularies/r50k_base.bin', import.meta.url)
const bytes = new Uint8Array(readFileSync(file))
const corrupt = expect.objectContaining({ code: 'CORRUPT_DATA' })
const missing = expect.objectContaining({ code: 'NOT_FOUND' })
let serial = 0
const definition = (url: string | URL): VocabularyDefinition => ({
  id: `test-${serial++}`,
  url: new URL(url),
  split: splitGpt2,
  specialTokens: new Map(),
})

describe('a vocabulary file', () => {
  it('that is cut short, longer, changed or foreign is CORRUPT_DATA', () => {
    const changed = bytes.slice()
    changed[200_000]! ^= 1
    for (const damaged of [
      new Uint8Array(0),
      bytes.subarray(0, 10),
      bytes.subarray(0, 1000),
      bytes.subarray(1),
      new Uint8Array([...bytes, 0]),
      changed,
    ]) {
      expect(() => readRankTable('test', damaged)).toThrow(corrupt)
    }
    const lengths = bytes.slice()
    new DataView(lengths.buffer).setUint32(8, 0xffffffff, true)
    expect(() => readRankTable('test', lengths)).toThrow(corrupt)
  })

  it('can be read at any offset of a buffer', () => {
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(readRankTable('test', shifted.subarray(3)).size).toBe(50_256)
  })

  it('that is absent says how to give it', async () => {
    const absent = new URL('./absent.bin', file)
    expect(() => openVocabulary(definition(absent))).toThrow(missing)
    await expect(loadVocabulary(definition(absent))).rejects.toThrow(missing)
    expect(() => openVocabulary(definition('https://example.invalid/a/network.bin'))).toThrow(/Await its load function/)
  })

  it('can be passed as bytes', () => {
    const tokenizer = openVocabulary(definition('https://example.invalid/passed.bin'), { bytes })
    expect(tokenizer.decode(tokenizer.encode('as bytes'))).toBe('as bytes')
  })

  it('can be fetched, once', async () => {
    await using server = await loopbackServer(({ path }) => (path === '/f.bin' ? { text: 'not it' } : { status: 404 }))
    await expect(loadVocabulary(definition(`${server.url}/gone.bin`))).rejects.toThrow(/status 404/)
    await expect(loadVocabulary(definition(`${server.url}/f.bin`))).rejects.toThrow(corrupt)
    const reason = new Error('enough')
    await expect(loadVocabulary(definition(`${server.url}/g.bin`), { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
  })
})

describe('texts of the wrong kind', () => {
  it('are INVALID_ARGUMENT', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    const tokenizer = o200kBase()
    for (const value of [undefined, null, 7, {}, ['a'], new Uint8Array(2), Symbol.iterator]) {
      for (const call of [
        tokenizer.encode,
        tokenizer.count,
        tokenizer.offsets,
        tokenizer.spans,
        byteBoundCounter().count,
      ]) {
        expect(() => Reflect.apply(call, tokenizer, [value])).toThrow(invalid)
      }
      expect(() => Reflect.apply(tokenizer.truncate, tokenizer, [value, 5])).toThrow(invalid)
    }
    expect(() => Reflect.apply(tokenizer.truncate, tokenizer, ['a', 5, { from: 'left' }])).toThrow(invalid)
    expect(() => Reflect.apply(tokenizer.encode, tokenizer, ['a', { allowedSpecial: 'some' }])).toThrow(invalid)
  })

  it('that are longer than one piece may be are LIMIT_EXCEEDED', () => {
    const endless = 'a'.repeat(2 ** 27 + 2 ** 16)
    expect(() => o200kBase().count(endless)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
  })

  it('of 400 MB with word ends are read piece by piece', () => {
    const long = 'word '.repeat(80_000_000)
    expect(o200kBase().countUpTo(long, 1_000_000)).toBe(1_000_001)
  })
})
