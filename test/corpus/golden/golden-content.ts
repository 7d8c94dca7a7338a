import type { DerivedFile } from '../../../src/corpus/index.ts'
import type { Document } from '../../../src/document.ts'

/** What the golden files hold. Never changes: the files do not either. */
export function goldenDocuments(): readonly Document[] {
  return [
    { id: 'plain', text: 'A document of plain text, long enough for a few chunks.' },
    {
      id: 'rich/ümläut 🙂.md',
      text: 'Zürich 🙂 and a lone \ud800 surrogate.\r\nSecond line.',
      uri: 'file:///rich.md',
      title: 'A title',
      metadata: { tags: ['a', 'b'], nested: { n: 1.5, flag: true, nothing: null } },
      outline: [{ kind: 'heading', start: 0, end: 6, level: 1, label: 'Zürich' }],
      sourceMap: { pieces: [{ start: 0, end: 6, sourceStart: 2, sourceEnd: 8 }], lineStarts: [0, 10] },
    },
    { id: 'empty', text: '' },
  ]
}

/** The wrapping key of the sealed golden corpus. */
export function goldenKey(): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => at)
}

/** The derived file of the audited ones. */
export function goldenDerived(): DerivedFile {
  return { head: { made: 'of version 2', words: ['schön', '🙂'] }, body: Uint8Array.of(0, 1, 127, 128, 255) }
}
