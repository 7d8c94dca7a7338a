// Clustered vectors with exact truth: low-rank structure plus noise, as embeddings have, from a fixed seed.
export function createRandom(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  return { next, normal, below: (bound) => Math.floor(next() * bound) }
}

/** `size` unit vectors and `queries` more from the same distribution: clusters in a space of `rank`, and noise in all. */
export function clusteredVectors({
  size,
  dimensions,
  queries,
  rank = 48,
  clusters = 400,
  spread = 0.8,
  noise = 0.25,
  seed = 1,
}) {
  const random = createRandom(seed)
  const basis = Float32Array.from({ length: rank * dimensions }, () => random.normal() / Math.sqrt(dimensions))
  const centres = Float32Array.from({ length: clusters * rank }, () => random.normal())
  const draw = () => {
    const vector = new Float32Array(dimensions)
    const centre = random.below(clusters) * rank
    for (let r = 0; r < rank; r++) {
      const weight = centres[centre + r] + spread * random.normal()
      const at = r * dimensions
      for (let i = 0; i < dimensions; i++) vector[i] += weight * basis[at + i]
    }
    let sum = 0
    const scale = (noise * Math.sqrt(rank)) / Math.sqrt(dimensions)
    for (let i = 0; i < dimensions; i++) {
      // A sum of two uniforms is noise enough, and cheap.
      vector[i] += scale * 2.45 * (random.next() + random.next() - 1)
      sum += vector[i] * vector[i]
    }
    const norm = 1 / Math.sqrt(sum)
    for (let i = 0; i < dimensions; i++) vector[i] *= norm
    return vector
  }
  return {
    vectors: Array.from({ length: size }, draw),
    queries: Array.from({ length: queries }, draw),
  }
}
