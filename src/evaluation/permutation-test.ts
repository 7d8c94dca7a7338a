/** A number that tells two samples apart; the larger, the more they differ. */
export interface TwoSampleStatistic {
  /** The statistic when the items at `first` are one sample and all others the other. */
  value(first: Uint8Array): number
}

/**
 * The share of random relabellings whose statistic is at least the observed one, itself counted: a p-value that holds
 * for any distribution (Phipson and Smyth, 2010). All statistics see the same relabellings.
 */
export function permutationPValues(
  statistics: readonly TwoSampleStatistic[],
  firstCount: number,
  count: number,
  permutations: number,
  random: () => number,
): readonly { readonly statistic: number; readonly p: number }[] {
  const labels = new Uint8Array(count).fill(1, 0, firstCount)
  const observed = statistics.map((statistic) => statistic.value(labels))
  const atLeast = statistics.map(() => 1)
  for (let permutation = 0; permutation < permutations; permutation++) {
    for (let at = count - 1; at > 0; at--) {
      const other = Math.floor(random() * (at + 1))
      const kept = labels[at]!
      labels[at] = labels[other]!
      labels[other] = kept
    }
    for (const [index, statistic] of statistics.entries()) {
      // Sums in another order differ in the last bits: a tie is a tie.
      if (statistic.value(labels) >= observed[index]! * (1 - 1e-12)) atLeast[index]!++
    }
  }
  return observed.map((statistic, index) => ({ statistic, p: atLeast[index]! / (permutations + 1) }))
}

/** Distance between the means of two samples of vectors. */
export function meanDistance(vectors: readonly Float32Array[]): TwoSampleStatistic {
  const dimensions = vectors[0]?.length ?? 0
  const flat = new Float32Array(vectors.length * dimensions)
  for (const [at, vector] of vectors.entries()) flat.set(vector, at * dimensions)
  const total = new Float64Array(dimensions)
  for (let at = 0; at < flat.length; at++) total[at % dimensions]! += flat[at]!
  const sum = new Float64Array(dimensions)
  return {
    value: (first) => {
      sum.fill(0)
      let members = 0
      for (let item = 0; item < first.length; item++) {
        if (first[item] !== 1) continue
        members++
        const base = item * dimensions
        for (let axis = 0; axis < dimensions; axis++) sum[axis]! += flat[base + axis]!
      }
      const others = first.length - members
      let squared = 0
      for (let axis = 0; axis < dimensions; axis++) {
        squared += (sum[axis]! / members - (total[axis]! - sum[axis]!) / others) ** 2
      }
      return Math.sqrt(squared)
    },
  }
}

/** How far apart the means of a number an item are: with zeros and ones, the shares. */
export function shareDifference(values: Float32Array): TwoSampleStatistic {
  let total = 0
  for (const value of values) total += value
  return {
    value: (first) => {
      let [members, sum] = [0, 0]
      for (let item = 0; item < first.length; item++) {
        if (first[item] !== 1) continue
        members++
        sum += values[item]!
      }
      return Math.abs(sum / members - (total - sum) / (first.length - members))
    },
  }
}

/** The Kolmogorov–Smirnov distance: the largest gap between two samples' cumulative distributions. */
export function kolmogorovSmirnov(values: ArrayLike<number>): TwoSampleStatistic {
  const order = Array.from(values, (_, at) => at).sort((a, b) => values[a]! - values[b]!)
  return {
    value: (first) => {
      let members = 0
      for (const label of first) members += label
      const others = first.length - members
      let [seen, seenOthers, largest] = [0, 0, 0]
      for (const [rank, at] of order.entries()) {
        if (first[at] === 1) seen++
        else seenOthers++
        // Equal values step together.
        const next = order[rank + 1]
        if (next !== undefined && values[next] === values[at]) continue
        const gap = Math.abs(seen / members - seenOthers / others)
        if (gap > largest) largest = gap
      }
      return largest
    },
  }
}

/**
 * Maps vectors to random Fourier features of a Gaussian kernel (Rahimi and Recht, 2007): the distance of their means is
 * the maximum mean discrepancy, in time linear in the sample. The bandwidth is the median distance of sampled pairs.
 */
export function fourierFeatures(
  vectors: readonly Float32Array[],
  features: number,
  random: () => number,
): Float32Array[] {
  const dimensions = vectors[0]?.length ?? 0
  const bandwidth = medianDistance(vectors, random)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const directions = Array.from({ length: features }, () =>
    Float64Array.from({ length: dimensions }, () => normal() / bandwidth),
  )
  const phases = directions.map(() => 2 * Math.PI * random())
  return vectors.map((vector) =>
    Float32Array.from(directions, (direction, index) => {
      let angle = phases[index]!
      for (let axis = 0; axis < dimensions; axis++) angle += direction[axis]! * vector[axis]!
      return Math.cos(angle) * Math.sqrt(2 / features)
    }),
  )
}

/**
 * The maximum mean discrepancy of a Gaussian kernel between two samples (Gretton et al., 2012, the biased estimate, as its
 * square root), by the matrix of all pairs: time and memory grow with the square of the items. Bandwidth as in
 * {@link fourierFeatures}.
 */
export function kernelDiscrepancy(vectors: readonly Float32Array[], random: () => number): TwoSampleStatistic {
  const count = vectors.length
  const scale = -0.5 / medianDistance(vectors, random) ** 2
  const kernel = new Float32Array(count * count)
  const rowSums = new Float64Array(count)
  for (let row = 0; row < count; row++) {
    for (let column = 0; column <= row; column++) {
      const value = Math.exp(scale * squaredDistance(vectors[row]!, vectors[column]!))
      kernel[row * count + column] = value
      kernel[column * count + row] = value
      rowSums[row]! += value
      if (column < row) rowSums[column]! += value
    }
  }
  const total = rowSums.reduce((sum, value) => sum + value, 0)
  const members = new Uint32Array(count)
  return {
    value: (first) => {
      let size = 0
      for (let item = 0; item < count; item++) if (first[item] === 1) members[size++] = item
      const others = count - size
      let [within, touching] = [0, 0]
      for (let at = 0; at < size; at++) {
        const row = members[at]! * count
        touching += rowSums[members[at]!]!
        for (let other = 0; other < size; other++) within += kernel[row + members[other]!]!
      }
      const across = touching - within
      const withinOthers = total - within - 2 * across
      return Math.sqrt(Math.max(0, within / size ** 2 + withinOthers / others ** 2 - (2 * across) / (size * others)))
    },
  }
}

/** The median distance of up to 500 random pairs of distinct vectors; 1 when there are none. */
function medianDistance(vectors: readonly Float32Array[], random: () => number): number {
  const distances: number[] = []
  for (let pair = 0; pair < 500; pair++) {
    const a = vectors[Math.floor(random() * vectors.length)]!
    const b = vectors[Math.floor(random() * vectors.length)]!
    const squared = squaredDistance(a, b)
    if (squared > 0) distances.push(Math.sqrt(squared))
  }
  distances.sort((a, b) => a - b)
  return distances[distances.length >> 1] ?? 1
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let squared = 0
  for (let axis = 0; axis < a.length; axis++) squared += (a[axis]! - b[axis]!) ** 2
  return squared
}
