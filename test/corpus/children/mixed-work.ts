import { openCorpus, openKeyring } from '../../../src/corpus/index.ts'
import { fileStorage, localKey, nodeCipher } from '../../../src/node/index.ts'
import { seededRandom } from '../simulated-file-system.ts'
import { entryFor, space } from '../support.ts'

// Does mixed work on the folder of argv[2] until it is killed. Says on stdout what it is about to do, and when that is acknowledged.
// With `sealed` as argv[4] the corpus is encrypted under a key of 32 sevens.
const [, , folder = '', seed = '1', mode] = process.argv
const random = seededRandom(Number(seed))
const storage = fileStorage(folder)
const keyProvider = localKey(new Uint8Array(32).fill(7))
const keyring = mode === 'sealed' ? await openKeyring({ storage, cipher: nodeCipher(), keyProvider }) : undefined
const corpus = await openCorpus({
  storage,
  keep: { versions: 3, milliseconds: 0 },
  ...(keyring && { sealer: keyring.sealer }),
})
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
say({ ready: true })
for (let step = 0; ; step++) {
  const choice = random()
  const put: Record<string, string> = {}
  const remove: string[] = []
  for (let index = 0; index < 4; index++) {
    const id = `d${Math.floor(random() * 12)}`
    if (random() < 0.7) put[id] = `${seed}:${step}:${index} and some more text to make a few chunks`
    else if (!(id in put)) remove.push(id)
  }
  for (const id of Object.keys(put)) while (remove.includes(id)) remove.splice(remove.indexOf(id), 1)
  say({ start: step, put, remove })
  await corpus.commit({ put: Object.entries(put).map(([id, text]) => entryFor({ id, text })), remove, space })
  say({ done: step })
  if (choice < 0.1) await corpus.compact()
  else if (choice < 0.2) await corpus.collect()
  else if (choice < 0.25) await corpus.compact({ mode: 'small' })
}
