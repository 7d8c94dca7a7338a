import { describe, test } from 'vitest'
import { memoryStorage } from '../../src/corpus/index.ts'
import { storageConformance } from '../../src/testing/storage-conformance.ts'

describe('memoryStorage', () => {
  test.each(storageConformance({ create: memoryStorage }))('$name', ({ run }) => run())
})
