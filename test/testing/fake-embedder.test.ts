import { describe, it } from 'vitest'
import { embedderConformance, fakeEmbedder } from '../../src/testing/index.ts'

describe('fakeEmbedder', () => {
  for (const { name, run } of embedderConformance({ create: () => fakeEmbedder(), tolerance: 0 })) it(name, run)
})
