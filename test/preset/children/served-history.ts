import { createRandom } from '../../../src/testing/index.ts'
import { entryOf, openServed, put, settledAnswers } from '../served-harness.ts'

// A history in the folder of argv[2] until it is killed; each version's last answers are written as a line.
const [, , folder = '', workerUrl = '', seed = '0'] = process.argv
const random = createRandom(Number(seed))
const opened = await openServed(folder, workerUrl)
const record = async () => {
  const answers = await settledAnswers(opened)
  // Waits for what is being kept.
  await opened.indexes.keep('always')
  process.stdout.write(`${JSON.stringify({ version: opened.corpus.info().version, answers })}\n`)
}
let next = 0
await put(
  opened,
  Array.from({ length: 500 }, (_, at) => entryOf(`d${at}`, next++)),
)
await record()
for (let step = 0; step < 200; step++) {
  const kind = random.below(6)
  if (kind === 0) await opened.corpus.tag(`tag-${step}`)
  else if (kind === 1 && step > 2) await opened.corpus.rollback(opened.corpus.info().version - 1)
  else {
    const ids = new Set(Array.from({ length: 1 + random.below(60) }, () => `d${random.below(600)}`))
    await put(
      opened,
      [...ids].map((id) => entryOf(id, next++)),
    )
  }
  await record()
}
