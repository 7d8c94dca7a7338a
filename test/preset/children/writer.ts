import { createGroundline } from '../../../src/preset/index.ts'
import { exactIndex } from '../../../src/vector-index/index.ts'
import { chunker, documentsOf, embedder } from '../generations.ts'

// Writes generations into the folder of argv[2], goes back and purges, argv[3] times; a line says what was done.
const [, , folder = '', rounds = '0'] = process.argv
const vectorIndex = () => exactIndex({ dimensions: embedder.dimensions, space: embedder.space })
const ground = await createGroundline({ path: folder, embedder, chunker, vectorIndex })
for (let round = 2; round < 2 + Number(rounds); round++) {
  await ground.add(documentsOf(round))
  if (round % 3 === 0) await ground.corpus.rollback(ground.corpus.info().version - 1)
  if (round % 5 === 0) await ground.corpus.compact()
  if (round % 4 === 0) await ground.corpus.purge()
  process.stdout.write(`${JSON.stringify({ round })}\n`)
}
await ground.close()
