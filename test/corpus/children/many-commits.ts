import { openCorpus } from '../../../src/corpus/index.ts'
import { isGroundlineError } from '../../../src/errors.ts'
import { fileStorage } from '../../../src/node/index.ts'
import { entryFor, space } from '../support.ts'

// Commits documents of its own to the folder of argv[2], and counts a shared counter up with each.
const [, , folder = '', name = 'p', commits = '10'] = process.argv
const corpus = await openCorpus({ storage: fileStorage(folder) })
for (let index = 0; index < Number(commits); index++) {
  for (;;) {
    await corpus.refresh()
    const { version } = corpus.info()
    const count = Number((await corpus.document('counter'))?.text ?? '0') + 1
    const put = [
      entryFor({ id: 'counter', text: String(count) }),
      entryFor({ id: `${name}-${index}`, text: `${index}` }),
    ]
    try {
      await corpus.commit({ put, space, expectedVersion: version })
      break
    } catch (error) {
      if (!isGroundlineError(error) || error.code !== 'CONFLICT') throw error
    }
  }
  await corpus.commit({ put: [entryFor({ id: `${name}-blind-${index}`, text: `${index}` })], space })
}
