import type { AbortOptions } from '../document.ts'
import type { Row } from './catalogue.ts'
import type { Damage } from './corpus.ts'
import type { CorpusCore } from './corpus-core.ts'
import { asDamage, type CorpusState } from './corpus-state.ts'
import { RECORD, vectorsOf } from './segment.ts'

/** Reads every record of the newest version and its tags, and lists what is damaged. */
export async function verifyCorpus(core: CorpusCore, options: AbortOptions): Promise<readonly Damage[]> {
  const { state, manifest } = core.head()
  const damage: Damage[] = [...state.damage]
  const seen = new Set<Row>()
  const states: CorpusState[] = [state]
  for (const { snapshot } of manifest?.tags ?? []) states.push(await core.load(snapshot, options))
  if (manifest?.candidate) states.push(await core.load(manifest.candidate, options))
  for (const one of states) {
    if (one !== state) damage.push(...one.damage)
    for (const { row, segment } of one.documents.values()) {
      options.signal?.throwIfAborted()
      if (seen.has(row)) continue
      seen.add(row)
      try {
        const reader = await segment.reader()
        JSON.parse(new TextDecoder().decode(await reader.record(row.at, RECORD.document, options)))
        if (!row.vectorsAt) continue
        const bytes = await reader.record(row.vectorsAt, RECORD.vectors, options)
        vectorsOf(bytes, row, bytes.length / 4 / Math.max(1, row.chunkCount), segment.ref.name)
      } catch (error) {
        damage.push(asDamage(error, [row.id]))
      }
    }
  }
  for (const one of damage) core.report(one)
  return damage
}
