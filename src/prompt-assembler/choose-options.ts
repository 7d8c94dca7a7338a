/** Ways to have one thing, of which at most one is taken. */
export interface OptionClass {
  /** Breaks ties; unique. */
  readonly key: string
  /** Cost in tokens, an integer, and worth of each way. */
  readonly options: readonly { readonly cost: number; readonly utility: number }[]
}

/** An option that no other of its class beats on both counts. */
interface Choice {
  /** −1 for none. */
  readonly option: number
  readonly cost: number
  readonly utility: number
}

/** A partial solution: choices for the classes of the core so far, the base choices for all others. */
interface State {
  readonly cost: number
  readonly utility: number
  /** Which choice of the last class. */
  readonly choice: number
  /** Without the last class; absent before the first. */
  readonly before?: State
}

const NONE: Choice = { option: -1, cost: 0, utility: 0 }
/** Partial solutions kept a layer; beyond, those with the best outlook stay and the result may be short of the optimum. */
const BEAM = 20_000
/** Partial solutions looked at in all; beyond, the best whole solution so far is taken. */
const EFFORT = 300_000

/**
 * The option of each class, or −1 for none, of the greatest summed utility that cost at most `capacity` together: a multiple-
 * choice knapsack. Options without utility are never taken. Ties go to the greedy solution, then to the smaller key.
 *
 * Dynamic programming over an expanding core (D. Pisinger, "A minimal algorithm for the multiple-choice knapsack problem",
 * 1995): at a price of a token at which the best choices of all classes just fit, they are changed class by class, the ones that
 * lose least by a change first; a partial solution is dropped once it cannot beat the best whole one, every free token taken
 * at its price. Exact unless more than 20,000 partial solutions are alive at once or 300,000 were looked at, which
 * takes utilities all but proportional to the costs; the solution is then within that bound, far below a percent.
 */
export function chooseOptions(classes: readonly OptionClass[], capacity: number): readonly number[] {
  if (capacity < 0) return classes.map(() => -1)
  const ladders = classes.map(({ options }) => undominated(options, capacity))
  const order = [...classes.keys()].sort((a, b) => (classes[a]!.key < classes[b]!.key ? -1 : 1))
  const tooDear = (price: number) => {
    let cost = 0
    for (const ladder of ladders) cost += ladder[bestAt(ladder, price)]!.cost
    return cost > capacity
  }
  let [low, price] = [0, 0]
  while (tooDear(price)) price = price * 2 || 1e-9
  for (let step = 0; step < 50 && price > 0; step++) {
    const middle = (low + price) / 2
    if (tooDear(middle)) low = middle
    else price = middle
  }
  let [cost, utility] = [0, 0]
  const base = ladders.map((ladder) => {
    const at = bestAt(ladder, price)
    cost += ladder[at]!.cost
    utility += ladder[at]!.utility
    return at
  })
  const move = (choices: number[], index: number, to: number) => {
    const [now, next] = [ladders[index]![choices[index]!]!, ladders[index]![to]!]
    if (cost + next.cost - now.cost > capacity) return false
    cost += next.cost - now.cost
    utility += next.utility - now.utility
    choices[index] = to
    return true
  }
  // Of classes that change at this very price, as many as fit.
  for (const index of order) if (!move(base, index, bestAt(ladders[index]!, low))) break
  const start: State = { cost, utility, choice: 0 }
  const core = rankCore(order, ladders, base, price)
  let best = [...base]
  for (const { index } of core)
    for (let to = ladders[index]!.length - 1; to > best[index]! && !move(best, index, to); to--);
  // What a sum must be more than: less is rounding.
  let enough = utility * (1 + 1e-12)
  let layer: readonly State[] = [start]
  let effort = 0
  let leader: { readonly state: State; readonly depth: number } | undefined
  for (const [depth, { index }] of core.entries()) {
    const ladder = ladders[index]!
    const now = ladder[base[index]!]!
    const { up, down } = core[depth + 1] ?? { up: 0, down: Number.POSITIVE_INFINITY }
    const bound = ({ cost, utility }: State) => utility + (capacity - cost) * (cost <= capacity ? up : down)
    const next: State[] = []
    // Choice by choice, so that what is sorted are sorted runs.
    for (const [choice, option] of ladder.entries())
      for (const before of layer) {
        const cost = before.cost + option.cost - now.cost
        const state = { cost, utility: before.utility + option.utility - now.utility, choice, before }
        if (cost <= capacity && state.utility > enough) {
          enough = state.utility * (1 + 1e-12)
          leader = { state, depth }
        }
        if (bound(state) > enough) next.push(state)
      }
    next.sort((a, b) => a.cost - b.cost || b.utility - a.utility || a.choice - b.choice)
    // Without those that cannot beat the best whole solution, or that a cheaper one equals; of too many, the ones with the best bounds.
    let top = Number.NEGATIVE_INFINITY
    layer = next.filter((state) => {
      const better = state.utility > top && bound(state) > enough
      if (better) top = state.utility
      return better
    })
    effort += layer.length
    if (layer.length > BEAM)
      layer = layer
        .toSorted((a, b) => bound(b) - bound(a) || a.cost - b.cost)
        .slice(0, BEAM)
        .sort((a, b) => a.cost - b.cost)
    if (layer.length === 0 || effort > EFFORT) break
  }
  if (leader !== undefined) {
    best = base
    let { depth } = leader
    for (let { state } = leader; state.before !== undefined; state = state.before)
      best[core[depth--]!.index] = state.choice
  }
  return best.map((at, index) => ladders[index]![at]!.option)
}

