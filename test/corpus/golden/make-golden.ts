// Writes the golden files of the present format: npx tsx test/corpus/golden/make-golden.ts. Once a format is released,
// its folder never changes; a new format gets a new folder.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FORMAT } from '../../../src/corpus/container.ts'
import { derivedFiles, openCorpus, openKeyring } from '../../../src/corpus/index.ts'
import { fileStorage, localKey, nodeCipher } from '../../../src/node/index.ts'
import { entryFor, space } from '../support.ts'
import { goldenDerived, goldenDocuments, goldenKey } from './golden-content.ts'

// A folder that is there already is left as it is.
for (const mode of ['plain', 'sealed', 'plain-audited', 'sealed-audited']) {
  const folder = fileURLToPath(new URL(`./format-${FORMAT}/${mode}`, import.meta.url))
  if (existsSync(folder)) continue
  const storage = fileStorage(folder)
  const keyProvider = localKey(goldenKey())
  const keyring = mode.startsWith('sealed')
    ? await openKeyring({ storage, cipher: nodeCipher(), keyProvider })
    : undefined
  const corpus = await openCorpus({ storage, maintenance: 'manual', ...(keyring && { sealer: keyring.sealer }) })
  const documents = goldenDocuments()
  await corpus.commit({
    put: [entryFor({ id: 'removed', text: 'gone' }), ...documents.slice(0, 2).map(entryFor)],
    space,
  })
  await corpus.tag('first')
  await corpus.commit({ put: documents.slice(1).map(entryFor), remove: ['removed'], space })
  if (mode.endsWith('audited')) {
    await corpus.tag('case', { hold: 'litigation' })
    await keyring?.rotate()
    await corpus.rollback('first')
    await corpus.rollback('case')
    const files = derivedFiles({ storage, sealer: keyring?.sealer })
    await files.write('golden', goldenDerived())
  }
  await corpus.close()
}
