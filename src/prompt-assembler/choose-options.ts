/** Ways to have one thing, of which at most one is taken. */
export interface OptionClass {
  /** Breaks ties; unique. */
  readonly key: string
  /** Cost in tokens, an integer, and worth of each way. */
  readonly options: readonly { readonly cost: number; readonly utility: number }[]
}

/** An option that no other of its class beats on both counts. */
interface Choice {
  readonly option: number
  readonly cost: number
  readonly utility: number
}

/** A partial solution: choices for the classes of the core so far, the base choices for all others. */
interface State {
  readonly cost: number
  readonly utility: number
  /** Which choice of the last class; −1 for none. */
  readonly choice: number
  /** Without the last class; absent before the first. */
  readonly before?: State
}

/** Partial solutions kept a layer; beyond, those with the best outlook stay and the result may be short of the optimum. */
const BEAM = 20_000
/** Partial solutions looked at in all; beyond, the best whole solution so far is taken. */
const EFFORT = 300_000

/**
 * The option of each class, or −1 for none, of the greatest summed utility that cost at most `capacity` together: a multiple-
 * choice knapsack. Options without utility are never taken. Ties go to the greedy solution, then to the smaller key.
 *
 * Dynamic programming over an expanding core (D. Pisinger, "A minimal algorithm for the multiple-choice knapsack problem",
 * 1995): the greedy solution of the linear relaxation is changed class by class, nearest to the break efficiency first; a
 * partial solution is dropped once its linear bound cannot beat the best whole one. Exact unless more than 20,000 partial
 * solutions are alive at once or 300,000 were looked at, which takes utilities all but proportional to the costs; the
 * solution is then within the linear bound of the break, far below a percent.
 */
export function chooseOptions(classes: readonly OptionClass[], capacity: number): readonly number[] {
  const chosen = classes.map(() => -1)
  if (capacity < 0) return chosen
  const ladders = classes.map(({ options }) => undominated(options, capacity))
  const top = ladders.reduce((sum, ladder) => sum + (ladder.at(-1)?.cost ?? 0), 0)
  if (top <= capacity) return ladders.map((ladder) => ladder.at(-1)?.option ?? -1)
  const order = classes.map((_, index) => index).filter((index) => ladders[index]!.length > 0)
  order.sort((a, b) => (classes[a]!.key < classes[b]!.key ? -1 : 1))

  const relaxed = relax(order, ladders, capacity)
  const { base } = relaxed
  let best = relaxed.filled
  let bestUtility = best.reduce((sum, at, index) => sum + (at < 0 ? 0 : ladders[index]![at]!.utility), 0)
  const core = rankCore(order, ladders, base, relaxed.efficiency)
  // Partial solutions by rising cost and utility.
  let layer: readonly State[] = [{ cost: relaxed.cost, utility: relaxed.utility, choice: -1 }]
  let effort = 0
  let leader: { readonly state: State; readonly depth: number } | undefined
  for (const [depth, { index }] of core.entries()) {
    const next = extend(layer, ladders[index]!, base[index]!)
    for (const state of next)
      if (state.cost <= capacity && state.utility > bestUtility + tolerance(bestUtility)) {
        bestUtility = state.utility
        leader = { state, depth }
      }
    const { up, down } = core[depth + 1] ?? { up: 0, down: Number.POSITIVE_INFINITY }
    const bound = ({ cost, utility }: State) => utility + (capacity - cost) * (cost <= capacity ? up : down)
    // Without those that cannot beat the best whole solution; of too many, the ones with the best bounds.
    const alive = next.filter((state) => bound(state) > bestUtility + tolerance(bestUtility))
    layer = alive
    if (alive.length > BEAM) {
      alive.sort((a, b) => bound(b) - bound(a) || a.cost - b.cost)
      layer = alive.slice(0, BEAM).sort((a, b) => a.cost - b.cost)
    }
    effort += next.length
    if (layer.length === 0 || effort > EFFORT) break
  }
  if (leader !== undefined) {
    best = [...base]
    let { depth } = leader
    for (let { state } = leader; state.before !== undefined; state = state.before)
      best[core[depth--]!.index] = state.choice
  }
  for (const [index, at] of best.entries()) if (at >= 0) chosen[index] = ladders[index]![at]!.option
  return chosen
}

/** What counts as no gain: rounding of sums. */
function tolerance(utility: number): number {
  return 1e-12 * Math.abs(utility)
}

/** The options that fit, of which a dearer one is always worth more. */
function undominated(options: OptionClass['options'], capacity: number): readonly Choice[] {
  const sorted = options
    .map(({ cost, utility }, option) => ({ option, cost: Math.max(cost, 0), utility }))
    .filter(({ cost, utility }) => cost <= capacity && utility > 0)
    .sort((a, b) => a.cost - b.cost || b.utility - a.utility || a.option - b.option)
  const kept: Choice[] = []
  for (const choice of sorted) if (kept.length === 0 || choice.utility > kept.at(-1)!.utility) kept.push(choice)
  return kept
}

