/**
 * Asks a model and prints the answer with each citation's verdict. The model here is scripted, so that the example needs
 * no key: put `openaiModel({ … })` or `anthropicModel({ … })` in its place.
 */
import { createGroundline } from 'groundline/preset'
import { scriptedModel } from 'groundline/testing'

const model = scriptedModel([
  'Keys are rotated on a schedule: "rotated every ninety days" [1]. ',
  'Nobody needs to be told: "without any notice" [1]. Backups are kept as well [7].',
])

await using ground = await createGroundline({ model })
await ground.add([
  { id: 'keys.md', title: 'Keys', text: 'Keys are rotated every ninety days. The old key works for one more week.' },
  { id: 'backup.md', title: 'Backups', text: 'Backups run each night and are kept for thirty days.' },
])

for await (const event of ground.ask('How often are keys rotated?')) {
  if (event.type === 'text') process.stdout.write(event.text)
  if (event.type === 'done') {
    console.log('\n')
    for (const { number, verdict, reason, source, span, quote } of event.answer.citations) {
      const place = source && span ? `${source.documentId} ${span.start}–${span.end}` : 'no such source'
      console.log(`[${number}] ${verdict}${reason ? ` (${reason})` : ''}: ${place}${quote ? `: "${quote}"` : ''}`)
    }
  }
}
