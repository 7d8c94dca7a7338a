import type { ModelCitation } from '../../language-model/language-model.ts'
import type { Prompt } from '../../prompt-assembler/prompt-assembler.ts'

/** An annotation of an answer, in the shape of chat completions or of responses, as far as it names what it points at. */
export interface OpenAIAnnotation {
  /** `url_citation`, `file_citation`, `container_file_citation`, `file_path`. */
  readonly type: string
  /** The page, in responses. */
  readonly url?: string
  /** The page, in chat completions. */
  readonly url_citation?: { readonly url: string }
  /** The provider's id of the file. */
  readonly file_id?: string
  /** The file's name. */
  readonly filename?: string
}

/**
 * What an annotation points at, as a citation of the prompt's sources. A source is meant when its address or its document's id is the
 * annotation's address, file id or file name, and no other source has it too; otherwise the citation says source 0 and keeps
 * the reference. OpenAI gives no quotation and its indices are places in the answer, so there is nothing to verify: `answer` flags
 * each of them. Undefined for what is no citation.
 *
 * @example
 * ```ts
 * const citations = annotations.flatMap((annotation) => openaiCitation(prompt, annotation) ?? [])
 * ```
 */
export function openaiCitation(prompt: Prompt, annotation: OpenAIAnnotation): ModelCitation | undefined {
  const { file_id: file, filename, url_citation: page } = annotation
  const named = [annotation.url ?? page?.url, file, filename].filter((name) => name !== undefined)
  const reference = named[0]
  if (!annotation.type.endsWith('_citation') || reference === undefined) return undefined
  const meant = prompt.sources.filter(
    ({ uri, documentId }) => named.includes(documentId) || (uri !== undefined && named.includes(uri)),
  )
  return { source: meant.length === 1 ? meant[0]!.number : 0, reference }
}
