/**
 * Indexes real Markdown, answers a question with retrieval, and prints the prompt a model would get.
 *
 *   npm run quickstart
 *   npm run quickstart -- "another question" --dir some/folder
 *   npm run quickstart -- --answer          with OPENAI_API_KEY or ANTHROPIC_API_KEY set
 *
 * Without --dir it reads the Markdown of the installed dependencies and of docs/.
 */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import { isGroundlineError } from 'groundline'
import type { SyncReport } from 'groundline/corpus'
import type { LanguageModel } from 'groundline/language-model'
import { toSource } from 'groundline/loader'
import { type FolderOptions, folder } from 'groundline/node'
import { createGroundline, type Groundline } from 'groundline/preset'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dir: { type: 'string' },
    store: { type: 'string' },
    budget: { type: 'string', default: '4096' },
    answer: { type: 'boolean', default: false },
  },
})
const question =
  positionals.length > 0 ? positionals.join(' ') : 'How do I limit how many promises run at the same time?'

try {
  await main()
} catch (error) {
  if (!isGroundlineError(error)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const model = values.answer ? await modelFromEnvironment() : undefined
  // One store for each folder, so that asking about another does not empty the first.
  const place =
    values.dir === undefined ? 'default' : createHash('sha256').update(resolve(values.dir)).digest('hex').slice(0, 16)
  const path = values.store ?? `.groundline/${place}`
  await using ground = await createGroundline({
    path,
    contextWindow: Number(values.budget),
    outputReserve: 1024,
    ...(model ? { model } : {}),
  })

  if (values.dir !== undefined) await index(ground, values.dir)
  else {
    await index(ground, 'docs')
    await index(ground, 'node_modules', { include: ['*.md'], exclude: [], ignoreFiles: [] })
  }
  const prompt = await ground.assemble(question)
  const { documents, chunks, vectorIndex, space, notes } = ground.info()
  console.log(`${documents} documents, ${chunks} chunks in ${path} (vectors: ${space.model}, ${vectorIndex} index)`)
  for (const note of notes) console.log(`note: ${note}`)
  console.log()
  console.log(`question: ${question}\n`)
  for (const message of prompt.messages) console.log(`── ${message.role} ──\n${message.content}\n`)

  console.log('── sources ──')
  for (const source of prompt.sources) {
    const document = await ground.get(source.documentId)
    const { line } = toSource(document!, source)
    const place = [source.uri ?? source.documentId, ...(source.headingPath ?? [])].join(' › ')
    console.log(`[${source.number}] ${place} · line ${line} · characters ${source.start}–${source.end}`)
  }
  const { total, budget, entries } = prompt.ledger
  console.log(
    `\n${total} of ${budget} tokens (${prompt.guarantee}): ${entries.map(({ part, tokens }) => `${part} ${tokens}`).join(', ')}`,
  )

  if (model) await answer(ground, model)
}

/** Takes in a folder, with a progress bar on a terminal, and says what changed. */
async function index(ground: Groundline, directory: string, options: FolderOptions = {}): Promise<void> {
  const bar = new SingleBar({
    format: `${directory} {bar} {value}/{total} {name}`,
    noTTYOutput: false,
    hideCursor: true,
    clearOnComplete: true,
  })
  let started = false
  const report = await ground.sync(folder(directory, { idPrefix: `${directory}/`, ...options }), {
    onProgress: ({ done, total, id }) => {
      if (!started && process.stderr.isTTY) bar.start(total, 0, { name: '' })
      started = true
      bar.setTotal(total)
      bar.update(done, { name: id.slice(-60) })
    },
  })
  bar.stop()
  console.log(`${directory}: ${summary(report)}`)
  for (const { id, error } of report.failed) console.log(`  failed: ${id}: ${error.message}`)
}

function summary({ added, changed, removed, reused, failed }: SyncReport): string {
  const parts = { added, changed, removed, 'reused from the store': reused, failed }
  const words = Object.entries(parts).filter(([, ids]) => ids.length > 0)
  return words.map(([word, ids]) => `${ids.length} ${word}`).join(', ') || 'nothing to index'
}

async function answer(ground: Groundline, model: LanguageModel): Promise<void> {
  console.log(`\n── answer of ${model.id} ──`)
  for await (const event of ground.ask(question)) {
    if (event.type === 'text') process.stdout.write(event.text)
    if (event.type === 'done') {
      console.log('\n')
      for (const { number, verdict, source, span } of event.answer.citations) {
        console.log(`[${number}] ${verdict}${source && span ? `: ${source.documentId} ${span.start}–${span.end}` : ''}`)
      }
    }
  }
}

async function modelFromEnvironment(): Promise<LanguageModel | undefined> {
  const {
    OPENAI_API_KEY,
    ANTHROPIC_API_KEY,
    OPENAI_MODEL = 'gpt-5.4-mini',
    ANTHROPIC_MODEL = 'claude-haiku-5-5',
  } = process.env
  if (OPENAI_API_KEY) {
    const { openaiModel } = await import('groundline/providers/openai')
    return openaiModel({ apiKey: OPENAI_API_KEY, model: OPENAI_MODEL })
  }
  if (ANTHROPIC_API_KEY) {
    const { anthropicModel } = await import('groundline/providers/anthropic')
    return anthropicModel({ apiKey: ANTHROPIC_API_KEY, model: ANTHROPIC_MODEL })
  }
  console.log('--answer needs OPENAI_API_KEY or ANTHROPIC_API_KEY; going on without an answer.\n')
  return undefined
}
