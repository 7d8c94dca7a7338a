/** Dot product of `a` with the part of `b` that starts at `offset`; sums in double precision. */
export function dotProduct(a: Float32Array, b: Float32Array, offset = 0): number {
  let even = 0
  let odd = 0
  const last = a.length - 1
  let i = 0
  for (; i < last; i += 2) {
    even += a[i]! * b[offset + i]!
    odd += a[i + 1]! * b[offset + i + 1]!
  }
  return i === last ? even + odd + a[i]! * b[offset + i]! : even + odd
}

/** Squared Euclidean distance of `a` from the part of `b` that starts at `offset`; sums in double precision. */
export function squaredDistance(a: Float32Array, b: Float32Array, offset = 0): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[offset + i]!
    sum += difference * difference
  }
  return sum
}

/** Euclidean length of a vector; does not overflow for finite 32-bit floats. */
export function vectorNorm(vector: Float32Array): number {
  return Math.sqrt(dotProduct(vector, vector))
}
