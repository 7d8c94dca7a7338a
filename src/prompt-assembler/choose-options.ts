/** Ways to have one thing, of which at most one is taken. */
export interface OptionClass {
  /** Breaks ties. */
  readonly key: string
  /** Cost in tokens and worth of each way. */
  readonly options: readonly { readonly cost: number; readonly utility: number }[]
}

/**
 * The option of each class, or −1 for none, that together cost at most `capacity`: by utility per token, then whatever
 * still fits. Ties go to the smaller key.
 */
export function chooseOptions(classes: readonly OptionClass[], capacity: number): readonly number[] {
  const chosen = classes.map(() => -1)
  let remaining = capacity
  for (;;) {
    let best: { index: number; option: number; cost: number; efficiency: number } | undefined
    for (const [index, { key, options }] of classes.entries()) {
      const now = chosen[index]! < 0 ? { cost: 0, utility: 0 } : options[chosen[index]!]!
      for (const [option, { cost, utility }] of options.entries()) {
        const [added, gained] = [cost - now.cost, utility - now.utility]
        if (gained <= 0 || added > remaining) continue
        const efficiency = added <= 0 ? Number.POSITIVE_INFINITY : gained / added
        if (
          best === undefined ||
          efficiency > best.efficiency ||
          (efficiency === best.efficiency && key < classes[best.index]!.key)
        )
          best = { index, option, cost: added, efficiency }
      }
    }
    if (best === undefined) return chosen
    chosen[best.index] = best.option
    remaining -= best.cost
  }
}
