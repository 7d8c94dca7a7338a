import { describe, it } from 'vitest'
import { hybridRetriever, lexicalOverlapReranker, memoryChunkStore } from '../../src/retriever/index.ts'
import { chunkStoreConformance, rerankerConformance, retrieverConformance } from '../../src/testing/index.ts'
import { legsOver } from './pipeline.ts'

describe('memoryChunkStore', () => {
  const create = (chunks: Parameters<Parameters<typeof chunkStoreConformance>[0]['create']>[0]) => {
    const store = memoryChunkStore()
    store.put(chunks)
    return store
  }
  for (const { name, run } of chunkStoreConformance({ create })) it(name, run)
})

describe('denseRetriever', () => {
  for (const { name, run } of retrieverConformance({ create: async (chunks) => (await legsOver(chunks)).dense }))
    it(name, run)
})

describe('lexicalRetriever', () => {
  for (const { name, run } of retrieverConformance({ create: async (chunks) => (await legsOver(chunks)).lexical }))
    it(name, run)
})

describe.each([['convex'], ['rrf']] as const)('hybridRetriever by %s', (fusion) => {
  for (const { name, run } of retrieverConformance({
    create: async (chunks) => hybridRetriever({ ...(await legsOver(chunks)), fusion }),
  }))
    it(name, run)
})

describe('lexicalOverlapReranker', () => {
  for (const { name, run } of rerankerConformance({ create: () => lexicalOverlapReranker() })) it(name, run)
})
