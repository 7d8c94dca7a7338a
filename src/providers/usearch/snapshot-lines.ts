import type { Metadata } from '../../document.ts'
import type { FilledEntries } from '../../internal/entry-table.ts'

/** An entry as a snapshot's line holds it: the key is null where no graph knows it. */
export type SnapshotLine = readonly [id: string, key: number | null, metadata: Metadata | null]

/**
 * The entries of a snapshot, left as the text they were saved as: the strings and objects of 100,000 entries take three
 * times as much, and make V8 keep a young generation of 32 MB. An entry is parsed when it is asked for.
 */
export class SnapshotLines<M extends Metadata> implements FilledEntries<M> {
  readonly count: number
  readonly #text: Buffer
  readonly #starts: Uint32Array
  #parsed: SnapshotLine = ['', null, null]
  #parsedSlot = -1

  /** The lines of a text from `start` on, `most` at the most. */
  constructor(text: Buffer, start: number, most: number) {
    this.#text = text
    this.#starts = new Uint32Array(most + 1)
    this.#starts[0] = start
    let count = 0
    for (let at = start; at < text.length && count < most; ) {
      const end = text.indexOf(10, at)
      at = end < 0 ? text.length + 1 : end + 1
      this.#starts[++count] = at
    }
    this.count = count
  }

  /** The entry in a slot. */
  readonly lineAt = (slot: number): SnapshotLine => {
    if (slot === this.#parsedSlot) return this.#parsed
    const line = this.#text.toString('utf8', this.#starts[slot], this.#starts[slot + 1]! - 1)
    this.#parsed = JSON.parse(line) as SnapshotLine
    this.#parsedSlot = slot
    return this.#parsed
  }

  readonly idAt = (slot: number): string => this.lineAt(slot)[0]

  readonly metadataAt = (slot: number): M | undefined => (this.lineAt(slot)[2] ?? undefined) as M | undefined
}