/**
 * Takes the steps of the classes' convex hulls by falling efficiency. `base` stops at the first step that does not fit, whose
 * efficiency is the break; `filled` goes on with whatever still fits, hull or not.
 */
function relax(order: readonly number[], ladders: readonly (readonly Choice[])[], capacity: number) {
  const steps: { index: number; to: number; cost: number; utility: number; efficiency: number; rank: number }[] = []
  for (const [rank, index] of order.entries()) {
    const ladder = ladders[index]!
    let [cost, utility] = [0, 0]
    for (let at = -1; at < ladder.length - 1; ) {
      let to = -1
      let efficiency = -1
      for (let next = at + 1; next < ladder.length; next++) {
        const added = ladder[next]!.cost - cost
        const gain = added === 0 ? Number.POSITIVE_INFINITY : (ladder[next]!.utility - utility) / added
        if (gain >= efficiency) [to, efficiency] = [next, gain]
      }
      steps.push({ index, to, cost: ladder[to]!.cost - cost, utility: ladder[to]!.utility - utility, efficiency, rank })
      at = to
      cost = ladder[to]!.cost
      utility = ladder[to]!.utility
    }
  }
  steps.sort((a, b) => (a.efficiency === b.efficiency ? a.rank - b.rank || a.to - b.to : b.efficiency - a.efficiency))
  const base = ladders.map(() => -1)
  let [cost, utility, efficiency] = [0, 0, 0]
  for (const step of steps) {
    if (cost + step.cost > capacity) {
      efficiency = step.efficiency
      break
    }
    base[step.index] = step.to
    cost += step.cost
    utility += step.utility
  }
  const filled = [...base]
  let room = capacity - cost
  for (const { index } of steps) {
    const ladder = ladders[index]!
    const now = filled[index]! < 0 ? 0 : ladder[filled[index]!]!.cost
    let to = ladder.length - 1
    while (to > filled[index]! && ladder[to]!.cost - now > room) to--
    if (to <= filled[index]!) continue
    room -= ladder[to]!.cost - now
    filled[index] = to
  }
  return { base, filled, cost, utility, efficiency }
}

/**
 * The classes by how far the break efficiency is from making them change, nearest first, each with bounds over itself and
 * all after it: what a token more can gain at the most (`up`), and what a token less loses at the least (`down`).
 */
function rankCore(
  order: readonly number[],
  ladders: readonly (readonly Choice[])[],
  base: readonly number[],
  efficiency: number,
) {
  const turns = [0, 0]
  const core = order.map((index) => {
    const ladder = ladders[index]!
    const now = base[index]! < 0 ? { cost: 0, utility: 0 } : ladder[base[index]!]!
    let up = 0
    // Without its base choice there is nothing to give; a free choice gives no room.
    let down = now.cost === 0 ? Number.POSITIVE_INFINITY : now.utility / now.cost
    for (const { cost, utility } of ladder) {
      if (cost > now.cost) up = Math.max(up, (utility - now.utility) / (cost - now.cost))
      else if (cost < now.cost) down = Math.min(down, (now.utility - utility) / (now.cost - cost))
    }
    return {
      index,
      turn: turns[base[index]! < 0 ? 0 : 1]!++,
      up,
      down,
      gap: Math.min(efficiency - up, down - efficiency),
    }
  })
  // Classes that give room and classes that take it alternate where the gaps are equal, so that sums near the capacity come early.
  core.sort((a, b) => a.gap - b.gap || a.turn - b.turn || base[a.index]! - base[b.index]!)
  for (let at = core.length - 2; at >= 0; at--) {
    core[at]!.up = Math.max(core[at]!.up, core[at + 1]!.up)
    core[at]!.down = Math.min(core[at]!.down, core[at + 1]!.down)
  }
  return core
}

/** Every partial solution with every choice of one more class in place of its base choice, without dominated ones. */
function extend(layer: readonly State[], ladder: readonly Choice[], base: number): readonly State[] {
  const now = base < 0 ? { cost: 0, utility: 0 } : ladder[base]!
  const shifts = [{ cost: 0, utility: 0 }, ...ladder].map(
    (choice) => [choice.cost - now.cost, choice.utility - now.utility] as const,
  )
  const heads = shifts.map(() => 0)
  const next: State[] = []
  let top = Number.NEGATIVE_INFINITY
  for (;;) {
    let pick = -1
    let [cost, utility] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let shift = 0; shift < shifts.length; shift++) {
      const state = layer[heads[shift]!]
      if (state === undefined) continue
      const sum = state.cost + shifts[shift]![0]
      if (sum > cost) continue
      const worth = state.utility + shifts[shift]![1]
      if (sum < cost || worth > utility) [pick, cost, utility] = [shift, sum, worth]
    }
    if (pick < 0) return next
    const before = layer[heads[pick]!++]!
    if (utility > top) {
      top = utility
      next.push({ cost, utility, choice: pick - 1, before })
    }
  }
}
