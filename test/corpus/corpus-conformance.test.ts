import { describe, test } from 'vitest'
import { memoryStorage, openCorpus, openKeyring, type Storage } from '../../src/corpus/index.ts'
import { localKey, nodeCipher } from '../../src/node/index.ts'
import { corpusConformance } from '../../src/testing/corpus-conformance.ts'

const storages = new WeakMap<object, Storage>()

async function open(storage: Storage, mode: 'plain' | 'sealed') {
  const keyProvider = localKey(new Uint8Array(32).fill(5))
  const keyring = mode === 'sealed' ? await openKeyring({ storage, cipher: nodeCipher(), keyProvider }) : undefined
  const corpus = await openCorpus({ storage, ...(keyring && { sealer: keyring.sealer }) })
  storages.set(corpus, storage)
  return corpus
}

describe.each(['plain', 'sealed'] as const)('openCorpus, %s', (mode) => {
  const cases = corpusConformance({
    create: () => open(memoryStorage(), mode),
    reopen: (corpus) => open(storages.get(corpus)!, mode),
  })
  test.each(cases)('$name', ({ run }) => run())
})