/** None, and the options that fit, of which a dearer one is always worth more. */
function undominated(options: OptionClass['options'], capacity: number): readonly Choice[] {
  const sorted = options
    .map(({ cost, utility }, option): Choice => ({ option, cost: Math.max(cost, 0), utility }))
    .filter(({ cost }) => cost <= capacity)
    .sort((a, b) => a.cost - b.cost || b.utility - a.utility)
  const kept = [NONE]
  for (const choice of sorted) if (choice.utility > kept.at(-1)!.utility) kept.push(choice)
  return kept
}

/** The choice that is worth most beyond its cost at a price of a token; the cheaper of two. */
function bestAt(ladder: readonly Choice[], price: number): number {
  let [best, most] = [0, 0]
  for (let at = 1; at < ladder.length; at++) {
    const gain = ladder[at]!.utility - price * ladder[at]!.cost
    if (gain > most) [best, most] = [at, gain]
  }
  return best
}

/**
 * The classes by how far the price is from making them change, nearest first, each with bounds over itself and all after it:
 * what a token more can gain at the most (`up`), and what a token less loses at the least (`down`).
 */
function rankCore(
  order: readonly number[],
  ladders: readonly (readonly Choice[])[],
  base: readonly number[],
  price: number,
) {
  const turns = [0, 0]
  const core = order.map((index) => {
    const now = ladders[index]![base[index]!]!
    let [up, down] = [0, Number.POSITIVE_INFINITY]
    for (const { cost, utility } of ladders[index]!) {
      const each = (utility - now.utility) / (cost - now.cost)
      if (cost > now.cost) up = Math.max(up, each)
      else if (cost < now.cost) down = Math.min(down, each)
    }
    return { index, turn: turns[base[index]! > 0 ? 1 : 0]!++, up, down, gap: Math.min(price - up, down - price) }
  })
  // Classes that give room and classes that take it alternate where the gaps are equal, so that sums near the capacity come early.
  core.sort((a, b) => a.gap - b.gap || a.turn - b.turn)
  for (let at = core.length - 2; at >= 0; at--) {
    core[at]!.up = Math.max(core[at]!.up, core[at + 1]!.up)
    core[at]!.down = Math.min(core[at]!.down, core[at + 1]!.down)
  }
  return core
}
