import type { SourceDraft } from './source-block.ts'

/** Puts sources, given best first, into the order in which they are shown. */
export type SourceOrder = <S extends { readonly draft: SourceDraft }>(sources: readonly S[]) => readonly S[]

/** The best at both ends and the worst in the middle, where models read least: best first, second best last, third best second, … */
export const edgesOrder: SourceOrder = (sources) => {
  const front = sources.filter((_, index) => index % 2 === 0)
  const back = sources.filter((_, index) => index % 2 === 1)
  return [...front, ...back.reverse()]
}

/** By document, and within a document by place. */
export const documentOrder: SourceOrder = (sources) =>
  sources.toSorted(({ draft: a }, { draft: b }) => {
    const [one, other] = [a.best.documentId, b.best.documentId]
    return one < other ? -1 : one > other ? 1 : a.start - b.start || a.rank - b.rank
  })
