import { GroundlineError } from '../../errors.ts'
import { describe, requireString } from '../../internal/argument.ts'
import type { ModelInfo } from './model-info.ts'
import { modelRows } from './model-rows.ts'

/** Looks models up. */
export interface ModelTable {
  /**
   * The row of a model, by `id` or `provider:id`. A dated snapshot (`gpt-4o-2024-08-06`, `claude-opus-4-1-20250805`) without a
   * row of its own has its model's. Throws `UNKNOWN_MODEL` for any other name, and for one that several providers use.
   */
  get(model: string): ModelInfo
  /** Every row. */
  list(): readonly ModelInfo[]
}

/** How a {@link modelTable} differs from the one that ships. */
export interface ModelTableOptions {
  /** Rows that are added, or that replace the row of the same provider and id. */
  readonly overrides?: readonly ModelInfo[]
}

/**
 * The table of models that ships with the package (rows say their source and day), with rows of your own.
 *
 * @example
 * ```ts
 * import { modelTable } from 'groundline/tokenizer/models'
 *
 * const { contextWindow, vocabulary } = modelTable().get('gpt-4o')
 * ```
 */
// @__NO_SIDE_EFFECTS__
export function modelTable(options: ModelTableOptions = {}): ModelTable {
  const rows = new Map<string, ModelInfo>()
  const overrides = options.overrides ?? []
  if (!Array.isArray(overrides)) {
    throw new GroundlineError('INVALID_ARGUMENT', `overrides must be an array of rows, got ${describe(overrides)}`)
  }
  for (const row of overrides) {
    requireString('provider of an override', row?.provider)
    requireString('id of an override', row.id)
  }
  for (const row of [...modelRows(), ...overrides]) rows.set(`${row.provider}:${row.id}`, row)
  const byId = new Map<string, ModelInfo[]>()
  for (const row of rows.values()) byId.set(row.id, [...(byId.get(row.id) ?? []), row])

  const find = (name: string): readonly ModelInfo[] => {
    const qualified = rows.get(name)
    return qualified ? [qualified] : (byId.get(name) ?? [])
  }
  return {
    list: () => Array.from(rows.values()),
    get(model) {
      requireString('model', model)
      const exact = find(model)
      const found = exact.length > 0 ? exact : find(model.replace(/-(?:\d{4}-\d{2}-\d{2}|\d{8})$/, ''))
      if (found.length === 1) return found[0]!
      const providers = found.map((row) => `${row.provider}:${row.id}`)
      throw new GroundlineError(
        'UNKNOWN_MODEL',
        providers.length > 1
          ? `${describe(model)} is a model of several providers: ${providers.join(', ')}. Name one of these.`
          : `${describe(model)} is not in the table of models. Pass its row as an override; nothing is assumed of it.`,
        { details: { model, candidates: providers } },
      )
    },
  }
}
