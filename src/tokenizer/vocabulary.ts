import type { AbortOptions } from '../document.ts'
import { GroundlineError } from '../errors.ts'
import { type BytePairTokenizer, createBytePairTokenizer } from './byte-pair-tokenizer.ts'
import { type RankTable, readRankTable } from './rank-table.ts'
import type { Splitter } from './splitter.ts'

/** Where a vocabulary's table comes from when not from the package's own file. */
export interface VocabularyOptions {
  /** The table itself, as it ships in the package's `vocabularies` folder: for bundles that moved away from it. */
  readonly bytes?: Uint8Array | undefined
}

/** Options of loading a vocabulary where files cannot be read synchronously. */
export interface LoadVocabularyOptions extends VocabularyOptions, AbortOptions {
  /** Where the table is served. Default: the package's own file, relative to its module. */
  readonly url?: string | URL | undefined
}

/** One vocabulary that ships with the package. */
export interface VocabularyDefinition {
  /** Names the vocabulary. */
  readonly id: string
  /** The table's file. Vocabularies that differ in special tokens alone share one. */
  readonly url: URL
  /** Cuts text into words. */
  readonly split: Splitter
  /** Special tokens and their ids. */
  readonly specialTokens: ReadonlyMap<string, number>
  /** As of the tokenizer. */
  readonly additiveAtLines?: boolean
}

const tables = new Map<string, RankTable>()
const tokenizers = new Map<string, BytePairTokenizer>()

/**
 * The shared tokenizer of a vocabulary, built when first asked for. Node, Bun and Deno read the file; elsewhere
 * {@link loadVocabulary} must have run before, or `bytes` be given: `NOT_FOUND` otherwise.
 */
export function openVocabulary(definition: VocabularyDefinition, options: VocabularyOptions = {}): BytePairTokenizer {
  const known = tokenizers.get(definition.id)
  if (known) return known
  return keep(
    definition,
    tableOf(definition, () => options.bytes ?? readFile(definition)),
  )
}

/** {@link openVocabulary} for where files come over the network. */
export async function loadVocabulary(
  definition: VocabularyDefinition,
  options: LoadVocabularyOptions = {},
): Promise<BytePairTokenizer> {
  options.signal?.throwIfAborted()
  const known = tokenizers.get(definition.id)
  if (known) return known
  const given = options.bytes ?? (options.url === undefined ? readLocally(definition.url) : undefined)
  const bytes = given ?? (await fetchTable(definition, options))
  return keep(
    definition,
    tableOf(definition, () => bytes),
  )
}

function keep(definition: VocabularyDefinition, table: RankTable): BytePairTokenizer {
  const { id, split, specialTokens, additiveAtLines } = definition
  const tokenizer = createBytePairTokenizer({ id, table, split, specialTokens, additiveAtLines })
  tokenizers.set(id, tokenizer)
  return tokenizer
}

function tableOf(definition: VocabularyDefinition, read: () => Uint8Array): RankTable {
  const file = definition.url.pathname.slice(definition.url.pathname.lastIndexOf('/') + 1)
  const table = tables.get(file) ?? readRankTable(definition.id, read())
  tables.set(file, table)
  return table
}

function readFile(definition: VocabularyDefinition): Uint8Array {
  const bytes = readLocally(definition.url)
  if (bytes) return bytes
  throw missing(definition, 'is not loaded, and files cannot be read here')
}

/** Without an import of `node:fs`, so that one module serves Node and browsers, bundled or not. */
function readLocally(url: URL): Uint8Array | undefined {
  if (url.protocol !== 'file:') return undefined
  const fs = globalThis.process?.getBuiltinModule?.('node:fs')
  if (!fs) return undefined
  try {
    return fs.readFileSync(url)
  } catch (cause) {
    throw missing({ id: url.pathname.slice(url.pathname.lastIndexOf('/') + 1), url }, 'cannot be read', cause)
  }
}

async function fetchTable(definition: VocabularyDefinition, options: LoadVocabularyOptions): Promise<Uint8Array> {
  const url = options.url ?? definition.url
  let response: Response
  try {
    response = await fetch(url, { signal: options.signal ?? null })
    if (response.ok) return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    options.signal?.throwIfAborted()
    throw missing(definition, `cannot be fetched from ${String(url)}`, cause)
  }
  throw missing(definition, `cannot be fetched from ${String(url)}: status ${response.status}`)
}

function missing(
  definition: Pick<VocabularyDefinition, 'id' | 'url'>,
  reason: string,
  cause?: unknown,
): GroundlineError {
  return new GroundlineError(
    'NOT_FOUND',
    `The vocabulary ${definition.id} ${reason}. Await its load function first, serve the package's vocabularies folder, or pass { bytes } of its file.`,
    { cause, details: { vocabulary: definition.id, url: String(definition.url) } },
  )
}
