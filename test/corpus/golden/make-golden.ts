// Writes the golden files of the present format: npx tsx test/corpus/golden/make-golden.ts. Once a format is released,
// its folder never changes; a new format gets a new folder.
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openCorpus, openKeyring } from '../../../src/corpus/index.ts'
import { fileStorage, localKey, nodeCipher } from '../../../src/node/index.ts'
import { entryFor, space } from '../support.ts'
import { goldenDocuments, goldenKey } from './golden-content.ts'

for (const mode of ['plain', 'sealed']) {
  const folder = fileURLToPath(new URL(`./format-1/${mode}`, import.meta.url))
  await rm(folder, { recursive: true, force: true })
  const storage = fileStorage(folder)
  const keyProvider = localKey(goldenKey())
  const keyring = mode === 'sealed' ? await openKeyring({ storage, cipher: nodeCipher(), keyProvider }) : undefined
  const corpus = await openCorpus({ storage, maintenance: 'manual', ...(keyring && { sealer: keyring.sealer }) })
  const documents = goldenDocuments()
  await corpus.commit({
    put: [entryFor({ id: 'removed', text: 'gone' }), ...documents.slice(0, 2).map(entryFor)],
    space,
  })
  await corpus.tag('first')
  await corpus.commit({ put: documents.slice(1).map(entryFor), remove: ['removed'], space })
  await corpus.close()
}
